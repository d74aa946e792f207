"""What the settings files say reaches the settings as it is written, and what the environment says in every task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lobster_tasks.settings import keys, load
from tests.project import Ended, Project, make

ROOT = Path(__file__).parents[2]
POLICY = "arn:aws:iam::aws:policy/"
KEY = "arn:aws:kms:us-east-2:123456789012:key/a"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/a"
SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3"
# For each setting a value as text that no default is, and what it is then.
GIVEN: dict[str, tuple[str, Any]] = {
    "name": ("1.10", "1.10"),
    "region": ("eu-west-1", "eu-west-1"),
    "cluster": ("0123", "0123"),
    "service": ("0x1F", "0x1F"),
    "repository": ("24.10", "24.10"),
    "dockerfile": ("1e3", "1e3"),
    "task.family": ("1_000", "1_000"),
    "task.cpu": ("1024", 1024),
    "task.memory": ("3072", 3072),
    "task.architecture": ("ARM64", "ARM64"),
    "task.execution_role": ("on", "on"),
    "task.task_role": ("+4912345", "+4912345"),
    "task.policies": (f"{POLICY}A,{POLICY}B", [f"{POLICY}A", f"{POLICY}B"]),
    "task.permissions_boundary": (f"{POLICY}A", f"{POLICY}A"),
    "container.name": ("yes", "yes"),
    "container.port": ("9000", 9000),
    "container.command": ('["sleep", 1.50, "on"]', ["sleep", "1.50", "on"]),
    "container.secret_keys": (KEY, [KEY]),
    "logs.group": ("6.0", "6.0"),
    "logs.retention_days": ("14", 14),
    "images.keep": ("7", 7),
    "images.builder": ("process", "process"),
    "images.target": ("01", "01"),
    "images.secrets": ("id=a,source=b id=c,env=1", ["id=a,src=b", "id=c,env=1"]),
    "images.cache_from": ("type=gha example.com/app/cache", ["type=gha", "example.com/app/cache"]),
    "images.cache_to": ("type=gha,mode=max", ["type=gha,mode=max"]),
    "network.vpc": ("vpc-0a", "vpc-0a"),
    "network.subnets": ('["subnet-0a", "subnet-0b"]', ["subnet-0a", "subnet-0b"]),
    "network.public": ("off", False),
    "network.task_subnets": ("subnet-0c", ["subnet-0c"]),
    "network.security_groups": ("sg-0a, sg-0b", ["sg-0a", "sg-0b"]),
    "load_balancer.name": ("1", "1"),
    "load_balancer.target_group": ("02", "02"),
    "load_balancer.security_group": ("22:30", "22:30"),
    "load_balancer.internal": ("yes", True),
    "load_balancer.dual_stack": ("True", True),
    "load_balancer.idle_timeout": ("0060", 60),
    "load_balancer.certificate": (CERTIFICATE, CERTIFICATE),
    "load_balancer.stickiness": ("0", False),
    "domains": ("a.example.com,b.example.com", ["a.example.com", "b.example.com"]),
    "tasks_security_group": ("2024-01-01", "2024-01-01"),
    "health_check.path": ("/1.0", "/1.0"),
    "health_check.interval": ("20", 20),
    "health_check.timeout": ("10", 10),
    "health_check.healthy_threshold": ("3", 3),
    "health_check.unhealthy_threshold": ("4", 4),
    "health_check.grace_period": ("1_0", 10),
    "deployment.desired_count": ("2", 2),
    "deployment.minimum_healthy_percent": ("50", 50),
    "deployment.maximum_percent": ("150", 150),
    "deployment.deregistration_delay": ("15.0", 15),
    "deployment.wait_minutes": ("15.0", 15.0),
    "deployment.rollback": ("false", False),
    "scaling.min": ("2", 2),
    "scaling.max": ("4", 4),
    "scaling.average_cpu": ("50", 50),
    "scaling.average_memory": ("40", 40),
    "scaling.requests_per_target": ("30", 30),
    "github.repository": ("0/1.10", "0/1.10"),
    "github.branch": ("1.10", "1.10"),
    "github.environment": ("2.10", "2.10"),
    "github.role": ("7", "7"),
    "github.owner_id": ("12", 12),
    "github.repository_id": ("13", 13),
    "probe.path": ("/2.50", "/2.50"),
    "probe.websocket": ("off", None),
    "apprunner.service": ("0123", "0123"),
    "apprunner.paths": ("/1.0,/2.0", ["/1.0", "/2.0"]),
    "apprunner.slow_path": ("/slow", "/slow"),
    "apprunner.soak_hours": ("1.50", 1.5),
    "apprunner.quiet_minutes": ("2", 2.0),
    "profile": ("seed", "seed"),
    "tags.Version": ("1.10", "1.10"),
    "container.environment.PIN": ("0123", "0123"),
    "container.secrets.KEY": (SECRET, SECRET),
}
TASKS = '''
from lobster_tasks import namespace
from lobster_tasks.cli.command import Run, command


@command()
def dump(run: Run):
    """All settings."""
    run.console.write(run.settings.model_dump_json() + "\\n")


ns = namespace()
ns.add_task(dump)
'''
MAPS = {"tags", "container.environment", "container.secrets"}


def _defaults() -> Iterator[tuple[str, tuple[str, Any]]]:
    """Of each setting that is not above and has one, as text."""
    tree = load({}).model_dump(mode="json")
    for key in set(keys()) - GIVEN.keys() - MAPS:
        if (value := at(tree, key)) is not None:
            yield key, (value if isinstance(value, str) else json.dumps(value), value)


def at(tree: dict[str, Any], key: str) -> Any:
    """The setting behind a dotted key."""
    found: Any = tree
    for name in key.split("."):
        found = found[name]
    return found


GIVEN |= dict(_defaults())
# Of each type that a file can have there, to which Invoke would cast.
FORMS: dict[str, Any] = {
    "whole numbers": 7,
    "fractions": 1.5,
    "truth values": True,
    "lists": ["a"],
    "nothing": None,
    "text": "text",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a task that tells all settings; no AWS is reached."""
    return make(tmp_path, None, {"tasks.py": TASKS})


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """``{"task": {"cpu": 512}}`` for ``{"task.cpu": 512}``."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *sections, last = key.split(".")
        inner = tree
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = value
    return tree


def check(ended: Ended) -> None:
    """Every task of the chain has had the settings that are given."""
    answers = ended.check().out.splitlines()
    assert len(answers) == 3
    for answer in answers:
        settings = json.loads(answer)
        assert {key: at(settings, key) for key in GIVEN} == {key: value for key, (_, value) in GIVEN.items()}


CHAIN = ("--no-dedupe", "dump", "dump", "dump")


@pytest.mark.parametrize("form", [*FORMS, "as shipped", "none"])
def test_what_the_environment_holds_reaches_every_task_whatever_the_file_has(
    project: Project, form: str
) -> None:
    """Invoke itself would cast it, from the second task on in any case."""
    if form in FORMS:
        tree = {"lobster": nested(dict.fromkeys(GIVEN, FORMS[form]))}
        project.write("invoke.yaml", yaml.safe_dump(tree))
    elif form == "as shipped":
        project.write("invoke.yaml", (ROOT / "invoke.yaml").read_text())
    check(project.inv(*CHAIN, **{variable(key): text for key, (text, _) in GIVEN.items()}))


def variable(key: str) -> str:
    """The variable of a setting; what stands in a map keeps its name."""
    section, _, name = key.rpartition(".")
    last = name if section in MAPS else name.upper()
    return "_".join(["INVOKE_LOBSTER", *(section.upper().split(".") if section else ()), last])


@pytest.mark.parametrize("name", ["invoke.yaml", "invoke.yml", "home/.invoke.yaml", "elsewhere.yaml"])
def test_what_yaml_holds_is_taken_as_it_is_written(project: Project, name: str) -> None:
    lines = yaml.safe_dump({"lobster": nested({key: f"<{key}>" for key in GIVEN})})
    for key, (text, _) in GIVEN.items():
        quoted = f"'{text}'" if text.startswith("[") and key == "container.command" else text
        assert f"<{key}>" in lines
        lines = lines.replace(f"<{key}>", quoted)
    path = project.write(name, lines)
    check(project.inv(*(("-f", str(path)) if name == "elsewhere.yaml" else ()), *CHAIN))


def test_what_json_holds_is_taken_as_it_is_written(project: Project) -> None:
    numbers = (
        '{"lobster": {"tags": {"Version": 1.10}, "container": {"environment": {"A": 24.10, "B": true}}}}'
    )
    project.write("invoke.json", numbers)
    settings = json.loads(project.inv("dump").check().out)
    assert settings["tags"] == {"Version": "1.10"}
    assert settings["container"]["environment"] == {"A": "24.10", "B": "true"}


def test_what_python_holds_is_taken(project: Project) -> None:
    """invoke.py is the last of the files that Invoke looks for ("Configuration files")."""
    tree = nested({key: value for key, (_, value) in GIVEN.items() if value is not None})
    project.write("invoke.py", f"lobster = {tree!r}\n")
    settings = json.loads(project.inv("dump").check().out)
    assert {key: at(settings, key) for key in GIVEN if key != "probe.websocket"} == {
        key: value for key, (_, value) in GIVEN.items() if key != "probe.websocket"
    }


FLOW = {
    "domains": ("[a.example.com, b.example.com]", ["a.example.com", "b.example.com"]),
    "load_balancer.allowed_cidrs": (
        "[203.0.113.0/24, '2001:db8::/32']",
        ["203.0.113.0/24", "2001:db8::/32"],
    ),
    "container.command": ("['sleep', 1.50, on]", ["sleep", "1.50", "on"]),
    "images.cache_from": ('[type=gha, "type=local,src=a"]', ["type=gha", "type=local,src=a"]),
    "images.secrets": ('["id=a,src=b"]', ["id=a,src=b"]),
    "container.environment": ("{PIN: 0123, FLAG: on}", {"PIN": "0123", "FLAG": "on"}),
    "tags": ('{"Version": 1.10}', {"Version": "1.10"}),
}
"""Lists and maps as invoke.yaml has them in one line."""


@pytest.mark.parametrize("place", ["the file", "the environment", "flags"])
def test_a_list_and_a_map_in_one_line_mean_the_same_everywhere(project: Project, place: str) -> None:
    words, environment = ["dump"], {}
    for key, (text, _) in FLOW.items():
        words += ["--set", f"{key}={text}"] if place == "flags" else []
        environment |= {variable(key).upper(): text} if place == "the environment" else {}
    if place == "the file":
        lines = yaml.safe_dump({"lobster": nested({key: f"<{key}>" for key in FLOW})})
        for key, (text, _) in FLOW.items():
            lines = lines.replace(f"<{key}>", text)
        project.write("invoke.yaml", lines)
    settings = json.loads(project.inv(*words, **environment).check().out)
    assert {key: at(settings, key) for key in FLOW} == {key: value for key, (_, value) in FLOW.items()}


def test_flags_say_the_same(project: Project) -> None:
    flags = [word for key, (text, _) in GIVEN.items() for word in ("--set", f"{key}={text}")]
    check(project.inv("--no-dedupe", *(word for _ in range(3) for word in ("dump", *flags))))


def test_names_of_variables_are_text_too(project: Project) -> None:
    project.write("invoke.yaml", "lobster: {container: {environment: {on: off, 24.10: 0123}}}\n")
    settings = json.loads(project.inv("dump").check().out)
    assert settings["container"]["environment"] == {"on": "off", "24.10": "0123"}


def test_files_and_collections_count_in_the_order_of_invoke(project: Project) -> None:
    """ "Configuration files": the collection's, the person's, the project's, the one of -f."""
    told = (
        "ns.configure({'lobster': {'cluster': 'a', 'service': 'a', 'repository': 'aa', 'dockerfile': 'a'}})\n"
    )
    project.write("tasks.py", TASKS + told)
    project.write("home/.invoke.yaml", "lobster: {service: b, repository: bb, dockerfile: b}\n")
    project.write("invoke.yaml", "lobster: {repository: cc, dockerfile: c}\n")
    path = project.write("more.json", '{"lobster": {"dockerfile": "d"}}')
    found = json.loads(project.inv("-f", str(path), "dump").check().out)
    assert [found[key] for key in ("cluster", "service", "repository", "dockerfile")] == ["a", "b", "cc", "d"]
    found = json.loads(project.inv("dump", INVOKE_RUNTIME_CONFIG=str(path)).check().out)
    assert found["dockerfile"] == "d"


@pytest.mark.parametrize("empty", ["lobster:\n", "lobster: {}\n", "run: {echo: false}\n", ""])
def test_there_may_be_no_settings(project: Project, empty: str) -> None:
    project.write("invoke.yaml", empty)
    assert len(project.inv(*CHAIN).check().out.splitlines()) == 3


WRONG: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "a section given twice": (
        "invoke.yaml",
        b"lobster:\n  name: shop\n  container:\n    port: 8501\nlobster:\n  container:\n    port: 8080\n",
        ("invoke.yaml cannot be read.", "line 5: lobster is already in line 1; keep one of the two"),
    ),
    "a setting given twice": (
        "invoke.yml",
        b"lobster:\n  container:\n    port: 8080\n    port: 9000\n",
        ("invoke.yml cannot be read.", "line 4: lobster.container.port is already in line 3"),
    ),
    "a setting given twice in JSON": (
        "invoke.json",
        b'{"lobster": {\n\t"name": "a",\n\t"name": "b"}}\n',
        ("invoke.json cannot be read.", "line 3: lobster.name is already in line 2"),
    ),
    "a setting given twice by a person": (
        "home/.invoke.yaml",
        b"lobster: {name: a,\n  name: b}\n",
        ("home/.invoke.yaml cannot be read.", "line 2: lobster.name is already in line 1"),
    ),
    "UTF-16": (
        "invoke.yaml",
        "lobster: {}\r\n".encode("utf-16"),
        ("invoke.yaml cannot be read.", "it is in UTF-16; save it as UTF-8"),
    ),
    "Latin-1": (
        "invoke.yaml",
        "lobster: {}\n# caf\u00e9\n".encode("latin-1"),
        ("invoke.yaml cannot be read.", "line 2: the byte 0xe9 is not UTF-8"),
    ),
    "a byte order mark in JSON": (
        "invoke.json",
        b"\xef\xbb\xbf{}",
        ("invoke.json cannot be read.", "byte order mark"),
    ),
    "no JSON": (
        "invoke.json",
        b"{",
        (
            "invoke.json cannot be read.",
            "line 1, column 2: found the end of the file; expected a key in double quotes",
        ),
    ),
    "no Python": ("invoke.py", b"lobster = {", ("invoke.py cannot be read.",)),
    "what YAML takes for a date that there is not": (
        "invoke.yaml",
        b"lobster:\n  tags: {Since: 2024-02-30}\n",
        ("invoke.yaml cannot be read.", "line 2, column 17", "put it in quotes"),
    ),
    "a key of another section that is no text for YAML": (
        "invoke.yaml",
        b"lobster: {tags: {1: x}}\nother: {1: x}\n",
        ("invoke.yaml cannot be read.", "line 2: other.1 is a number", "put the key in quotes"),
    ),
    "a key of another section that YAML cannot convert": (
        "invoke.yaml",
        b"other: {2024-02-30: x}\n",
        ("invoke.yaml cannot be read.", "line 1, column 9: 2024-02-30", "put it in quotes"),
    ),
    "a value for a section of Invoke's": (
        "invoke.yaml",
        b"run: 3\n",
        ("invoke.yaml and Invoke's own settings contradict each other.",),
    ),
    "two keys for one variable of Invoke's": (
        "invoke.yaml",
        b"a: {b_c: 1}\na_b: {c: 1}\n",
        ("Invoke cannot take its settings", "A_B_C", "rename a key"),
    ),
    "a folder": ("invoke.yaml/x", b"", ("invoke.yaml cannot be read.", "Is a directory")),
}


@pytest.mark.parametrize(("name", "data", "says"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_cannot_be_read_is_told(
    project: Project, name: str, data: bytes, says: tuple[str, ...]
) -> None:
    (project.folder / name).parent.mkdir(exist_ok=True)
    (project.folder / name).write_bytes(data)
    for words in (("dump",), ("--list",)):
        ended = project.inv(*words).check(2)
        assert all(text in ended.err for text in says), ended.err
        assert "Traceback" not in ended.said


@pytest.mark.parametrize("value", ["3", "[1]"])
def test_a_variable_that_invoke_cannot_cast_is_told(project: Project, value: str) -> None:
    """ "Environment variables": Invoke casts it to the type of the value in the file."""
    project.write("invoke.yaml", f"other: {{x: {value}}}\n")
    ended = project.inv("dump", INVOKE_OTHER_X="many").check(2)
    assert "Invoke cannot take its settings" in ended.err
    assert "Traceback" not in ended.said


def test_a_byte_order_mark_in_yaml_is_no_text(project: Project) -> None:
    (project.folder / "invoke.yaml").write_bytes(b"\xef\xbb\xbflobster:\r\n  cluster: shop\r\n")
    assert json.loads(project.inv("dump").check().out)["cluster"] == "shop"


def test_files_that_do_not_go_together_are_told(project: Project) -> None:
    project.write("home/.invoke.yaml", "lobster: {task: null}\n")
    project.write("invoke.yaml", "lobster: {task: {cpu: 512}}\n")
    ended = project.inv("dump").check(2)
    assert "contradict each other" in ended.err
    assert "Traceback" not in ended.said


def test_a_task_of_the_projects_own_may_set_them(project: Project) -> None:
    own = '''
from invoke import task

@task
def mine(c):
    """Choose another cluster."""
    c.config["lobster"] = {"cluster": "mine"}

ns.add_task(mine)
'''
    project.write("tasks.py", TASKS + own)
    assert json.loads(project.inv("mine", "dump").check().out)["cluster"] == "mine"


def test_commands_that_a_task_of_the_projects_own_runs_have_the_variables(project: Project) -> None:
    """They are kept from Invoke by keeping Invoke from the section, not by taking them away."""
    own = '''
from invoke import task

@task
def mine(c):
    """Tell."""
    c.run("echo $INVOKE_LOBSTER_DEPLOYMENT_WAIT_MINUTES")

ns.add_task(mine)
'''
    project.write("tasks.py", TASKS + own)
    project.write("invoke.yaml", "lobster: {deployment: {wait_minutes: 15}}\n")
    ended = project.inv("mine", "dump", INVOKE_LOBSTER_DEPLOYMENT_WAIT_MINUTES="15.0").check()
    assert ended.out.splitlines()[0] == "15.0"
