"""How ECR holds repositories: moto's store, which the Resource Groups Tagging API does not know of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..moto_door import AwsError, ECRBackend, TaggableResourcesMixin, TaggedResource, ecr_backends

TAGS_MOST = 50


class EcrStore(ECRBackend, TaggableResourcesMixin):
    """The repositories of one account in one region."""

    SERVICE_NAMESPACE = "ecr"

    def tag_resource(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Tag a repository; TooManyTagsException for more than it may have."""
        there = self.tagger.get_tag_dict_for_resource(arn)
        if len({*there, *(tag["Key"] for tag in tags)}) > TAGS_MOST:
            message = (
                "The list of tags on the repository is over the limit. The maximum number of tags that can be applied "
                f"to a repository is {TAGS_MOST}."
            )
            raise AwsError("TooManyTagsException", message)
        super().tag_resource(arn, tags)

    def iter_tagged_resources(self) -> Iterator[Any]:
        """Every repository with its tags."""
        for repository in list(self.repositories.values()):
            tags = self.tagger.get_tag_dict_for_resource(repository.arn)
            yield TaggedResource(repository.arn, tags, "ecr:repository")


ecr_backends.keep_in(EcrStore)
