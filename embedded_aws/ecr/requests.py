"""The common parts of ECR operations: the repository of a request, pages, errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ..kernel import paging
from ..moto.adapter import AwsError, ECRResponse, ecr_backends
from ..runtime.images import Images
from ..runtime.registry import Repository

T = TypeVar("T")

DEFAULT_PAGE = 100  # DescribeRepositories, DescribeImages and ListImages: "returns up to 100 results"


class EcrRequest(ECRResponse):
    """A request to ECR."""

    def __init__(self, images: Images) -> None:
        super().__init__()
        self.images = images

    @property
    def repository_name(self) -> str:
        """The request's repository."""
        return str(self._get_param("repositoryName"))

    @property
    def registry_id(self) -> str:
        """The request's registry."""
        return str(self._get_param("registryId") or self.current_account)

    @property
    def place(self) -> dict[str, str]:
        """``registryId`` and ``repositoryName``, which most answers contain."""
        return {"registryId": self.registry_id, "repositoryName": self.repository_name}

    @property
    def where(self) -> str:
        """The repository in error messages."""
        return f"in the repository with name '{self.repository_name}' in the registry with id '{self.registry_id}'"

    def settings(self) -> Any:
        """moto's record of the repository; RepositoryNotFoundException."""
        backend = ecr_backends[self.current_account][self.region]
        return backend._get_repository(self.repository_name, self.registry_id)

    def held(self) -> Repository:
        """The repository's images and layers; RepositoryNotFoundException."""
        self.settings()
        return self.images.repository(self.registry_id, self.region, self.repository_name)

    def page(self, items: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
        """The items of the requested page, and ``nextToken`` if there are more."""
        start = paging.offset(self._get_param("nextToken"))
        end = start + int(self._get_param("maxResults") or DEFAULT_PAGE)
        more = {"nextToken": paging.token(end)} if end < len(items) else {}
        return items[start:end], more


def invalid(parameter: str, constraint: str) -> AwsError:
    """InvalidParameterException with ECR's message."""
    message = f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
    return AwsError("InvalidParameterException", message)
