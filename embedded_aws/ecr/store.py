"""The repositories of ECR: moto's store, extended for the Resource Groups Tagging API."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..moto.adapter import AwsError, ECRBackend, TaggableResourcesMixin, TaggedResource, ecr_backends

TAGS_MOST = 50
ACCOUNT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE",
    "BLOB_MOUNTING": "DISABLED",
    "REGISTRY_POLICY_SCOPE": "V2",
}
"""The account settings with their defaults (PutAccountSetting)."""


class EcrStore(ECRBackend, TaggableResourcesMixin):
    """The repositories of one account in one region."""

    SERVICE_NAMESPACE = "ecr"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._account_settings = dict(ACCOUNT_SETTINGS)

    def account_setting(self, name: str) -> str:
        """The value of an account setting; InvalidParameterException."""
        _check_setting(name)
        return self._account_settings[name]

    def put_account_setting(self, name: str, value: str) -> None:
        """Set an account setting; InvalidParameterException."""
        _check_setting(name)
        self._account_settings[name] = value

    def create_repository(self, *args: Any, tags: list[dict[str, str]] | None = None, **more: Any) -> Any:
        """Create a repository with valid tags."""
        _check(tags or [])
        return super().create_repository(*args, tags=tags or [], **more)

    def tag_resource(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Tag a repository; TooManyTagsException above the limit."""
        _check(tags, self.tagger.get_tag_dict_for_resource(arn))
        super().tag_resource(arn, tags)

    def iter_tagged_resources(self) -> Iterator[Any]:
        """Every repository with its tags."""
        for repository in list(self.repositories.values()):
            tags = self.tagger.get_tag_dict_for_resource(repository.arn)
            yield TaggedResource(repository.arn, tags, "ecr:repository")


def policy_of(arn: str) -> str | None:
    """The policy of a repository by its ARN; None for any other resource."""
    service, region, account, name = (*arn.split(":", 5), "", "", "", "", "")[2:6]
    if service != "ecr":
        return None
    try:
        repository = ecr_backends[account][region].repositories[name.removeprefix("repository/")]
    except KeyError:
        return None
    return str(repository.policy) if repository.policy else None


def _check_setting(name: str) -> None:
    if name not in ACCOUNT_SETTINGS:
        raise AwsError(
            "InvalidParameterException", f"{name} is not the name of an account setting"
        )  # own words


def _check(tags: Sequence[Mapping[str, str]], there: Collection[str] = ()) -> None:
    """Raise TooManyTagsException or InvalidTagParameterException, with the messages of the API Reference."""
    if len({*there, *(tag["Key"] for tag in tags)}) > TAGS_MOST:
        message = (
            "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a "
            f"repository is {TAGS_MOST}."
        )
        raise AwsError("TooManyTagsException", message)
    if any(not 1 <= len(tag["Key"]) <= 128 or len(tag.get("Value") or "") > 256 for tag in tags):
        message = (
            "An invalid parameter has been specified. Tag keys can have a maximum character length of 128 characters, "
            "and tag values can have a maximum length of 256 characters."
        )
        raise AwsError("InvalidTagParameterException", message)


ecr_backends.keep_in(EcrStore)
