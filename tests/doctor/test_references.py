"""AWS's names, taken apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
import pytest

from lobster_tasks.doctor.references import (
    is_secret,
    parameter_name,
    region_of,
    secret_arn,
    who,
)
from lobster_tasks.image_reference import EcrImage, ecr_image, registry_name

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


with (Path(botocore.__file__).parent / "data" / "partitions.json").open() as _file:
    _PARTITIONS = {each["id"]: each["outputs"] for each in json.load(_file)["partitions"]}


@pytest.mark.parametrize("fips", ["", "-fips"])
@pytest.mark.parametrize("outputs", _PARTITIONS.values(), ids=_PARTITIONS)
def test_a_registry_of_every_partition_is_one_of_ecr(outputs: dict[str, Any], fips: str) -> None:
    """Amazon ECR User Guide, "Making requests to Amazon ECR registries": over IPv6 it is
    ``<registry-id>.dkr-ecr.<aws-region>.on.aws``. The other suffixes are those of botocore's partitions, where
    ``api.`` stands for ``on.``."""
    dual = outputs["dualStackDnsSuffix"].replace("api.", "on.", 1)
    for host in (f"dkr.ecr{fips}.us-x-1.{outputs['dnsSuffix']}", f"dkr-ecr{fips}.us-x-1.{dual}"):
        found = ecr_image(f"123456789012.{host}/team/homara:v1")
        assert found == EcrImage("123456789012", "us-x-1", "team/homara", {"imageTag": "v1"}), host


@pytest.mark.parametrize("partition", _PARTITIONS)
def test_the_registry_of_an_account_has_the_name_of_its_partition(partition: str) -> None:
    suffix = _PARTITIONS[partition]["dnsSuffix"]
    assert registry_name("123456789012", "us-x-1", partition) == f"123456789012.dkr.ecr.us-x-1.{suffix}"


@pytest.mark.parametrize(
    "host", ["dkr.ecr.us-x-1.on.aws", "dkr-ecr.us-x-1.amazonaws.com", "dkr.ecr.us-x-1.evil.example"]
)
def test_a_host_that_is_like_a_registry_of_ecr_is_none(host: str) -> None:
    assert ecr_image(f"123456789012.{host}/team/homara:v1") is None


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
