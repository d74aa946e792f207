"""What moving a service means for the project and for the purse: files, secrets, costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lobster_tasks import report
from lobster_tasks.apprunner.description import RoleFacts
from lobster_tasks.apprunner.migration import (
    Migration,
    draft_files,
    lift_secrets,
    migration_of,
    secret_name,
    write_files,
)
from lobster_tasks.aws import Aws
from lobster_tasks.errors import NotOursError, RefusedError, SettingsError
from lobster_tasks.settings import load
from tests.embedded_process import EmbeddedProcess

from .descriptions import ARN, code_source, described, image_source

HIDDEN = "sk-abcdefghijklmnopqrstuv"


def migration(service: dict[str, Any] | None = None, **facts: Any) -> Migration:
    """What moving such a service means."""
    return migration_of(described(service, **facts))


def with_secret() -> Migration:
    """A service with a secret in its environment."""
    return migration(
        {"SourceConfiguration": image_source(RuntimeEnvironmentVariables={"A": "1", "API KEY": HIDDEN})}
    )


# Secrets in every form: each holds this, in the open or in part.
OPEN = "kJ8x2q"
VARIABLES = {
    "DATABASE_URL": f"postgresql://app:{OPEN}/x+@1@db:5432/x",
    "DB_PASSWORD": f"/{OPEN}AbcdefG",
    "CACHE_PASSWORD": f"x://{OPEN}",
    "MSSQL": f"Server=db;User Id=sa;Password={OPEN}!;",
    "AZURE": f"AccountName=x;AccountKey={OPEN}==;EndpointSuffix=y",
    "SENTRY_DSN": f"https://{OPEN}@o1.ingest.sentry.io/1",
    "BASIC_AUTH": f"admin:{OPEN}",
    "GCP_SA_JSON": json.dumps({"type": "service_account", "private_key": OPEN}),
    "SLACK": f"https://hooks.slack.com/services/T00/B00/{OPEN}",
    "OPTS": f"--requirepass {OPEN}",
}
COMMANDS = (
    f"streamlit run app.py --db postgresql://app:{OPEN}/x@db/x",
    f"DB_PASS={OPEN} python app.py",
    f"app --password 'a {OPEN}'",
    f"mysql -p{OPEN}",
    f"sh -c 'app --pwd={OPEN}'",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", [image_source, code_source])
def test_no_secret_is_written_or_shown(tmp_path: Path, command: str, kind: Any) -> None:
    source = kind(StartCommand=command, RuntimeEnvironmentVariables={"PLAIN": "stays", **VARIABLES})
    if kind is code_source:
        source["CodeRepository"]["CodeConfiguration"]["CodeConfigurationValues"]["BuildCommand"] = command
        source["CodeRepository"]["RepositoryUrl"] = f"https://me:{OPEN}/@github.com/example/shop"
    found = migration({"SourceConfiguration": source})
    write_files(draft_files(found, tmp_path), tmp_path)
    texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any("stays" in text for text in texts)
    assert found.suspects == tuple(sorted(VARIABLES))
    shown = json.dumps(report.migration_json(found))
    assert not [text for text in (*texts, shown, repr(found.mapped.rows)) if OPEN in text]


# Files


def test_the_file_that_is_written_is_one_that_loads(tmp_path: Path) -> None:
    found = migration()
    written = draft_files(found, tmp_path)
    assert written.replaced == ()
    write_files(written, tmp_path)
    section = yaml.safe_load((tmp_path / "invoke.yaml").read_text())["lobster"]
    assert load(section) == load(found.mapped.settings)
    assert list(section)[:4] == ["name", "region", "cluster", "service"]
    assert draft_files(found, tmp_path).replaced == ()


def test_what_the_project_says_besides_stays(tmp_path: Path) -> None:
    before = "# ours\nrun: {echo: true}\nlobster:\n  probe: {path: /hello}\n  health_check: {path: /old}\n"
    (tmp_path / "invoke.yml").write_text(before)
    written = draft_files(migration(), tmp_path)
    assert written.replaced == ("invoke.yml: health_check.path",)
    write_files(written, tmp_path)
    text = (tmp_path / "invoke.yml").read_text()
    assert text.startswith("# ours\nrun: {echo: true}\nlobster:\n  name: shop\n")
    assert yaml.safe_load(text)["lobster"]["probe"] == {"path": "/hello"}
    assert yaml.safe_load(text)["lobster"]["health_check"]["path"] == "/_stcore/health"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_end_as_they_did(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "invoke.yaml"
    path.write_bytes(end.join([b"# ours", b"run: {echo: true}", b"lobster:", b"  name: old", b""]))
    write_files(draft_files(migration(), tmp_path), tmp_path)
    data = path.read_bytes()
    assert data.count(b"\n") > 20
    assert data.count(end) == data.count(b"\n")
    assert (b"\r" in data) == (end == b"\r\n")
    assert data.startswith(end.join([b"# ours", b"run: {echo: true}", b"lobster:", b"  name: shop", b""]))
    assert draft_files(migration(), tmp_path).replaced == ()


def test_settings_that_do_not_fit_together_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "invoke.yaml").write_text("lobster: {tasks_security_group: x, nonsense: 1}\n")
    with pytest.raises(SettingsError) as refused:
        draft_files(migration(), tmp_path)
    assert refused.value.problems == ("nonsense: there is no such setting",)


def test_settings_that_are_no_yaml_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "invoke.json").write_text("{}")
    with pytest.raises(RefusedError, match="The settings are in invoke"):
        draft_files(migration(), tmp_path)


def test_a_file_that_somebody_has_reviewed_is_named_before_it_is_replaced(tmp_path: Path) -> None:

    found = migration({"SourceConfiguration": code_source(Runtime="PYTHON_311")}, image=None)
    write_files(draft_files(found, tmp_path), tmp_path)
    assert draft_files(found, tmp_path).replaced == ()
    (tmp_path / "Dockerfile.apprunner").write_text("FROM scratch\n")
    assert draft_files(found, tmp_path).replaced == ("Dockerfile.apprunner",)


def test_policies_of_the_projects_own_have_to_read_the_file(tmp_path: Path) -> None:

    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    role = RoleFacts("arn:aws:iam::1:role/app", inline={"p": {"Version": "2012-10-17", "Statement": allow}})
    found = migration(instance_role=role)
    assert draft_files(found, tmp_path).notes == ()
    own = tmp_path / "task-definitions" / "fargate-iam-policies.json.j2"
    own.parent.mkdir()
    own.write_text("{}")
    (note,) = draft_files(found, tmp_path).notes
    assert '{% include "task-role-policy.json.j2" %}' in note


# Secrets


def test_secrets_are_moved_once(aws: Aws, embedded: EmbeddedProcess, tmp_path: Path) -> None:
    said: list[str] = []
    found = with_secret()
    assert found.suspects == ("API KEY",)
    lifted = lift_secrets(aws, found, said.append)
    client = embedded.client("secretsmanager")
    arn = lifted.mapped.settings["container"]["secrets"]["API KEY"]
    assert client.get_secret_value(SecretId=arn)["SecretString"] == HIDDEN
    tags = {tag["Key"]: tag["Value"] for tag in client.describe_secret(SecretId=arn)["Tags"]}
    assert tags == {"lobster:stack": "shop"}
    assert lifted.suspects == ()
    client.put_secret_value(SecretId=arn, SecretString="rotated")
    again = lift_secrets(aws, found, said.append)
    assert again.mapped.settings == lifted.mapped.settings
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "rotated"
    everything = [
        said,
        report.migration_json(lifted),
        dict(draft_files(lifted, tmp_path).texts),
        repr(lifted),
    ]
    assert HIDDEN not in json.dumps(everything, default=str)


def test_a_secret_of_somebody_elses_is_left_alone(aws: Aws, embedded: EmbeddedProcess) -> None:
    embedded.client("secretsmanager").create_secret(Name="shop/API-KEY", SecretString="theirs")
    with pytest.raises(NotOursError, match="The secret shop/API-KEY already exists"):
        lift_secrets(aws, with_secret(), lambda _: None)


def test_a_variable_that_has_become_a_secret_leaves_the_environment(tmp_path: Path) -> None:
    (tmp_path / "invoke.yaml").write_text('lobster: {container: {environment: {API KEY: old, B: "2"}}}\n')
    arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:shop/API-KEY-AbC123"
    found = migration_of(described(with_secret().description.service, lifted={"API KEY": arn}))
    text = draft_files(found, tmp_path).texts["invoke.yaml"]
    container = yaml.safe_load(text)["lobster"]["container"]
    assert container["environment"] == {"B": "2", "A": "1"}
    assert container["secrets"] == {"API KEY": arn}


@pytest.mark.parametrize(("variable", "name"), [("API_KEY", "shop/API_KEY"), ("a/b c", "shop/a-b-c")])
def test_names_that_secrets_manager_takes(variable: str, name: str) -> None:
    assert secret_name("shop", variable) == name


# Costs


def test_costs_now_and_then() -> None:
    found = migration(scaling={"MinSize": 2, "MaxSize": 5, "MaxConcurrency": 1}, active_hours=100.0)
    assert {line.what: round(line.monthly, 2) for line in found.now.lines} == {
        "App Runner 2 × 2 GB": 20.44,
        "App Runner 1 vCPU, 100 active hours": 6.4,
    }
    assert found.now.notes == ("Active hours: the last two weeks.",)
    assert found.then.total > found.now.total
    assert "up to 5 tasks" in found.then.notes[-1]
    assert report.migration_json(found)["cost"] == {"before": found.now.total, "after": found.then.total}


def test_what_is_assumed_is_said_and_a_paused_service_costs_nothing() -> None:
    assert "an assumption" in migration().now.notes[0]
    paused = migration({"Status": "PAUSED"})
    assert paused.now.total == 0
    assert paused.now.notes == ("A paused service costs no compute.",)


def test_json() -> None:
    found = report.migration_json(migration())
    assert found["service"] == ARN
    assert set(found) == {"service", "settings", "mapping", "cost"}
    assert {"setting", "class", "from", "to", "note", "decide", "commands"} == set(found["mapping"][0])
    json.dumps(found)
