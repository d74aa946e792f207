"""What surrounds a person's shell: the profile, AWS's variables, and an AWS at another address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Project, make

PROFILES = """\
[default]
region = eu-central-1

[profile work]
region = eu-west-1
aws_access_key_id = any
aws_secret_access_key = thing

[profile silent]
aws_access_key_id = any
aws_secret_access_key = thing
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Of a person with two profiles; no AWS is reached."""
    made = make(tmp_path, None)
    made.write("home/.aws/config", PROFILES)
    return made


def region(project: Project, **environment: str) -> str:
    """The region that counts."""
    return str(project.inv("settings", "--json", **environment).check().json["region"])


def test_the_profiles_region_counts(project: Project) -> None:
    assert region(project) == "eu-central-1"
    assert region(project, AWS_PROFILE="work") == "eu-west-1"
    assert region(project, AWS_PROFILE="silent") == "us-east-2"
    assert region(project, AWS_PROFILE="work", AWS_REGION="us-west-2") == "us-west-2"


def test_the_profiles_region_stands_in_the_credentials_file_too(project: Project) -> None:
    project.write("home/.aws/credentials", "[silent]\nregion = ca-central-1\n")
    assert region(project, AWS_PROFILE="silent") == "ca-central-1"


def test_a_region_of_the_settings_that_differs_is_refused_and_both_are_named(project: Project) -> None:
    project.settings("region: us-east-2")
    ended = project.inv("settings", AWS_PROFILE="work").check(2)
    assert "the settings say us-east-2, the AWS profile work says eu-west-1" in ended.err
    assert "--set region=" in ended.err
    for words in (("--set", "region=us-east-2"), ("--set", "region=eu-west-1")):
        project.inv("settings", *words, AWS_PROFILE="work").check()
    assert region(project, AWS_PROFILE="work", INVOKE_LOBSTER_REGION="eu-west-1") == "eu-west-1"


def test_aws_variables_that_differ_are_refused_and_both_are_named(project: Project) -> None:
    ended = project.inv("settings", AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-2").check(2)
    assert "AWS_REGION says us-east-1, AWS_DEFAULT_REGION says us-east-2" in ended.err


@pytest.mark.parametrize(
    ("config", "says"),
    [("[profile", "cannot be read"), ("[default]\n", "The config profile (work) could not")],
)
def test_files_of_aws_that_will_not_do_are_told(project: Project, config: str, says: str) -> None:
    project.write("home/.aws/config", config)
    ended = project.inv("settings", AWS_PROFILE="work").check(5)
    assert says in ended.err
    assert "Traceback" not in ended.said


def test_a_profile_is_all_that_it_takes(project: Project, embedded_process: EmbeddedProcess) -> None:
    """Region, credentials and address, as ``aws configure`` has written them."""
    embedded_process.reset()
    own = PROFILES.replace("region = eu-west-1", f"region = eu-west-1\nendpoint_url = {embedded_process.url}")
    project.write("home/.aws/config", own)
    ended = project.inv("plan", AWS_PROFILE="work").check()
    assert "eu-west-1" in ended.out.splitlines()[0]
    assert embedded_process.url in ended.out.splitlines()[0]


def test_an_address_of_the_profile_where_nobody_listens_is_told(project: Project) -> None:
    project.write("home/.aws/config", "[default]\nendpoint_url = http://127.0.0.1:9\n")
    ended = project.inv("plan").check(5)
    assert "Nothing listens at http://127.0.0.1:9." in ended.err
    assert "endpoint_url of the profile" in ended.err
