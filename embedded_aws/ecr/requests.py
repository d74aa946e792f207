"""The common parts of ECR operations: the repository of a request, pages, errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ..iam.access.call_context import current
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

    @property
    def store(self) -> Any:
        """The repositories of the account in the region (``store.EcrStore``)."""
        return ecr_backends[self.current_account][self.region]

    def settings(self) -> Any:
        """moto's record of the repository; RepositoryNotFoundException, AccessDeniedException."""
        if self.registry_id != self.current_account:
            raise self._of_another_account()
        return self.store._get_repository(self.repository_name, self.registry_id)

    def _of_another_account(self) -> AwsError:
        """Another account's repository lets in whom its own policy names; there are no other accounts here."""
        call_context = current()
        caller = call_context.caller.arn if call_context else f"arn:aws:iam::{self.current_account}:root"
        action = f"ecr:{self._get_action()}"
        arn = f"arn:aws:ecr:{self.region}:{self.registry_id}:repository/{self.repository_name}"
        told = f"User: {caller} is not authorized to perform: {action} on resource: {arn} because no resource-based"
        return AwsError("AccessDeniedException", f"{told} policy allows the {action} action")

    def held(self) -> Repository:
        """The repository's images and layers; RepositoryNotFoundException."""
        self.settings()
        return self.images.repository(self.registry_id, self.region, self.repository_name)

    def page(self, items: Sequence[T], default: int = DEFAULT_PAGE) -> tuple[Sequence[T], dict[str, str]]:
        """The items of the requested page, and ``nextToken`` if there are more."""
        start = paging.offset(self._get_param("nextToken"))
        end = start + int(self._get_param("maxResults") or default)
        more = {"nextToken": paging.token(end)} if end < len(items) else {}
        return items[start:end], more


def invalid(parameter: str, constraint: str) -> AwsError:
    """InvalidParameterException with ECR's message."""
    message = f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
    return AwsError("InvalidParameterException", message)
