"""The ECR repository of the app's images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws import Aws
from ..in_parallel import in_parallel
from .iam import principals
from .neighbours import Neighbours
from .resource import Attributes, Live, LiveResources, Resource, tag_list, tags_of

_LIVE = "lobster-live-"
LIVE_PATTERN = f"{_LIVE}*"
"""A pattern for the tags of images that were live."""


def live_tag(digest: str) -> str:
    """The tag that an image gets when its release is live; ``digest`` is ``sha256:…``."""
    return f"{_LIVE}{digest.rpartition(':')[2][:12]}"


def given_tags(image: Mapping[str, Any]) -> tuple[str, ...]:
    """An image's tags other than ours; ``image`` has the shape of DescribeImages."""
    return tuple(each for each in image.get("imageTags") or () if not each.startswith(_LIVE))


@dataclass(frozen=True)
class Repository(Resource):
    """A repository that scans on push, and keeps the newest ``keep`` images and as many of those that were live.

    With 0 its lifecycle policy is left alone. An image that matches the tags of one rule is not expired by a later
    rule (Amazon ECR User Guide, "Lifecycle policy evaluation rules"): images that were live are expired only by their
    own rule.
    """

    kind: ClassVar[str] = "repository"
    holds_data: ClassVar[bool] = True
    keep: int

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeRepositories, its lifecycle policy and its tags."""
        found = aws.find(
            "ecr:DescribeRepositories",
            ("RepositoryNotFoundException",),
            self.label,
            repositoryNames=[self.name],
        )
        if found is None:
            return None
        repository = found["repositories"][0]
        arn = repository["repositoryArn"]
        tagged, lifecycle = in_parallel(
            lambda: aws.call("ecr:ListTagsForResource", self.label, resourceArn=arn),
            lambda: self._read_lifecycle(aws),
        )
        scan = repository.get("imageScanningConfiguration", {}).get("scanOnPush", False)
        attributes = {"scan-on-push": bool(scan), "lifecycle": lifecycle}
        return Live(arn, attributes, tags_of(tagged["tags"]), repository)

    def desired(self, known: LiveResources) -> Attributes:
        """Scan on push, and the lifecycle policy."""
        scans: dict[str, Any] = {"scan-on-push": True}
        return {**scans, "lifecycle": _plain(self._lifecycle())} if self.keep else scans

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateRepository, then its lifecycle policy."""
        made = aws.call(
            "ecr:CreateRepository",
            self.label,
            repositoryName=self.name,
            imageScanningConfiguration={"scanOnPush": True},
            tags=tag_list(self.tags),
        )["repository"]
        live = Live(made["repositoryArn"], {}, self.tags, made)
        return self.update(aws, live, frozenset(self.desired(known)) - {"scan-on-push"}, known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """PutImageScanningConfiguration, PutLifecyclePolicy."""
        if "scan-on-push" in changed:
            aws.call(
                "ecr:PutImageScanningConfiguration",
                self.label,
                repositoryName=self.name,
                imageScanningConfiguration={"scanOnPush": True},
            )
        if "lifecycle" in changed:
            aws.call(
                "ecr:PutLifecyclePolicy",
                self.label,
                repositoryName=self.name,
                lifecyclePolicyText=json.dumps(self._lifecycle()),
            )
        return live

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Other families and App Runner services with an image from it, and whom its policy lets in, or who has set it.

        The stack never creates a policy. A Lambda function cannot have an image of a repository without one: it "must
        allow the ecr:BatchGetImage and ecr:GetDownloadUrlForLayer API actions to the Lambda service" (AWS re:Post,
        "Lambda does not have permission to access the ECR image").
        """
        uri = live.raw["repositoryUri"]
        told = (*neighbours.with_image_of(uri), *neighbours.app_runner_with_image_of(uri))
        absent = ("RepositoryPolicyNotFoundException",)
        policy = neighbours.aws.find("ecr:GetRepositoryPolicy", absent, self.label, repositoryName=self.name)
        if policy is None:
            return told
        named = ", ".join(sorted(map(str, principals(policy["policyText"]))))
        if not named:
            return (*told, "whoever has set its repository policy")
        return (*told, f"whom its repository policy lets in ({named})")

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteRepository, with every image in it."""
        aws.find(
            "ecr:DeleteRepository",
            ("RepositoryNotFoundException",),
            self.label,
            repositoryName=self.name,
            force=True,
        )

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        aws.call("ecr:TagResource", self.label, resourceArn=live.id, tags=tag_list(tags))

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        aws.call("ecr:UntagResource", self.label, resourceArn=live.id, tagKeys=list(names))

    def _lifecycle(self) -> dict[str, Any]:
        live = {"tagStatus": "tagged", "tagPatternList": [LIVE_PATTERN]}
        return {
            "rules": [
                self._rule(1, f"keep the newest {self.keep} images that were live", live),
                self._rule(2, f"keep the newest {self.keep} images", {"tagStatus": "any"}),
            ]
        }

    def _rule(self, priority: int, description: str, selection: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "rulePriority": priority,
            "description": description,
            "selection": {**selection, "countType": "imageCountMoreThan", "countNumber": self.keep},
            "action": {"type": "expire"},
        }

    def _read_lifecycle(self, aws: Aws) -> str:
        found = aws.find(
            "ecr:GetLifecyclePolicy",
            ("LifecyclePolicyNotFoundException",),
            self.label,
            repositoryName=self.name,
        )
        return _plain(json.loads(found["lifecyclePolicyText"])) if found else ""


def _plain(document: Any) -> str:
    return json.dumps(document, sort_keys=True)
