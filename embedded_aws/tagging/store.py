"""The resources that the Resource Groups Tagging API finds: moto's, and CloudFront's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..moto.adapter import (
    ResourceGroupsTaggingAPIBackend,
    TaggedResource,
    make_tag_matcher,
    match_resource_type,
)

GLOBAL_REGION = "us-east-1"
"""Where resources without a region are found."""

TagsByArn = Callable[[str], Mapping[str, Mapping[str, str]]]
"""The resources of an account: each ARN with its tags."""


class TaggingStore(ResourceGroupsTaggingAPIBackend):
    """What one account has in one region."""

    def __init__(self, region_name: str, account_id: str, in_cloudfront: TagsByArn) -> None:
        super().__init__(region_name, account_id)
        self._in_cloudfront = in_cloudfront

    def _get_resources_generator(
        self,
        tag_filters: list[dict[str, Any]] | None = None,
        resource_type_filters: list[str] | None = None,
        resource_arn_list: list[str] | None = None,
    ) -> Iterator[Any]:
        yield from super()._get_resources_generator(tag_filters, resource_type_filters, resource_arn_list)
        if self.region_name != GLOBAL_REGION:
            return
        fits = make_tag_matcher(tag_filters)
        for arn, tags in self._in_cloudfront(self.account_id).items():
            kind = f"cloudfront:{arn.split(':')[5].split('/')[0]}"
            named = not resource_arn_list or arn in resource_arn_list
            if tags and named and fits(tags) and match_resource_type(kind, resource_type_filters):
                yield TaggedResource(arn, dict(tags), kind)
