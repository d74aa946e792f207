"""AWS's names, taken apart."""

from __future__ import annotations

import pytest

from lobster_tasks.doctor.references import (
    is_secret,
    parameter_name,
    region_of,
    secret_arn,
    who,
)
from lobster_tasks.image_reference import EcrImage, ecr_image

HOST = "123456789012.dkr.ecr.us-east-2.amazonaws.com"
SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3"


@pytest.mark.parametrize(
    ("reference", "image_id"),
    [
        (f"{HOST}/team/homara:v1", {"imageTag": "v1"}),
        (f"{HOST}/team/homara", {"imageTag": "latest"}),
        (f"{HOST}/team/homara@sha256:{'a' * 64}", {"imageDigest": f"sha256:{'a' * 64}"}),
        (f"{HOST}/team/homara:v1@sha256:{'a' * 64}", {"imageDigest": f"sha256:{'a' * 64}"}),
    ],
)
def test_images(reference: str, image_id: dict[str, str]) -> None:
    assert ecr_image(reference) == EcrImage("123456789012", "us-east-2", "team/homara", image_id)


def test_an_image_elsewhere() -> None:
    assert ecr_image("docker.io/library/python:3.13") is None


def test_secrets_and_parameters() -> None:
    assert secret_arn(f"{SECRET}:KEY::") == SECRET
    assert is_secret(SECRET)
    assert not is_secret("/app/key")
    assert parameter_name("/app/key") == "/app/key"
    assert parameter_name("key") == "key"
    assert parameter_name("arn:aws:ssm:us-east-2:123456789012:parameter/app/key") == "/app/key"
    assert parameter_name("arn:aws:ssm:us-east-2:123456789012:parameter/key") == "key"
    assert region_of(SECRET) == "us-east-2"
    assert region_of("/app/key") == ""


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("arn:aws:sts::123456789012:assumed-role/deploy/session", "role deploy"),
        ("arn:aws:iam::123456789012:user/jo", "user jo"),
        ("arn:aws:iam::123456789012:root", "the root user"),
    ],
)
def test_who_asks(arn: str, words: str) -> None:
    assert who(arn) == words
