"""The action in somebody else's workflow, with the credentials of the job: twice, and once with a hostile tag."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.action.runner import ROOT, Ran, Repository, checkout, official
from tests.embedded_process import EmbeddedProcess
from tests.journeys.traffic import ask
from tests.project import make

WORKFLOW = ".github/workflows/ship.yml"
HOSTILE = """v1"; touch pwned; echo "$(touch pwned)`touch pwned`' %0A::error::x"""
TEXT = """\
on: push
jobs:
  ship:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - id: first
        uses: somebody/lobster-tasks@v1
        with:
          tag: one
          setup: true
          region: eu-central-1
          cluster: shop
          service: web
          container: app
          wait-minutes: 10
          working-directory: services/web
      - id: hostile
        uses: somebody/lobster-tasks@v1
        continue-on-error: true
        env:
          INVOKE_LOBSTER_CLUSTER: shop
          INVOKE_LOBSTER_SERVICE: web
          INVOKE_LOBSTER_CONTAINER_NAME: app
        with:
          tag: ${{ vars.HOSTILE }}
          region: eu-central-1
          working-directory: services/web
      - name: Tell
        env:
          FIRST: ${{ toJSON(steps.first.outputs) }}
          HOSTILE: ${{ toJSON(steps.hostile.outputs) }}
          OUTCOME: ${{ steps.hostile.outcome }}
        run: |
          printf '%s\\n' "first=$(echo $FIRST)" "hostile=$(echo $HOSTILE)" "outcome=$OUTCOME"
          find . -name 'pwned*'
"""


@dataclass
class Elsewhere:
    """The run, and the account after it."""

    ran: Ran
    embedded: EmbeddedProcess

    def told(self, what: str) -> Any:
        """What the last step printed."""
        [line] = [line for line in self.ran.printed("Tell") if line.startswith(f"{what}=")]
        return line.partition("=")[2]

    def outputs(self, step: str) -> dict[str, str]:
        """Of one use of the action."""
        found: dict[str, str] = json.loads(self.told(step))
        return found


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory, embedded_process: EmbeddedProcess) -> Elsewhere:
    """A project in a folder of a larger repository; its image is there, and nothing else."""
    actions = official(ROOT / "action.yml")
    embedded_process.reset()
    folder = tmp_path_factory.mktemp("elsewhere")
    repository = Repository(folder / "shop", folder / "home")
    person = make(folder / "shop" / "services" / "web", embedded_process.url)
    person.settings("deployment: {deregistration_delay: 0}\ncontainer: {environment: {EMPTY: ''}}")
    release = ("push-image", "--tag", "one", "--build-arg", "RELEASE=one")
    person.inv("create-task-definition", *release, AWS_REGION="eu-central-1").check()
    repository.environment = {
        name: value for name, value in person.environment.items() if name.startswith("AWS_")
    }
    repository.variables = {"HOSTILE": HOSTILE}
    checkout(folder / "action")
    repository.actions = {**actions, "somebody/lobster-tasks@v1": folder / "action"}
    repository.write(WORKFLOW, TEXT)
    repository.commit("Ship it")
    return Elsewhere(repository.push(WORKFLOW), embedded_process)


def test_twice_in_one_job(elsewhere: Elsewhere) -> None:
    """One test: two workers must not do it twice."""
    the_first_release_of_a_new_project_is_live(elsewhere)
    all_outputs_are_there(elsewhere)
    a_hostile_tag_is_refused_and_is_never_a_command(elsewhere)


def the_first_release_of_a_new_project_is_live(elsewhere: Elsewhere) -> None:
    """Set up, deployed by digest, and serving."""
    elsewhere.ran.check(green=True)
    outputs = elsewhere.outputs("first")
    assert ask(outputs["url"]) == "one"
    ecs = elsewhere.embedded.client("ecs", "eu-central-1")
    [service] = ecs.describe_services(cluster="shop", services=["web"])["services"]
    assert (service["runningCount"], service["taskDefinition"]) == (1, outputs["task-definition-arn"])
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    [container] = definition["containerDefinitions"]
    assert container["name"] == "app"
    assert container["image"].endswith(f"@{outputs['image-digest']}")
    assert {"name": "EMPTY", "value": ""} in container["environment"]


def all_outputs_are_there(elsewhere: Elsewhere) -> None:
    """Those of action.yml, and no others."""
    outputs = elsewhere.outputs("first")
    assert set(outputs) == {
        *("url", "task-definition-arn", "image-digest", "verdict", "cause"),
        *("previous-task-definition-arn", "seconds"),
    }
    assert (outputs["verdict"], outputs["cause"]) == ("live", "")
    before, now = outputs["previous-task-definition-arn"], outputs["task-definition-arn"]
    assert (before.rpartition(":")[2], now.rpartition(":")[2]) == ("2", "3")  # setup-fargate made revision 2
    assert float(outputs["seconds"]) > 0


def a_hostile_tag_is_refused_and_is_never_a_command(elsewhere: Elsewhere) -> None:
    """It is told, and nothing that it says is done."""
    assert elsewhere.told("outcome") == "failure"
    outputs = elsewhere.outputs("hostile")
    assert (outputs["verdict"], outputs["task-definition-arn"]) == ("refused", "")
    [annotation] = elsewhere.ran.annotations
    assert "The input tag is " in annotation
    assert not [line for line in elsewhere.ran.printed("Tell") if "pwned" in line and "=" not in line]
