"""Finds the image that a message about a pull is about: its container, its registry, and whether that is ECR. Pure.

A task definition has images of several registries: the app's is in ECR, a sidecar's often elsewhere. What the execution
role and ``inv push-image`` can mend is in ECR alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...definition import containers
from ...image_reference import ecr_image
from ...templates import OWN_DEFINITION
from .evidence import Evidence

DOCKER_HUB = "docker.io"
# Docker Hub's servers have other names than the registry in its references (distribution/reference, "docker.io").
_SERVERS = {f"{name}.docker.io": DOCKER_HUB for name in ("registry-1", "index", "auth")}
# Docker's grammar: what stands before the first slash is a registry if it looks like a host.
_REFERENCE = re.compile(
    r"(?:(?P<registry>localhost(?::\d{1,5})?|[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?::\d{1,5})?|[\w-]{1,63}:\d{1,5})/)?"
    r"(?P<repository>[\w./+-]{1,300}?)(?P<version>[:@][\w.:@+-]{1,200})?"
)
_NAMED = re.compile(
    r"(?:resolve ref(?:erence)?|manifest for|pull access denied for|can(?:no|')t pull) "
    r"['\"]?([\w.-]{1,255}[/:][\w.:/@+-]{1,400}?)['\"]?[:,.]?(?=\s|$)"
)
_URL = re.compile(
    r"https?://(?P<host>[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?::\d{1,5})?)"
    r"(?:/v2/(?P<repository>[\w./+-]{1,300}?)/(?:manifests|blobs)/)?"
)
_LOOKUP = re.compile(r"\blookup ([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_OF_AWS = re.compile(r"\.(?:amazonaws\.(?:com|com\.cn|eu)|api\.aws|on\.aws|c2s\.ic\.gov|sc2s\.sgov\.gov)$")


@dataclass(frozen=True)
class Image:
    """An image: its registry (a host), its repository there, and its ``version``, such as ``:latest``.

    ``container`` is empty where no container of the definition has it; ``credentials`` is the ARN of the secret by
    which the container logs in (repositoryCredentials), empty without one. ``repository`` is empty where no message
    names it.
    """

    registry: str
    repository: str = ""
    version: str = ""
    container: str = ""
    credentials: str = ""

    @property
    def name(self) -> str:
        """How it is shown."""
        return f"{self.repository.rpartition('/')[2]}{self.version}" or "the image"


def foreign_image(evidence: Evidence, text: str) -> Image | None:
    """The image that a message is about, in another registry than ECR's private ones; None where it is in ECR."""
    found = _image(evidence, text)
    return None if found is None or _is_in_ecr(found) else found


def owner_of(evidence: Evidence, text: str) -> str:
    """`` of NAME`` for the container, other than the app's, whose image a message names; otherwise empty."""
    found = _image(evidence, text)
    return evidence.others(found.container) if found and found.container else ""


def push_again(evidence: Evidence, text: str) -> str:
    """What brings a fitting image: the command that pushes the app's to ECR, or where another one is named."""
    of = owner_of(evidence, text)
    if of or foreign_image(evidence, text):
        return f"correct the image{of} in {OWN_DEFINITION}, or push one that fits to its registry"
    return f"inv push-image --tag {evidence.tag}"


def _image(evidence: Evidence, text: str) -> Image | None:
    text, ours = text.replace("‘", "'").replace("’", "'"), _images(evidence)
    named = [_parsed(each) for each in _NAMED.findall(text)]
    urls = [Image(_registry(each["host"]), each["repository"] or "") for each in _URL.finditer(text)]
    for each in (*named, *urls):
        for image in ours:
            if each.repository and (each.registry, each.repository) == (image.registry, image.repository):
                return image
    if named:
        return named[0]
    hosts = [*(each.registry for each in urls), *map(_registry, _LOOKUP.findall(text))]
    is_pull = "CannotPull" in text
    if hosts:
        return _at(hosts, ours, is_pull)
    return ours[0] if is_pull and len(ours) == 1 else None


def _at(hosts: list[str], ours: list[Image], is_pull: bool) -> Image | None:
    """The image of a host that a message names: registries hand downloads on to other hosts."""
    if any(_OF_AWS.search(host) for host in hosts):
        return None
    there = [each for each in ours if each.registry in hosts]
    others = there or [each for each in ours if is_pull and not _is_in_ecr(each)]
    return others[0] if len(others) == 1 else Image(hosts[0])


def _images(evidence: Evidence) -> list[Image]:
    found = []
    for container in containers(evidence.definition):
        image = _parsed(str(container.get("image", "")))
        credentials = (container.get("repositoryCredentials") or {}).get("credentialsParameter", "")
        found.append(Image(image.registry, image.repository, image.version, container["name"], credentials))
    return found


def _parsed(reference: str) -> Image:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return Image("", reference)
    registry, repository = found["registry"] or DOCKER_HUB, found["repository"]
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Image(_registry(registry), repository, found["version"] or "")


def _registry(host: str) -> str:
    return _SERVERS.get(host, host)


def _is_in_ecr(image: Image) -> bool:
    return ecr_image(f"{image.registry}/{image.repository or 'x'}") is not None
