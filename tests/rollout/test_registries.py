"""A pull from a registry that is not ECR: neither the execution role nor ``inv push-image`` mends it.

Sources of the texts: containers-roadmap 1658 ("failed to authorize: failed to fetch anonymous token") and 1302
("unexpected status code [manifests 1]: 401 Unauthorized"); bedrock-access-gateway 114 ("unexpected status from HEAD
request to …: 403 Forbidden", of ECR); riverui 182 ("denied: denied", docker's words of ghcr.io); containerd ("pull
access denied, repository does not exist or may require authorization").
"""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.rollout.diagnosis.diagnose import diagnose

from .test_diagnose import IMAGE, definition, evidence, not_started

ARN = "arn:aws:secretsmanager:us-east-2:123456789012:secret:hub-AbCdEf"
AGENTS = {
    "ghcr.io": "ghcr.io/org/agent:1",
    "docker.io": "docker.io/org/agent:1",
    "docker.io, short": "org/agent:1",
    "quay.io": "quay.io/org/agent@sha256:" + "0" * 64,
    "gcr.io": "gcr.io/org/agent:1",
    "public.ecr.aws": "public.ecr.aws/org/agent:1",
    "a company's": "registry.example.com:5000/org/agent:1",
    "Azure": "org.azurecr.io/org/agent:1",
}
PULL = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
DENIED = {
    "no token, 401": (
        f"{PULL}{{ref}}: failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
        "(401 Unauthorized)",
    ),
    "no token": (f"{PULL}{{ref}}: failed to authorize: failed to fetch anonymous token", "agent"),
    "401": (f"{PULL}{{ref}}: unexpected status code [manifests 1]: 401 Unauthorized", "(401 Unauthorized)"),
    "403": (
        f"{PULL}{{ref}}: unexpected status from HEAD request to https://{{host}}/v2/org/agent/manifests/1: "
        "403 Forbidden",
        "(403 Forbidden)",
    ),
    "layers": (
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: "
        "unexpected status code https://{host}/v2/org/agent/blobs/sha256:0a: 401 Unauthorized - Server message: "
        "unauthorized: unauthenticated",
        "(401 Unauthorized)",
    ),
    "docker's words": (
        'CannotPullContainerError: Error response from daemon: Head "https://{host}/v2/org/agent/manifests/1": denied: '
        "denied",
        "agent",
    ),
}


def beside(image: str, **members: Any) -> dict[str, Any]:
    """The app's definition with an agent of this image."""
    both = definition()
    both["containerDefinitions"].append({"name": "agent", "image": image, **members})
    return both


def full(image: str) -> tuple[str, str]:
    """A reference as containerd writes it, and its registry."""
    ref = image if "." in image.partition("/")[0] else f"docker.io/{image}"
    return ref, ref.partition("/")[0]


def told(text: str, image: str, **members: Any) -> str:
    """The text about this image."""
    ref, host = full(image)
    host = "registry-1.docker.io" if host == "docker.io" else host
    return text.format(ref=ref, host=host, **members)


@pytest.mark.parametrize("image", AGENTS.values(), ids=AGENTS.keys())
@pytest.mark.parametrize(("text", "answer"), DENIED.values(), ids=DENIED.keys())
def test_another_registry_is_opened_by_its_own_credentials(text: str, answer: str, image: str) -> None:
    [cause] = diagnose(evidence(not_started(told(text, image)), definition=beside(image)))
    assert cause.code == "registry-credentials"
    assert f"{full(image)[1]} does not let the task pull agent" in cause.message
    assert " of agent" in cause.message
    assert answer in cause.message
    assert "repositoryCredentials of agent" in cause.remedy
    assert not cause.heals


@pytest.mark.parametrize(("text", "answer"), DENIED.values(), ids=DENIED.keys())
def test_credentials_that_are_there_are_corrected(text: str, answer: str) -> None:
    both = beside("ghcr.io/org/agent:1", repositoryCredentials={"credentialsParameter": ARN})
    [cause] = diagnose(evidence(not_started(told(text, "ghcr.io/org/agent:1")), definition=both))
    assert f"put-secret-value --secret-id {ARN}" in cause.remedy


@pytest.mark.parametrize("image", [AGENTS["docker.io"], AGENTS["docker.io, short"], AGENTS["a company's"]])
def test_an_image_that_is_missing_or_private_is_not_said_to_be_in_ecr(image: str) -> None:
    text = told(
        f"{PULL}{{ref}}: pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
        image,
    )
    causes = diagnose(evidence(not_started(text), definition=beside(image)))
    assert [each.code for each in causes] == ["image-not-found", "registry-credentials"]
    assert f"{full(image)[1]} does not have agent:1 of agent, or its repository." == causes[0].message
    assert all("inv push-image" not in each.remedy for each in causes)
    assert all("The execution role" not in each.message for each in causes)


ASKED = f"{PULL}{{ref}}: failed to do request:"
UNREACHED = {
    "the registry": f'{ASKED} Head "https://{{host}}/v2/": dial tcp 1.2.3.4:443: i/o timeout',
    "its name": f'{ASKED} Head "https://{{host}}/v2/": dial tcp: lookup {{host}}: no such host',
    "no URL": f"{ASKED} dial tcp 1.2.3.4:443: i/o timeout",
    "no reference": "CannotPullContainerError: Error response from daemon: Get https://{host}/v2/: net/http: request "
    "canceled while waiting for connection",
    "the newer agent": "CannotPullContainerError: The task cannot pull {ref} from the registry {host}. There is a "
    "connection issue between the task and the registry. Check your task network configuration.",
    "another host of the download": "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: "
    'httpReadSeeker: failed open: failed to do request: Get "https://cdn.example.net/x": dial tcp 1.2.3.4:443: i/o '
    "timeout",
}


@pytest.mark.parametrize("image", AGENTS.values(), ids=AGENTS.keys())
@pytest.mark.parametrize("text", UNREACHED.values(), ids=UNREACHED.keys())
def test_the_registry_that_is_not_reached_is_named(text: str, image: str) -> None:
    [cause] = diagnose(evidence(not_started(told(text, image)), definition=beside(image)))
    assert cause.code == "no-route-to-registry"
    assert cause.message == f"The task cannot reach {full(image)[1]}."


OTHERS = {
    "rate limit": (
        "pull-rate-limit",
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: "
        "unexpected status code https://{host}/v2/org/agent/blobs/sha256:0a: 429 Too Many Requests - Server message: "
        "toomanyrequests: You have reached your pull rate limit",
    ),
    "missing": ("image-not-found", f"{PULL}{{ref}}: {{ref}}: not found"),
    "platform": (
        "image-platform",
        f"{PULL}{{ref}}: image Manifest does not contain descriptor matching platform 'linux/arm64'",
    ),
    "format": ("image-format", f"{PULL}{{ref}}: unsupported media type application/vnd.in-toto+json"),
    "layers": ("cannot-pull", f"{PULL}{{ref}}: mismatched image rootfs and manifest layers"),
    "their fault": ("platform-error", f"{PULL}{{ref}}: unexpected status: 503 Service Unavailable"),
}


@pytest.mark.parametrize(("code", "text"), OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("image", AGENTS.values(), ids=AGENTS.keys())
def test_no_push_of_the_app_mends_another_image(image: str, code: str, text: str) -> None:
    [cause] = diagnose(evidence(not_started(told(text, image)), definition=beside(image)))
    assert cause.code == code
    assert "inv push-image" not in cause.remedy
    assert "health.aws" not in cause.remedy
    assert "agent" in f"{cause.message}{cause.remedy}" or full(image)[1] in cause.remedy


@pytest.mark.parametrize(("text", "answer"), DENIED.values(), ids=DENIED.keys())
def test_ecr_is_opened_by_the_role_and_its_answer_is_repeated(text: str, answer: str) -> None:
    registry = IMAGE.partition("/")[0]
    said = text.format(ref=IMAGE, host=registry)
    [cause] = diagnose(evidence(not_started(said), definition=beside("ghcr.io/org/agent:1")))
    assert cause.code == "registry-denied"
    assert "The execution role ecsTaskExecutionRole is not allowed to pull the image" in cause.message
    assert ("401" in answer) == ("401 Unauthorized" in cause.message)
    assert ("403" in answer) == ("403 Forbidden" in cause.message)
    assert cause.remedy.startswith("inv create-iam-policies")


def test_the_bucket_of_ecr_s_layers_is_no_other_registry() -> None:
    text = (
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: "
        "unexpected status code https://prod-us-east-2-starport-layer-bucket.s3.us-east-2.amazonaws.com/x: "
        "403 Forbidden"
    )
    [cause] = diagnose(evidence(not_started(text), definition=beside("ghcr.io/org/agent:1")))
    assert cause.code == "registry-denied"


def test_an_image_that_no_container_has_is_shown_as_it_is_named() -> None:
    """The definition may not have been read."""
    text = told(f"{PULL}{{ref}}: unexpected status: 403 Forbidden", "ghcr.io/org/agent:1")
    [cause] = diagnose(evidence(not_started(text), definition={}))
    assert cause.message == "ghcr.io does not let the task pull agent:1 (403 Forbidden)."
