"""ECR's lifecycle policies take images away, by the rules of the Amazon ECR User Guide.

"LifecyclePolicies" is its page "Automate the cleanup of images by using lifecycle policies in Amazon ECR", "Examples"
its page "Examples of lifecycle policies in Amazon ECR".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from embedded_aws.runtime.expiry import expiring
from tests.embedded_process import EmbeddedProcess, eventually, start

from .images import Pushed, push, web_app
from .test_conformance_ecr import INDEX

COUNT, AGE = "imageCountMoreThan", {"countType": "sinceImagePushed", "countUnit": "days"}


def rule(priority: int, number: int, *patterns: str, status: str = "", **more: str) -> dict[str, Any]:
    """A rule as it stands in a policy; for tagged images where it has patterns, otherwise for any."""
    tagged = {"tagPatternList": list(patterns)} if patterns else {}
    selection = {"tagStatus": status or ("tagged" if tagged else "any"), **tagged}
    selection |= {"countType": COUNT, "countNumber": number, **more}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


ALPHA_AND_BETA = {"A": ("alpha-1", 12), "B": ("beta-1", 11), "C": ("alpha-2 beta-2", 10)} | {
    "D": ("alpha-3", 4),
    "E": ("beta-3", 3),
    "F": ("alpha-4 beta-4", 2),
}
PROD_AND_BETA = {"A": ("beta-1 prod-1", 10), "B": ("beta-2 prod-2", 9), "C": ("beta-3", 8)}
NOT_EXCLUSIVE = {
    "A": ("alpha-1 beta-1 gamma-1", 10),
    "B": ("alpha-2 beta-2", 9),
    "C": ("alpha-3 beta-3 gamma-2", 8),
}
ALL = {"A": ("alpha-1", 4), "B": ("beta-1", 3), "C": ("", 2), "D": ("alpha-2", 1)}
COMBINED = {"A": ("alpha-1 beta-1", 4), "B": ("", 3), "C": ("alpha-2", 2), "D": ("hash", 1), "E": ("", 1)}


@pytest.mark.parametrize(
    ("images", "rules", "gone"),
    [
        # "Filtering on multiple rules", A: "if Image B were expired it would violate Rule 1 and thus is skipped"
        (PROD_AND_BETA, [rule(1, 1, "prod*"), rule(2, 1, "beta*")], "A"),
        # B: "all available images were already seen by Rule 1"
        (PROD_AND_BETA, [rule(1, 1, "beta*"), rule(2, 1, "prod*")], "AB"),
        # the order in the text is not that of the priorities
        (PROD_AND_BETA, [rule(2, 1, "beta*"), rule(1, 1, "prod*")], "A"),
        # "Filtering on multiple tags in a single rule", A: "images must match all listed tag patterns"
        (ALPHA_AND_BETA, [rule(1, 5, "alpha*", "beta*", **AGE)], "C"),
        # B: "illustrates that tags are not exclusive"
        (NOT_EXCLUSIVE, [rule(1, 1, "alpha*", "beta*")], "AB"),
        # "Filtering on all images", A: "expire all images other than the newest one"
        (ALL, [rule(1, 1)], "ABC"),
        # B: "It can't mark images A, B, C, or E because they were identified by higher priority rules"
        (
            COMBINED,
            [rule(1, 1, "alpha*"), rule(2, 1, status="untagged", **AGE), rule(3, 1)],
            "ABD",
        ),
        # "Filtering on image count": "keeps only one untagged image and expires all others"
        (COMBINED, [rule(1, 1, status="untagged")], "B"),
        # LifecyclePolicies: "all images whose pushed_at_time is older than the specified number of days"
        (ALL, [rule(1, 3, **AGE)], "A"),
        ({}, [rule(1, 1)], ""),
        (ALL, [], ""),
    ],
)
def test_the_outcomes_of_the_examples(
    images: Mapping[str, tuple[str, int]], rules: list[dict[str, Any]], gone: str
) -> None:
    """Examples: each with the repository's contents, the policy's text and the result that it names."""
    tags = {name: tags.split() for name, (tags, _) in images.items()}
    ages = {name: timedelta(days=days) for name, (_, days) in images.items()}
    assert "".join(sorted(expiring(tags, ages, rules))) == gone


def test_wildcards_and_prefixes() -> None:
    """LifecyclePolicies: `*prod*` matches "repo-production or prod-team"; nothing but `*` is a wildcard."""
    tags = {"1": ["repo-production"], "2": ["prod-team"], "3": ["p.od"], "4": ["dev"]}
    ages = {each: timedelta(days=int(each)) for each in tags}
    assert expiring(tags, ages, [rule(1, 1, "*prod*")]) == {"2"}
    assert expiring(tags, ages, [rule(1, 1, "p.*")]) == set()
    prefixed = rule(1, 1, "x")
    prefixed["selection"] |= {"tagPrefixList": ["p"]}
    del prefixed["selection"]["tagPatternList"]
    assert expiring(tags, ages, [prefixed]) == {"3"}


@pytest.fixture
def ecr(client: Callable[[str], Any]) -> Any:
    """An ECR client, and a repository ``homara``."""
    ecr = client("ecr")
    ecr.create_repository(repositoryName="homara")
    return ecr


def pushed(ecr: Any, *tags: str) -> list[Pushed]:
    """An image for each tag, in that order."""
    return [push(ecr, web_app(VERSION=tag), repository="homara", tag=tag) for tag in tags]


def put(ecr: Any, *rules: dict[str, Any]) -> None:
    """PutLifecyclePolicy."""
    ecr.put_lifecycle_policy(repositoryName="homara", lifecyclePolicyText=json.dumps({"rules": rules}))


def left(ecr: Any) -> list[str]:
    """The tags in the repository."""
    return sorted(
        tag
        for each in ecr.describe_images(repositoryName="homara")["imageDetails"]
        for tag in each.get("imageTags", ())
    )


def test_images_go_with_their_tags(ecr: Any, aws: EmbeddedProcess) -> None:
    """LifecyclePolicies: "images are sorted from youngest to oldest based on pushed_at_time and then all images
    greater than the specified count are expired"; whoever asks for them afterwards finds none."""
    images = pushed(ecr, "v1", "v2", "v3")
    put(ecr, rule(1, 2))
    assert left(ecr) == ["v1", "v2", "v3"]
    assert aws.expire_images() == {"homara": [images[0].digest]}
    assert left(ecr) == ["v2", "v3"]
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName="homara", imageIds=[{"imageDigest": images[0].digest}])
    assert aws.expire_images() == {}


def test_an_image_with_two_tags_is_under_the_first_rule_that_is_about_it(
    ecr: Any, aws: EmbeddedProcess
) -> None:
    """LifecyclePolicies: "An image that matches the tagging requirements of a rule cannot be expired by a rule with a
    lower priority". A tag that is added later counts as well, and leaves the time of the push as it was."""
    first, *_ = pushed(ecr, "v1", "v2", "v3")
    before = ecr.describe_images(repositoryName="homara", imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
    ecr.put_image(repositoryName="homara", imageManifest=first.manifest, imageTag="live-1")
    after = ecr.describe_images(repositoryName="homara", imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
    assert after["imagePushedAt"] == before["imagePushedAt"]
    put(ecr, rule(1, 5, "live-*"), rule(2, 1))
    aws.expire_images()
    assert left(ecr) == ["live-1", "v1", "v3"]


def test_a_policy_that_is_gone_takes_nothing(ecr: Any, aws: EmbeddedProcess) -> None:
    """DeleteLifecyclePolicy."""
    pushed(ecr, "v1", "v2")
    put(ecr, rule(1, 1))
    ecr.delete_lifecycle_policy(repositoryName="homara")
    assert aws.expire_images() == {}


def test_an_image_of_a_list_stays_until_the_list_is_gone(ecr: Any, aws: EmbeddedProcess) -> None:
    """LifecyclePolicies: "If an image is referenced by a manifest list, it cannot be expired without the manifest list
    being deleted first"."""
    part, *_ = pushed(ecr, "part")
    described = {"digest": part.digest, "size": len(part.manifest), "mediaType": "application/json"}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]})
    ecr.put_image(repositoryName="homara", imageManifest=index, imageTag="whole")
    put(ecr, rule(1, 1))
    assert aws.expire_images() == {}
    pushed(ecr, "v2")
    aws.expire_images()
    assert left(ecr) == ["part", "v2"]
    aws.expire_images()
    assert left(ecr) == ["v2"]


def test_it_happens_by_itself_within_a_day() -> None:
    """LifecyclePolicies: "you should expect that images become expired within 24 hours after they meet the expiration
    criteria"."""
    with start(speed=86_400, boot_allowance=10) as fast:
        ecr = fast.client("ecr")
        ecr.create_repository(repositoryName="homara")
        pushed(ecr, "v1", "v2")
        put(ecr, rule(1, 1))
        eventually(lambda: left(ecr) == ["v2"])
