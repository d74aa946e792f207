"""What every resource of a stack has in common.

A resource says what should exist. Both sides, desired and live, are brought into the same normal form, a flat
mapping of attributes, each under a code; where they differ the planner sees a change, and an attribute that the
desired side does not mention is left alone. A resource holds direct references to those it needs: the
dependency graph is read from the dataclass fields.
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
# Whether a resource should be there: if so it is made, if not it is removed where it is ours, or as it is found.
Presence = Literal["present", "absent", "as-found"]


@dataclass(frozen=True)
class Live:
    """A resource as it is in the account: its id (usually an ARN), its attributes, its tags.

    ``region`` is that of the stack that owns it, of what belongs to the whole account; empty where it is not known.
    """

    id: str
    attributes: Attributes
    tags: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    region: str = ""

    @property
    def stack(self) -> str | None:
        """The stack that it belongs to, or None where it carries no such tag."""
        return self.tags.get(STACK_TAG)

    @property
    def adopted(self) -> bool:
        """Whether it was there before its stack took it over."""
        return ADOPTED_TAG in self.tags


class LiveResources(Mapping["Resource", Live]):
    """The live resources found so far, by the resource that stands for them.

    A copy: other threads go on finding and making.
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
    """One thing that should exist, by its name.

    ``stack`` is the value of the ownership tag, ``extra_tags`` are others that it is made with. ``kind`` is
    AWS's word for it, as a code: ``target-group``. ``fixed`` names the attributes that AWS cannot change in
    place. ``taggable`` is false for what cannot carry the tag: such a resource belongs to whoever owns the
    resource it is part of. ``exact`` is true where an attribute that is not desired has to go. ``may_be_denied``
    is true for what AWS lets some accounts not make, which only making it shows. ``is_global`` is true for what
    an account has once for all regions: it belongs to the stack of one ``region``. ``setting`` is the setting
    that names it.

    What was adopted loses nothing: of its attributes only those in ``additions`` are changed, and something is only
    added to them. It has to fit in what is ``decisive``; everything else stays as it was found.
    """

    name: str
    stack: str
    extra_tags: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)
    region: str = field(default="", kw_only=True)
    setting: str = field(default="", kw_only=True)

    kind: ClassVar[str]
    fixed: ClassVar[frozenset[str]] = frozenset()
    taggable: ClassVar[bool] = True
    holds_data: ClassVar[bool] = False
    exact: ClassVar[bool] = False
    may_be_denied: ClassVar[bool] = False
    is_global: ClassVar[bool] = False
    additions: ClassVar[frozenset[str]] = frozenset()
    decisive: ClassVar[frozenset[str]] = frozenset()

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
        """The tags that the resource is made with."""
        where = {REGION_TAG: self.region} if self.is_global else {}
        return {**dict(self.extra_tags), STACK_TAG: self.stack, **where}

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
        """The resource whose owner owns this one, which carries no tags; None where that is nobody's to remove."""
        return None

    @property
    def all_dependencies(self) -> frozenset[Resource]:
        """What it needs, what that needs, and so on: an order that holds also where one in between stays as it is."""
        return frozenset(self.dependencies).union(*(each.all_dependencies for each in self.dependencies))

    def is_ours(self, live: Live) -> bool:
        """Whether it belongs to this stack, in this region."""
        if not self.taggable:
            return True
        return live.stack == self.stack and (not self.is_global or live.region == self.region)

    def is_shared(self, live: Live) -> bool:
        """Whether it was there before the stack: it was adopted, or will have been when it is changed."""
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
        """Whether it should be there."""
        return "present"

    @abstractmethod
    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """The resource as it is, or None where there is none. Calls nothing that changes anything."""

    @abstractmethod
    def desired(self, known: LiveResources) -> Attributes:
        """The attributes that the resource should have, in the same normal form as ``Live.attributes``."""

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """The attributes that it should have where it was adopted: what it has, and what is missing of ours."""
        return {name: value for name, value in self.desired(known).items() if name in self.additions}

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """What others have in it or use it for, in words; while there is any it is not deleted."""
        return ()

    def remarks(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        """What a person should know of it as it is, in words."""
        return ()

    def instead(self, live: Live) -> str:
        """What to do where it cannot be changed in place."""
        return "give it another name in the settings, which makes a new one beside it, or remove it: inv teardown"

    def dependencies_when_released(self, live: Live, known: LiveResources) -> tuple[Resource, ...]:
        """What it goes on needing when the stack lets go of it."""
        return self.dependencies

    def relies_on_additions(self, live: Live) -> bool:
        """Whether it goes on working when the stack lets go of it by what was added to those it needs."""
        return False

    def release_note(self, live: Live) -> str:
        """What becomes of it, in words, when the stack lets go of it; empty where it stays as it is."""
        return ""

    @abstractmethod
    def create(self, aws: Aws, known: LiveResources) -> Live:
        """Make it, with all that is desired; everything in ``dependencies`` exists by now."""

    @abstractmethod
    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Put the ``changed`` attributes right, in place; what others need of it is as it is afterwards."""

    @abstractmethod
    def delete(self, aws: Aws, live: Live) -> None:
        """Remove it and wait until AWS has let go of it; what needed it is gone by now."""

    @abstractmethod
    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Put these tags on it; those that it has stay."""

    @abstractmethod
    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Take the tags of these names off it."""

    def adopt(self, aws: Aws, live: Live) -> None:
        """Make it the stack's, and remember that it was there before: it outlives the stack."""
        self.tag(aws, live, self.tags_when_adopted)

    @property
    def tags_when_adopted(self) -> dict[str, str]:
        """The tags that it gets when it is adopted."""
        return {**self.tags, ADOPTED_TAG: self.stack}

    def withdraw(self, aws: Aws, live: Live, known: LiveResources) -> None:  # noqa: B027 - most kinds get nothing added
        """Take back what was added to it when it was adopted, and nothing else."""

    def release(self, aws: Aws, live: Live) -> None:
        """Let go of what was adopted: it stays, without our tags."""
        own = (STACK_TAG, ADOPTED_TAG, *([REGION_TAG] if self.is_global else []))
        self.untag(aws, live, own)


def attached(live: Live) -> dict[str, str]:
    """What was attached to something that was adopted: by the tag that tells it."""
    return {tag: value for tag, value in live.tags.items() if tag.startswith(ATTACHED_TAG)}


def attaching(live: Live, ids: Iterable[str]) -> dict[str, str]:
    """The tags that tell what is about to be attached to something that was adopted."""
    told = attached(live).values() if live.adopted else ids
    new = [each for each in ids if each not in told]
    return {f"{ATTACHED_TAG}:{sha256(each.encode()).hexdigest()[:12]}": each for each in new}


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags in the list form that most of AWS takes."""
    return [{key: name, value: content} for name, content in tags.items()]


def tags_of(listed: list[dict[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags out of the list form that most of AWS gives."""
    return {tag[key]: tag[value] for tag in listed}
