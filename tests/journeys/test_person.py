"""People who are no administrators go the documents' ways, with the policies that these say, attached as printed.

Every block of a document is run here as it stands, or is named with the reason why not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from lobster_tasks import templates
from lobster_tasks.settings import load
from lobster_tasks.tasks import namespace
from tests.embedded.apprunner_stack import Sites
from tests.embedded.identities import ACCOUNT, ANYBODY_HERE, identity, trust
from tests.embedded.images import push, web_app
from tests.embedded.zones import Zone, simple
from tests.embedded_process import EmbeddedProcess, eventually, start
from tests.project import TASKS

from .documents import GUIDE, README, Block, blocks, in_section
from .people import Somebody
from .permitted import asked, deploy_policy, needless_beside

SPEED = 100.0
# Lines, or blocks by their first line, that nobody runs here, and why.
NOT_RUN = {
    "scripts/setup && .venv/bin/inv rehearse": "makes an environment; tests/rehearsal rehearses",
    ".venv/bin/pytest -n auto": "is this",
    "pip install 'lobster-tasks[embedded]'": "asks a registry of packages",
    "inv rehearse": "asks no account; tests/rehearsal",
    "Rehearsing lobster": "is what a command prints; tests/rehearsal",
    "inv embedded-aws": "makes an account, and asks none; tests/test_readme.py",
    "export AWS_": "as above",
    "aws ecs list-clusters": "as above",
    "aws ecr get-login-password": "asks an embedded AWS; tests/engines/test_push.py",
    "docker push": "as above",
    "      - uses: docker/setup-buildx-action": "needs GitHub's cache",
    "inv plan                              # after changing front.kind": "tests/journeys/test_switch.py",
    "inv setup-fargate                     # the new load balancer": "as above",
    "inv deploy --tag T                    # optional": "as above",
    "inv remove-old-load-balancer": "as above",
    "aws secretsmanager create-secret": "tests/journeys/test_sign_in.py",
    "lobster:\n  domains: [app.example.com]\n  sign_in:": "as above",
}
# The sections that each way goes through.
WAYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "move": (
        GUIDE,
        (
            "Put it into your project",
            "Get the permissions",
            "Look at the plan",
            "Create it",
            "Release",
            "Check that it works",
            "Move your domain",
            "Leave App Runner",
            "Remove it",
        ),
    ),
    "by hand": (
        GUIDE,
        (
            "Put it into your project",
            "Get the permissions",
            "Look at the plan",
            "Create it",
            "Release",
            "Check that it works",
            "Remove it",
        ),
    ),
    "README": (README, ("Use it in your project",)),
}
WORKFLOWS = ((README, "The GitHub Action"), (GUIDE, "Change something"))
PRINTS_A_POLICY = "inv print-setup-policy "
BY_ANOTHER = "aws ssm put-parameter "  # "somebody who may write secrets"
OF_APP_RUNNER = ("inv import-apprunner", "inv print-setup-policy --migration")
# Blocks of settings of which a stack has one or the other.
ONLY_THESE_ADDRESSES, BY_CLOUDFRONT = "lobster:\n  load_balancer:", "lobster:\n  front:"
# What the documents say is not allowed; the task goes on without it.
DONE_WITHOUT = {
    "iam:GetAccountAuthorizationDetails",  # only with --edits-policies
    "cloudfront:ListVpcOrigins",  # only with CloudFront; asked where a load balancer is internal
}


def is_run(text: str) -> bool:
    """Whether a line, or a block that begins with it, is not among those that nobody runs."""
    return not text.startswith(tuple(NOT_RUN))


def denied(who: Somebody) -> set[tuple[str, str]]:
    """What somebody was denied that the documents do not say is."""
    return {(action, resource) for action, resource in who.denied if action not in DONE_WITHOUT}


@dataclass
class Way:
    """A way through a document; by the beginning of a line ``ends`` is its exit code, ``more`` what is added to it."""

    who: Somebody
    name: str
    ends: Mapping[str, int] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    before: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def go(self) -> None:
        """Run every block of its sections, one after the other; nothing is denied on the way."""
        document, sections = WAYS[self.name]
        for section in sections:
            for block in blocks(document):
                if block.section == section and not block.text.startswith(self.without or "\0"):
                    self.run(block)
        assert denied(self.who) == set()

    def run(self, block: Block) -> None:
        """Its commands, its settings, or its file."""
        for line in block.commands():
            if is_run(line) and not line.startswith(self.without or "\0"):
                self.command(line.partition("  #")[0].rstrip())
        if block.language == "yaml" and block.text.startswith("lobster:"):
            self.who.settles(yaml.safe_load(block.text))
        if block.language == "json":
            self.who.administrator.write("task-definitions/task-role-policy.json.j2", block.text)

    def command(self, line: str) -> None:
        """One command, by whom the document says."""
        for first in self.before.get(line, ()):
            self.command(first)
        if line.startswith(PRINTS_A_POLICY):
            self.who.is_given(line)
        elif line.startswith(BY_ANOTHER):
            self.who.lets(line)
        elif line.startswith("inv exec"):
            eventually(lambda: self.who.attempts(f"{line} --command ls").code == 0)
        else:
            code = next((code for start, code in self.ends.items() if line.startswith(start)), 0)
            more = next((more for start, more in self.more.items() if line.startswith(start)), "")
            self.who.does(f"{line} {more}".rstrip(), code)


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[EmbeddedProcess]:
    """An account at whose pace a test need not wait."""
    with start(speed=SPEED, boot_allowance=2) as process:
        yield process


def app_runner(process: EmbeddedProcess) -> None:
    """A service ``myapp`` with a domain of its own; its image has a tag of a release."""
    sites, zone = Sites(process), Zone(process)
    for tag in ("v1", "4f2c1e9"):
        image = push(process.client("ecr"), web_app(), repository="myapp", tag=tag).reference
    hidden = {"GREETING": "hi", "API_KEY": "sk-" + "aB3" * 12}
    source = sites.source(image, RuntimeEnvironmentVariables=hidden)
    service = sites.create("myapp", SourceConfiguration=source)
    process.client("ecr").delete_repository(repositoryName="homara", force=True)  # the tests' own image
    sites.bind(service["ServiceArn"], "app.example.com", zone)
    zone.settle(simple("app.example.com", service["ServiceUrl"], ttl=1))


# The commands wait by the clock on the wall, and the repository is there already.
QUICK = {"inv cutover": "--hold 0"}
TAKEN_OVER = {"inv plan": "--adopt", "inv setup-fargate": "--adopt"}


@pytest.mark.timeout(1800)
def test_from_app_runner_by_the_guide(fast: EmbeddedProcess, tmp_path: Path) -> None:
    app_runner(fast)
    who = Somebody(fast, tmp_path)
    who.left_out = {"domains": ["app.example.com"]}  # the other one is not there
    without = ("lobster:\n  name:", ONLY_THESE_ADDRESSES, BY_CLOUDFRONT, BY_ANOTHER)
    again = {"inv compare-apprunner": ["inv cutover"]}  # the way back was tried before
    Way(who, "move", more={**QUICK, **TAKEN_OVER}, without=without, before=again).go()


def test_by_hand_by_the_guide(fast: EmbeddedProcess, tmp_path: Path) -> None:
    who = Somebody(fast, tmp_path)
    who.administrator.write("key.txt", "hidden")
    Way(who, "by hand", without=(*OF_APP_RUNNER, BY_CLOUDFRONT)).go()


@pytest.mark.timeout(1800)
def test_by_hand_with_cloudfront_by_the_guide(fast: EmbeddedProcess, tmp_path: Path) -> None:
    who = Somebody(fast, tmp_path)
    who.administrator.write("key.txt", "hidden")
    again = [f"{PRINTS_A_POLICY}--output policies", f"{PRINTS_A_POLICY}--deploy --output policies"]
    without = (*OF_APP_RUNNER, ONLY_THESE_ADDRESSES)
    Way(who, "by hand", without=without, before={"inv setup-fargate": again}).go()


def test_by_the_readme(fast: EmbeddedProcess, tmp_path: Path) -> None:
    who = Somebody(fast, tmp_path)
    both = [f"{PRINTS_A_POLICY}--output a", f"{PRINTS_A_POLICY}--deploy --output a"]
    Way(who, "README", before={"inv plan": both}, without=("inv import-apprunner",)).go()


@pytest.mark.exhaustive  # the guide's way goes through the same commands
@pytest.mark.timeout(1800)
def test_from_app_runner_by_the_readme(fast: EmbeddedProcess, tmp_path: Path) -> None:
    app_runner(fast)
    who = Somebody(fast, tmp_path)
    move = f"{PRINTS_A_POLICY}--migration --output a"
    before = {
        "inv import-apprunner --service myapp": [f"{move} --set apprunner.service=myapp"],
        "inv setup-fargate --adopt": [
            f"{PRINTS_A_POLICY}--output a",
            f"{PRINTS_A_POLICY}--deploy --output a",
            move,
        ],
    }
    Way(who, "README", more=QUICK, before=before, without=("inv rehearse",)).go()


def by_hand(process: EmbeddedProcess, folder: Path, name: str = "alice") -> Somebody:
    """Somebody with a project whose settings are those that the guide writes by hand."""
    who = Somebody(process, folder, name)
    who.administrator.write("key.txt", "hidden")
    for block in blocks(GUIDE):
        if block.text.startswith("lobster:\n  name:"):
            who.settles(yaml.safe_load(block.text))
        if block.text.startswith(BY_ANOTHER):
            who.lets(block.text.strip())
    return who


# What each kind of policy is for, as its commands; `inv print-setup-policy` says the same in its help.
PARTS = (
    "inv create-iam-policies",
    "inv create-security-groups",
    "inv setup-application-load-balancer",
    "inv create-ecs-cluster",
    "inv create-task-definition",
    "inv create-fargate-service",
)
INSIDE = "--set load_balancer.internal=true"
SETS_UP = (
    *("inv plan", *PARTS, "inv setup-fargate", "inv setup-aws", "inv plan"),
    *(f"inv setup-fargate {INSIDE}", f"inv remove-old-load-balancer {INSIDE}"),
    "inv teardown --data",
)
DEPLOYS = (
    "inv push-image --tag one",
    "inv deploy --tag one",
    "inv push-image --tag two --build-arg RELEASE=two",
    "inv deploy --tag two",
    "inv status",
    "inv logs",
    "inv history",
    "inv rollback",
    "inv scale --to 2",
    "inv validate-fargate-setup",
    "inv render-task-definition --tag two",
)
ENTERS = "inv exec"
MOVES = ("import-apprunner", "compare-apprunner", "cutover", "cleanup-apprunner")
NEEDS_NO_POLICY = {"rehearse", "embedded-aws", "settings", "print-setup-policy"}


def names(commands: Iterable[str]) -> set[str]:
    """The tasks that commands run."""
    return {each.split()[1] for each in commands}


def test_every_task_has_its_person() -> None:
    """A task that is new is in somebody's policy, and the help says in whose."""
    every = namespace()
    people = names(SETS_UP), names((*DEPLOYS, ENTERS)), set(MOVES)
    assert set(every.task_names) == NEEDS_NO_POLICY.union(*people)
    said = str(every["print-setup-policy"].__doc__)
    sets_up, deploys, moves = re.split(r"With --(?:deploy|migration)", said)
    assert all(task in sets_up for task in names(SETS_UP) - names(PARTS))
    assert all(task in deploys for task in names((*DEPLOYS, ENTERS)))
    assert all(task in moves for task in MOVES)


def test_who_sets_up_needs_no_other_policy(fast: EmbeddedProcess, tmp_path: Path) -> None:
    who = by_hand(fast, tmp_path)
    who.is_given(f"{PRINTS_A_POLICY}--output a")
    for line in SETS_UP:
        who.does(line)
    assert denied(who) == set()


def test_who_deploys_needs_no_other_policy(fast: EmbeddedProcess, tmp_path: Path) -> None:
    who = by_hand(fast, tmp_path)
    for block in blocks(GUIDE):
        if block.language == "json":
            who.administrator.write("task-definitions/task-role-policy.json.j2", block.text)
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    made = fast.client("wafv2").create_web_acl(
        Name="wall", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
    )
    who.settles({"lobster": {"load_balancer": {"web_acl": made["Summary"]["ARN"]}}})
    who.lets("inv setup-fargate")
    who.is_given(f"{PRINTS_A_POLICY}--deploy --output a")
    for line in DEPLOYS:
        who.does(line)
    # another load balancer, with the other name
    who.lets(f"inv setup-fargate {INSIDE}")
    who.lets(f"inv remove-old-load-balancer {INSIDE}")
    who.does(f"inv status {INSIDE}")
    enter = next(each for each in blocks(GUIDE) if ENTERS in each.text.splitlines())
    Way(who, "by hand").run(enter)
    assert denied(who) == set()
    assert for_nothing(who) == []


def for_nothing(who: Somebody) -> list[str]:
    """The parts of what a person has besides the deploy role that nothing was asked about.

    This person's user has no path, so the ARN of one with a path stays out.
    """
    given = load(yaml.safe_load((who.folder / "invoke.yaml").read_text())["lobster"])
    role = deploy_policy(given)
    both = templates.deploy_policy(given, ACCOUNT, "aws")
    besides = {**both, "Statement": [each for each in both["Statement"] if each not in role["Statement"]]}
    needless = needless_beside(role, besides, asked(who.process))
    return [each for each in needless if not each.endswith(":user/*/${aws:username}")]


def test_who_moves_reads_app_runner_with_no_other_policy(fast: EmbeddedProcess, tmp_path: Path) -> None:
    app_runner(fast)
    who = Somebody(fast, tmp_path)
    who.is_given(f"{PRINTS_A_POLICY}--migration --set apprunner.service=myapp --output a")
    reads = (each for block in blocks(GUIDE) for each in block.commands() if "import-apprunner" in each)
    for line in reads:
        assert "not known" not in who.does(line).said
    assert denied(who) == set()


def workflow_commands() -> Iterator[str]:
    """What the documents' workflows run of ours, with the values that their expressions may have."""
    for document, section in WORKFLOWS:
        for block in in_section(document, section, "yaml"):
            given = yaml.safe_load(block.text)
            if "lobster" in given:
                continue
            steps = (
                given["steps"]
                if "steps" in given
                else [s for j in given["jobs"].values() for s in j["steps"]]
            )
            for line in "\n".join(each.get("run", "") for each in steps).splitlines():
                if line.startswith("inv "):
                    yield re.sub(r"\$\{\{.*?\}\}", "1", line.replace("$GITHUB_SHA", "one"))


def test_the_workflows_run_as_the_deploy_role(fast: EmbeddedProcess, tmp_path: Path) -> None:
    who = by_hand(fast, tmp_path)
    who.lets("inv setup-aws")
    iam = fast.client("iam")
    iam.update_assume_role_policy(RoleName="github-deploys", PolicyDocument=trust(ANYBODY_HERE))
    arn = iam.get_role(RoleName="github-deploys")["Role"]["Arn"]
    session = fast.client("sts").assume_role(RoleArn=arn, RoleSessionName="job")
    who.project.environment |= identity(fast, session).environment
    pushed, *rest = workflow_commands()
    assert (names([pushed]), names(rest)) == ({"push-image"}, {"scale"})
    for line in (pushed, "inv deploy --tag one", *rest):  # the action deploys as inv deploy does
        who.does(line)
    assert denied(who) == set()


def test_every_block_is_run_or_named() -> None:
    """By the section that a way goes through, or by its first line with the reason why not."""
    gone = {(document, section) for document, sections in WAYS.values() for section in sections}
    for block in blocks(README) + blocks(GUIDE):
        where = f"{block.document}, {block.section}: {block.first_line}"
        if block.language == "yaml" and not block.text.startswith("lobster:"):
            assert (block.document, block.section) in WORKFLOWS or not is_run(block.text), where
        elif block.language == "python":
            assert block.text == TASKS, where
        else:
            lines = [*block.commands()] or [block.text]
            assert (block.document, block.section) in gone or not any(map(is_run, lines)), where


def test_no_reason_is_left_of_a_line_that_is_gone() -> None:
    every = [block.text for document in (README, GUIDE) for block in blocks(document)]
    assert [start for start in NOT_RUN if not any(f"\n{start}" in f"\n{text}" for text in every)] == []
