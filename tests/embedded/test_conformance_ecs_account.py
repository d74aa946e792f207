"""Account settings (Amazon ECS API Reference), and the examples of them that the AWS CLI has recorded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.identities import allow, session
from tests.embedded.refusals import refused
from tests.embedded_process import EmbeddedProcess

ROOT = "arn:aws:iam::123456789012:root"
SOMEBODY = "arn:aws:iam::123456789012:user/MyUser"


def values(answer: dict[str, Any]) -> dict[str, str]:
    """The settings of a listing by their names."""
    return {each["name"]: each["value"] for each in answer["settings"]}


def test_what_holds_where_nobody_has_set_anything(client: Any) -> None:
    """The CLI's list-account-settings --effective-settings: the root is the principal. "On June 25, 2025, Amazon ECS
    changed the default log driver mode from blocking to non-blocking" (PutAccountSetting).
    """
    answer = client("ecs").list_account_settings(effectiveSettings=True)
    assert {each["principalArn"] for each in answer["settings"]} == {ROOT}
    found = values(answer)
    assert [found[f"{kind}LongArnFormat"] for kind in ("service", "task", "containerInstance")] == [
        "enabled"
    ] * 3
    assert (found["containerInsights"], found["defaultLogDriverMode"]) == ("disabled", "non-blocking")
    assert found["fargateTaskRetirementWaitPeriod"] == "7"
    assert client("ecs").list_account_settings()["settings"] == []


def test_a_setting_of_a_principal(client: Any) -> None:
    """The CLI's put-account-setting, list-account-settings --principal-arn and delete-account-setting."""
    ecs = client("ecs")
    setting = {"name": "containerInsights", "value": "enhanced", "principalArn": SOMEBODY, "type": "user"}
    put = {name: setting[name] for name in ("name", "value", "principalArn")}
    assert ecs.put_account_setting(**put)["setting"] == setting
    assert ecs.list_account_settings(principalArn=SOMEBODY)["settings"] == [setting]
    assert ecs.list_account_settings()["settings"] == []
    effective = ecs.list_account_settings(
        principalArn=SOMEBODY, effectiveSettings=True, name="containerInsights"
    )
    assert effective["settings"] == [setting]
    ecs.delete_account_setting(name="containerInsights", principalArn=SOMEBODY)
    assert ecs.list_account_settings(principalArn=SOMEBODY)["settings"] == []


def test_who_calls_is_the_principal(aws: EmbeddedProcess) -> None:
    """PutAccountSetting: "If you don't specify principalArn, the setting is for the authenticated user"."""
    caller = session(aws, "dev", allow("ecs:*")).client("ecs")
    made = caller.put_account_setting(name="containerInsights", value="enabled")["setting"]
    assert made["principalArn"] == "arn:aws:iam::123456789012:role/dev"
    assert values(caller.list_account_settings()) == {"containerInsights": "enabled"}
    assert aws.client("ecs").list_account_settings()["settings"] == []


def test_the_default_of_the_account(client: Any) -> None:
    """PutAccountSettingDefault: "for all users on an account for whom no individual account setting has been
    specified"; containerInsights then holds for new clusters, not for those that exist.
    """
    ecs = client("ecs")
    ecs.create_cluster(clusterName="before")
    made = ecs.put_account_setting_default(name="containerInsights", value="enabled")["setting"]
    assert (made["principalArn"], made["value"]) == (ROOT, "enabled")
    found = ecs.list_account_settings(principalArn=SOMEBODY, effectiveSettings=True, name="containerInsights")
    assert values(found) == {"containerInsights": "enabled"}
    ecs.create_cluster(clusterName="after")
    told = ecs.describe_clusters(clusters=["before", "after"], include=["SETTINGS"])["clusters"]
    assert [each["settings"][0]["value"] for each in told] == ["disabled", "enabled"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("containerInsights", "on"), ("guardDutyActivate", "on"), ("fargateTaskRetirementWaitPeriod", "3")],
)
def test_a_value_that_a_setting_does_not_have(client: Any, name: str, value: str) -> None:
    """InvalidParameterException; guardDutyActivate "is read-only in Amazon ECS"."""
    with refused("InvalidParameterException"):
        client("ecs").put_account_setting(name=name, value=value)
