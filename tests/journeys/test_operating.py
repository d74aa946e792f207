"""Operating a service: its history, back to an earlier release, more tasks and fewer, a look inside."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lobster_tasks import report
from lobster_tasks.errors import NotReadyError, RefusedError
from lobster_tasks.rollout import before_scaling, exec_command, history, rollback, scale
from tests.environment import environment

from .releasing import Account, said
from .traffic import Traffic, ask


def test_history_and_rollback(account: Account) -> None:
    first, second = account.deploy("one"), account.deploy("two")
    assert account.deploy("three", EXIT_CODE="127").verdict == "rolled_back"
    assert first.url is not None
    known = history(account.aws, account.settings)
    told = [(each.revision, each.status, each.live, each.current, each.tags) for each in known.releases]
    assert told == [
        ("4", "ROLLBACK_SUCCESSFUL", False, False, ("three",)),
        ("3", "SUCCESSFUL", True, True, ("two",)),
        ("2", "SUCCESSFUL", True, False, ("one",)),
        ("1", "SUCCESSFUL", False, False, ()),
    ]
    assert known.releases[1].image == second.image
    assert report.history_json(known)["releases"][1]["revision"] == 3
    with Traffic(first.url) as traffic:
        back = rollback(account.aws, account.settings)
    assert (back.verdict, back.exit_code, ask(first.url)) == ("live", 0, "one")
    assert (back.task_definition, back.image) == (first.task_definition, first.image)
    assert back.previous_task_definition == second.task_definition
    assert "revision 3 → revision 2" in said(back)
    assert traffic.answers.keys() == {"one", "two"}
    what_is_gone_is_found_before_anything_changes(account)
    only_revisions_may_be_read(account)


def what_is_gone_is_found_before_anything_changes(account: Account) -> None:
    """The image of the release before, which is ``two`` by now, and one that is elsewhere."""
    account.delete_image("two")
    foreign = account.register("public.ecr.aws/docker/library/nginx:1")
    account.forget_calls()
    for revision, says in ((None, "is not in the repository homara"), (5, "Revision 5 runs public.ecr.aws/")):
        with pytest.raises(NotReadyError) as gone:
            rollback(account.aws, account.settings, revision)
        assert (gone.value.code, says in gone.value.what) == ("image-not-found", True)
    assert not account.calls()
    account.client("ecs").deregister_task_definition(taskDefinition=foreign)


def only_revisions_may_be_read(account: Account) -> None:
    """They tell what was registered, and in which order."""
    denied = {"code": "AccessDeniedException"}
    account.order_fault(service="ecs", operation="ListServiceDeployments", error=denied)
    known = history(account.aws, account.settings)
    told = [(each.revision, each.live, each.current) for each in known.releases]
    assert told == [("4", None, False), ("3", None, False), ("2", None, True)]
    assert "only registered revisions are known" in known.note
    with pytest.raises(NotReadyError, match="no release to go back to"):
        rollback(account.aws, account.settings)


def test_back_to_a_release_of_more_than_90_days_ago(account: Account) -> None:
    """ECS has no record of it any more, but of the one that took its place: that tells what it took."""
    first = account.deploy("one")
    account.embedded.forget_deployments()
    account.deploy("two")
    known = history(account.aws, account.settings)
    told = [(each.revision, each.status, each.live, each.current, each.tags) for each in known.releases]
    assert told == [("3", "SUCCESSFUL", True, True, ("two",)), ("2", "", True, False, ("one",))]
    back = rollback(account.aws, account.settings)
    assert (back.verdict, back.task_definition) == ("live", first.task_definition)
    assert "not known" not in said(back)


def test_back_where_every_release_is_of_more_than_90_days_ago(account: Account) -> None:
    first, _ = account.deploy("one"), account.deploy("two")
    account.embedded.forget_deployments()
    known = history(account.aws, account.settings)
    assert [(each.revision, each.live, each.current) for each in known.releases] == [
        ("3", None, True),
        ("2", None, False),
    ]
    assert "90 days" in known.note
    back = rollback(account.aws, account.settings)
    assert (back.verdict, back.task_definition) == ("live", first.task_definition)
    assert "whether revision 2 was ever live is not known: ECS keeps deployments for 90 days" in said(back)
    assert "inv rollback --to N" in said(back)


def test_rolling_back_what_is_still_on_its_way(account: Account) -> None:
    first = account.deploy("one")
    account.update(taskDefinition=account.register(account.push("two", START_DELAY="60").by_digest))
    back = rollback(account.aws, account.settings)
    assert (back.verdict, back.task_definition) == ("live", first.task_definition)
    assert "of revision 3 is in progress: replacing it" in said(back)


def test_there_is_nothing_to_go_back_to(account: Account) -> None:
    account.deploy("one")
    account.forget_calls()
    with pytest.raises(NotReadyError) as nothing:
        rollback(account.aws, account.settings)
    assert nothing.value.code == "no-release-before"
    for number in (1, 9):
        with pytest.raises(NotReadyError, match=f"There is no release of revision {number}"):
            rollback(account.aws, account.settings, to=number)
    assert not account.calls()
    account.deploy("two")
    account.client("ecs").deregister_task_definition(taskDefinition=account.revisions()[1])
    with pytest.raises(NotReadyError, match="Revision 2 is INACTIVE"):
        rollback(account.aws, account.settings)


def test_a_release_that_cannot_run_any_more_is_passed_over(account: Account) -> None:
    first = account.deploy("one")
    for tag in ("two", "three", "four"):
        account.deploy(tag)
    account.client("ecs").deregister_task_definition(taskDefinition=account.revisions()[3])
    account.delete_image("two")
    with pytest.raises(NotReadyError, match="Revision 4 is INACTIVE") as named:
        rollback(account.aws, account.settings, to=4)
    assert named.value.next_step == "inv rollback --to 2"
    back = rollback(account.aws, account.settings)
    assert (back.verdict, back.task_definition) == ("live", first.task_definition)
    assert "revision 4 was live and cannot run any more: Revision 4 is INACTIVE" in said(back)
    assert "revision 3 was live and cannot run any more: " in said(back)
    account.delete_image("four")
    with pytest.raises(NotReadyError, match="None of the 3 previous releases") as none:
        rollback(account.aws, account.settings)
    assert len(none.value.problems) == 3


def test_what_ecs_repeats_of_a_command_is_hidden_when_tasks_are_added(account: Account) -> None:
    """What runs is not what the settings have; ECS repeats the command where there is no such program."""
    account.deploy("one")
    account.update(desiredCount=0)
    hidden = "markscaleQuux4711"
    account.update(
        taskDefinition=account.register(account.image, command=[f"serve app.py --api-key {hidden}"])
    )
    up = scale(account.aws, account.settings, 2)
    assert not up.reached
    told = "\n".join(moment.what for moment in up.timeline)
    assert "serve app.py --api-key ***" in told
    assert hidden not in told


def test_more_tasks_and_fewer(account: Account) -> None:
    with pytest.raises(NotReadyError) as early:
        scale(account.aws, account.settings, 1)
    assert early.value.code == "no-release-before"
    account.deploy("one")
    up = scale(account.aws, account.settings, 2)
    assert (up.exit_code, up.before, up.desired, up.running, up.healthy) == (0, 1, 2, 2, 2)
    assert "desired count 1 → 2" in [moment.what for moment in up.timeline]
    assert scale(account.aws, account.settings, 2).reached
    who_else_scales(account)
    tasks_that_do_not_come(account)
    down = scale(account.aws, account.settings, 0)
    assert (down.exit_code, down.running) == (0, 0)
    assert account.service()["runningCount"] == 0


def who_else_scales(account: Account) -> None:
    """Auto scaling, which would have its own way."""
    account.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/lobster-cluster/lobster-streamlit-service",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=2,
        MaxCapacity=4,
    )
    denied = {"code": "AccessDeniedException", "message": "not this one", "status": 400}
    account.embedded.order({"operation": "DescribeScalableTargets", "error": denied})
    (_, unknown) = before_scaling(account.aws, account.settings, 1).says
    assert unknown.startswith(
        "not checked whether auto scaling will change the count again: AccessDeniedException"
    )
    account.embedded.forgive()
    down = scale(account.aws, account.settings, 1)
    assert any("between 2 and 4 and will change it again" in moment.what for moment in down.timeline)


def tasks_that_do_not_come(account: Account) -> None:
    """Without a log group no task starts."""
    account.client("logs").delete_log_group(logGroupName="/ecs/lobster-streamlit")
    up = scale(account.aws, account.settings, 2)
    assert (up.exit_code, up.reached, up.healthy) == (1, False, 1)
    assert up.cause is not None
    assert up.cause.code == "log-group-missing"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with what a session inside a task goes through."""
    for name in ("aws", "session-manager-plugin"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def test_a_command_inside_a_task(account: Account, programs: Path) -> None:
    account.deploy("one")
    with environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}"):
        with pytest.raises(RefusedError) as closed:
            exec_command(account.aws, account.settings, "sh")
        assert "--enable-execute-command --force-new-deployment" in closed.value.next_step
        assert "ssmmessages:OpenDataChannel to ecsTaskRole" in closed.value.next_step
        account.update(enableExecuteCommand=True)
        with pytest.raises(RefusedError) as late:
            exec_command(account.aws, account.settings, "sh")
        assert "only new tasks have it" in late.value.why
        account.update(forceNewDeployment=True)
        account.await_completed()
        words = exec_command(account.aws, account.settings, "ls -l /app")
        with pytest.raises(RefusedError, match="has no running task nosuch"):
            exec_command(account.aws, account.settings, "sh", "nosuch")
    assert words[:3] == ["aws", "ecs", "execute-command"]
    assert words[-3:] == ["--interactive", "--command", "ls -l /app"]
    assert "lobster-streamlit" in words


def test_programs_that_are_missing(account: Account, programs: Path) -> None:
    with environment(PATH="/nowhere"), pytest.raises(RefusedError, match="aws is not installed"):
        exec_command(account.aws, account.settings, "sh")
    (programs / "session-manager-plugin").unlink()
    with environment(PATH=str(programs)), pytest.raises(RefusedError) as missing:
        exec_command(account.aws, account.settings, "sh")
    assert missing.value.what == "session-manager-plugin is not installed."
    assert "install-plugin" in missing.value.next_step
