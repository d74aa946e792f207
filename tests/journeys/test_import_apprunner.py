"""`inv import-apprunner`: from a live App Runner service to a stack that the same image runs on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.embedded.apprunner_stack import Sites
from tests.embedded.zones import Zone
from tests.embedded_process import EmbeddedProcess
from tests.other_letters import other_letters
from tests.project import Project, make, plain

HIDDEN = "sk-abcdefghijklmnopqrstuv"
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


@pytest.fixture(scope="module")
def sites(embedded_process: EmbeddedProcess) -> Sites:
    """An account with a service under way to Fargate and one that stands still."""
    embedded_process.reset()
    sites = Sites(embedded_process)
    role = sites.role("shop-instance", "tasks.apprunner.amazonaws.com", ALLOW)
    variables = {"GREETING": "hi", "API_KEY": HIDDEN}
    sites.begin(
        "my_shop",
        SourceConfiguration=sites.source(RuntimeEnvironmentVariables=variables),
        InstanceConfiguration={"Cpu": "0.25 vCPU", "Memory": "0.5 GB", "InstanceRoleArn": role},
        Tags=[{"Key": "team", "Value": "web"}],
    )
    still = sites.create("still")
    sites.api.pause_service(ServiceArn=still["ServiceArn"])
    for service in sites.api.list_services()["ServiceSummaryList"]:
        sites.settled(service["ServiceArn"])
    return sites


@pytest.fixture(scope="module")
def project(sites: Sites, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project that takes it over."""
    return make(tmp_path_factory.mktemp("shop"), sites.process.url)


def test_the_regions_services_and_what_moving_each_would_mean(project: Project) -> None:
    ended = project.inv("import-apprunner", "--json").check()
    found = {each["name"]: each for each in ended.json["services"]}
    assert set(found) == {"my_shop", "still"}
    assert found["still"]["status"] == "PAUSED"
    assert found["still"]["cost"]["before"] == 0
    assert sum(found["my_shop"]["classes"].values()) > 25
    told = project.on_terminal("import-apprunner", columns=80).check().out
    assert "my_shop  RUNNING" in told
    assert "inv import-apprunner --service NAME" in told


def test_a_dry_run_writes_nothing(project: Project, sites: Sites) -> None:
    sites.process.forget_calls()
    before = sorted(project.folder.rglob("*"))
    told = project.on_terminal(
        "import-apprunner", "--service", "my_shop", "--dry-run", "--lift-secrets", columns=80
    ).check()
    assert sorted(project.folder.rglob("*")) == before
    assert not sites.process.calls(mutating=True)
    assert all(len(line) <= 80 for line in plain(told.out).splitlines())
    for what in ("no equivalent", "approximated", "translated", "To decide", "Fargate costs more by"):
        assert what in told.out
    assert HIDDEN not in told.said


def test_a_file_that_cannot_be_written_to_stays_and_no_secret_is_made(project: Project, sites: Sites) -> None:
    written = '"lobster":\n  region: us-east-2\n'
    project.write("invoke.yaml", written)
    sites.process.forget_calls()
    arguments = ("import-apprunner", "--service", "my_shop", "--json")
    refused = project.inv(*arguments, "--lift-secrets", "--yes").check(5)
    assert "The section lobster of invoke.yaml cannot be written" in refused.said
    assert "line 1; keep one of the two" in refused.said
    assert project.inv(*arguments, "--dry-run").check(5).json["settings"]["name"] == "my_shop"
    assert not sites.process.calls(mutating=True)
    assert (project.folder / "invoke.yaml").read_text() == written
    (project.folder / "invoke.yaml").unlink()


def test_a_service_that_is_not_there(project: Project) -> None:
    ended = project.inv("import-apprunner", "--service", "my_shoe").check(5)
    assert "--service my_shop" in ended.err


def test_the_whole_way_to_a_live_release(project: Project, sites: Sites) -> None:
    imported = project.inv("import-apprunner", "--service", "my_shop", "--lift-secrets")
    assert HIDDEN not in imported.check().said
    assert "inv plan --adopt" in imported.err
    section = yaml.safe_load((project.folder / "invoke.yaml").read_text())["lobster"]
    assert HIDDEN not in (project.folder / "invoke.yaml").read_text()
    assert section["container"]["environment"] == {"GREETING": "hi"}
    assert ":secret:my_shop/API_KEY-" in section["container"]["secrets"]["API_KEY"]
    policy = json.loads((project.folder / "task-definitions" / "task-role-policy.json.j2").read_text())
    assert policy["Statement"] == [ALLOW]
    planned = project.inv("plan", "--adopt", "--json").check()
    assert {each["action"] for each in planned.json["changes"]} == {"create", "adopt"}
    assert HIDDEN not in planned.said
    project.inv("setup-fargate", "--adopt").check()
    assert project.inv("deploy", "--tag", "v1", "--json").check().json["verdict"] == "live"
    assert project.inv("plan", "--json").check().json["changes"] == []


def test_again_nothing_is_lost_without_a_word(project: Project) -> None:
    again = project.inv("import-apprunner", "--service", "my_shop", "--lift-secrets").check()
    assert "This replaces" not in again.err
    project.write("task-definitions/task-role-policy.json.j2", "{}")
    refused = project.inv("import-apprunner", "--service", "my_shop", "--json").check(5)
    assert "task-definitions/task-role-policy.json.j2" in refused.said or refused.json["error"]
    assert (project.folder / "task-definitions" / "task-role-policy.json.j2").read_text() == "{}"
    project.inv("import-apprunner", "--service", "my_shop", "--yes").check()
    assert "s3:GetObject" in (project.folder / "task-definitions" / "task-role-policy.json.j2").read_text()


def test_the_whole_way_with_every_word_of_awss_in_other_letters(
    embedded_process: EmbeddedProcess, tmp_path: Path
) -> None:
    """App Runner sends ``active`` where its model says ``ACTIVE``; nothing depends on the letters of any word."""
    embedded_process.reset()
    sites = Sites(embedded_process)
    arn = sites.create("shop")["ServiceArn"]
    sites.bind(arn, "shop.example.com", Zone(embedded_process))
    with other_letters(embedded_process.url) as url:
        project = make(tmp_path, url)
        project.inv("import-apprunner", "--service", "shop").check()
        section = yaml.safe_load((project.folder / "invoke.yaml").read_text())["lobster"]
        assert section["domains"] == ["shop.example.com"]
        section["domains"] = []
        (project.folder / "invoke.yaml").write_text(yaml.safe_dump({"lobster": section}))
        project.inv("setup-fargate", "--adopt").check()
        assert project.inv("deploy", "--tag", "v1", "--json").check().json["verdict"] == "live"
        assert project.inv("plan", "--json").check().json["changes"] == []
        project.inv("validate-fargate-setup").check()
        project.inv("teardown", "--yes").check()
