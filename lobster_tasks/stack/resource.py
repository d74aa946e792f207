"""The base class of a stack's resources.

A resource describes what should exist. The desired and the live side have the same normal form, a flat mapping of
attribute codes to values. Where they differ the planner plans a change; an attribute that the desired side does not
contain is left alone. A resource has references to its dependencies: the dependency graph is read from the dataclass
fields.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any, ClassVar, Literal

from ..aws import Aws
from ..settings import ADOPTED_TAG, ATTACHED_TAG, REGION_TAG, STACK_TAG
from .neighbours import Neighbours

Attributes = Mapping[str, Any]
# Whether a resource is desired: "present" is created, "absent" is deleted where it is ours, "as-found" stays as it
# is.
Presence = Literal["present", "absent", "as-found"]


@dataclass(frozen=True)
class Live:
    """A resource as it is in the account: its id (usually an ARN), its attributes, its tags.

    ``region`` is that of the owning stack, for account-wide resources; empty where it is unknown.
    """

    id: str
    attributes: Attributes
    tags: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    region: str = ""

    @property
    def stack(self) -> str | None:
        """The stack that it belongs to, or None without the tag."""
        return self.tags.get(STACK_TAG)

    @property
    def adopted(self) -> bool:
        """Whether it existed before its stack adopted it."""
        return ADOPTED_TAG in self.tags


class LiveResources(Mapping["Resource", Live]):
    """The live resources that are known so far, by resource.

    A copy, because other threads read and create resources meanwhile.
    """

    def __init__(self, live: Mapping[Resource, Live | None]) -> None:
        self._live = dict(live)

    def __getitem__(self, resource: Resource) -> Live:
        live = self._live.get(resource)
        if live is None:
            raise KeyError(resource)
        return live

    def __iter__(self) -> Iterator[Resource]:
        return (resource for resource, live in self._live.items() if live is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True)
class Resource(ABC):
    """One resource that should exist, identified by its name.

    ``stack`` is the value of the ownership tag, ``extra_tags`` are additional tags. ``kind`` is AWS's term for it, as
    a code: ``target-group``. ``fixed`` names the attributes that cannot be changed, for the reason ``fixed_because``.
    ``taggable`` is false for a resource that cannot have the tag: it belongs to the owner of the resource that it is
    part of. ``exact`` is true where attributes that are not desired have to be removed. ``may_be_denied`` is true for
    resources that AWS denies to some accounts, which only creating them shows. ``is_global`` is true for resources
    that exist once per account for all regions: it belongs to the stack of one ``region``. ``setting`` is the setting
    with its name. ``former`` is true for what belongs to a load balancer that another one replaces: it stays as it is
    while the service is behind it, and is then deleted.

    An adopted resource loses nothing: only its attributes in ``additions`` are changed, and only by adding to them.
    Its ``decisive`` attributes have to be as desired; all others stay as they were.
    """

    name: str
    stack: str
    extra_tags: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)
    region: str = field(default="", kw_only=True)
    setting: str = field(default="", kw_only=True)
    former: bool = field(default=False, kw_only=True)

    kind: ClassVar[str]
    fixed: ClassVar[frozenset[str]] = frozenset()
    taggable: ClassVar[bool] = True
    holds_data: ClassVar[bool] = False
    exact: ClassVar[bool] = False
    may_be_denied: ClassVar[bool] = False
    is_global: ClassVar[bool] = False
    additions: ClassVar[frozenset[str]] = frozenset()
    decisive: ClassVar[frozenset[str]] = frozenset()
    fixed_because: ClassVar[str] = "AWS cannot change this in place"

    def __init_subclass__(cls) -> None:
        """Keep ``__hash__``: that of a dataclass would walk through all dependencies, each as often as it is referred
        to."""
        super().__init_subclass__()
        cls.__hash__ = Resource.__hash__  # type: ignore[method-assign]

    def __hash__(self) -> int:
        return hash((self.kind, self.name))

    @property
    def label(self) -> str:
        """Kind and name, as in ``target-group/lobster-tg``."""
        return f"{self.kind}/{self.name}"

    @property
    def noun(self) -> str:
        """The kind in words."""
        return self.kind.replace("-", " ")

    @property
    def tags(self) -> dict[str, str]:
        """The tags that the resource is created with."""
        return {**dict(self.extra_tags), **self.own_tags}

    @property
    def own_tags(self) -> dict[str, str]:
        """The tags that say whose it is."""
        where = {REGION_TAG: self.region} if self.is_global else {}
        return {STACK_TAG: self.stack, **where}

    @property
    def dependencies(self) -> tuple[Resource, ...]:
        """The resources that this one refers to."""
        found: list[Resource] = []
        for each in fields(self):
            value = getattr(self, each.name)
            candidates = value if isinstance(value, tuple) else (value,)
            found += [candidate for candidate in candidates if isinstance(candidate, Resource)]
        return tuple(found)

    @property
    def part_of(self) -> Resource | None:
        """The resource whose owner owns this one, which has no tags; None where it is never removed."""
        return None

    @property
    def all_dependencies(self) -> frozenset[Resource]:
        """All direct and indirect dependencies, so that the order also holds where one between them is not
        changed."""
        return frozenset(self.dependencies).union(*(each.all_dependencies for each in self.dependencies))

    def is_ours(self, live: Live) -> bool:
        """Whether it belongs to this stack, in this region."""
        if not self.taggable:
            return True
        return live.stack == self.stack and (not self.is_global or live.region == self.region)

    def is_shared(self, live: Live) -> bool:
        """Whether it existed before the stack: it is adopted, or will be by the plan."""
        return self.taggable and (live.adopted or not self.is_ours(live))

    def words(self, attribute: str) -> str:
        """An attribute's code in words."""
        return attribute.replace("-", " ")

    def describe(self, attribute: str, value: Any) -> str:
        """An attribute's value as people read it; empty where it should not be shown."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, tuple):
            return ", ".join(map(str, value)) or "none"
        return "none" if value in (None, "") else str(value)

    def presence(self, known: LiveResources) -> Presence:
        """Whether it is desired."""
        return "present"

    @abstractmethod
    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """The live resource, or None where it does not exist. Makes only reading calls."""

    @abstractmethod
    def desired(self, known: LiveResources) -> Attributes:
        """The desired attributes, in the same normal form as ``Live.attributes``."""

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """The desired attributes of an adopted resource: its own, with what is missing of ours."""
        return {name: value for name, value in self.desired(known).items() if name in self.additions}

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """What others have in it or use it for, in words; if there is any, it is not deleted."""
        return ()

    def remarks(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Remarks on its live state for people, in words."""
        return ()

    def limits_visitors(self, live: Live | None, changed: frozenset[str]) -> tuple[str, ...]:
        """The address ranges to which creating it (``live`` is None), or a change of these attributes, limits visitors.

        Empty where it does neither.
        """
        return ()

    @property
    def impossible(self) -> str:
        """A sentence for a change that cannot be made in place."""
        return f"{self.label} cannot be changed in place."

    def instead(self, live: Live) -> str:
        """The next step where it cannot be changed in place."""
        return "give it another name in the settings, which makes a new one beside it, or remove it: inv teardown"

    def tagging(self, live: Live) -> str:
        """The command that puts its tags back, for a resource without a name in the settings; else empty."""
        return ""

    def dependencies_when_released(self, live: Live, known: LiveResources) -> tuple[Resource, ...]:
        """The dependencies that it keeps when the stack releases it."""
        return self.dependencies

    def relies_on_additions(self, live: Live) -> bool:
        """Whether it still needs the additions to its dependencies after the stack releases it."""
        return False

    def release_note(self, live: Live) -> str:
        """What happens to it when the stack releases it, in words; empty where it stays as it is."""
        return ""

    @abstractmethod
    def create(self, aws: Aws, known: LiveResources) -> Live:
        """Create it with all desired attributes; its ``dependencies`` exist by now."""

    @abstractmethod
    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Update the ``changed`` attributes in place; returns the resource as its dependents see it afterwards."""

    @abstractmethod
    def delete(self, aws: Aws, live: Live) -> None:
        """Delete it and wait until AWS has done so; its dependents are deleted by now."""

    @abstractmethod
    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Add tags; existing ones stay."""

    @abstractmethod
    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Remove the tags of these names."""

    def adopt(self, aws: Aws, live: Live) -> None:
        """Adopt it: tag it as the stack's, and as one that existed before and outlives the stack."""
        self.tag(aws, live, self.tags_when_adopted)

    @property
    def tags_when_adopted(self) -> dict[str, str]:
        """The tags that it gets on adoption."""
        return {**self.tags, ADOPTED_TAG: self.stack}

    def withdraw(self, aws: Aws, live: Live, known: LiveResources) -> None:  # noqa: B027 - most kinds get nothing added
        """Remove what was added to it on adoption, and nothing else."""

    def release(self, aws: Aws, live: Live) -> None:
        """Release an adopted resource: remove our tags."""
        own = (STACK_TAG, ADOPTED_TAG, *([REGION_TAG] if self.is_global else []))
        self.untag(aws, live, own)


def attached(live: Live) -> dict[str, str]:
    """What was attached to an adopted resource, by the tag that records it."""
    return {tag: value for tag, value in live.tags.items() if tag.startswith(ATTACHED_TAG)}


def attaching(live: Live, ids: Iterable[str]) -> dict[str, str]:
    """The tags that record what is about to be attached to an adopted resource."""
    told = attached(live).values() if live.adopted else ids
    new = [each for each in ids if each not in told]
    return {f"{ATTACHED_TAG}:{sha256(each.encode()).hexdigest()[:12]}": each for each in new}


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags in the list form of most AWS APIs' inputs."""
    return [{key: name, value: content} for name, content in tags.items()]


def tags_of(listed: list[dict[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags from the list form of most AWS APIs' answers."""
    return {tag[key]: tag[value] for tag in listed}
