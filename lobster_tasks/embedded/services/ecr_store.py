"""How ECR holds repositories: moto's store, which the Resource Groups Tagging API does not know of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..moto_door import ECRBackend, TaggableResourcesMixin, TaggedResource, ecr_backends


class EcrStore(ECRBackend, TaggableResourcesMixin):
    """The repositories of one account in one region."""

    SERVICE_NAMESPACE = "ecr"

    def iter_tagged_resources(self) -> Iterator[Any]:
        """Every repository with its tags."""
        for repository in list(self.repositories.values()):
            tags = self.tagger.get_tag_dict_for_resource(repository.arn)
            yield TaggedResource(repository.arn, tags, "ecr:repository")


ecr_backends.keep_in(EcrStore)
