"""The architecture of the program.

import-linter checks the direction of imports (the contracts are in pyproject.toml); the rest is checked here.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from lobster_tasks.settings import keys
from tests.drawing import PICTURE, svg

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lobster_tasks"
EMBEDDED = ROOT / "embedded_aws"
LIBRARY = sorted(PACKAGE.rglob("*.py"))
FILES = [*LIBRARY, *sorted(EMBEDDED.rglob("*.py"))]
LONGEST_FUNCTION = 50
# A program for the inside of a container: its Python has none of this project's packages.
SHIM = EMBEDDED / "runtime" / "shim"


def name_of(file: Path) -> str:
    """The file's path from the root."""
    return str(file.relative_to(ROOT))


@cache
def tree_of(file: Path) -> ast.Module:
    """Its syntax tree."""
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imported(file: Path) -> frozenset[str]:
    """The modules that a file imports anywhere, relative ones with their full names."""
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    found: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def importers(*roots: str) -> set[str]:
    """The files of the packages that import one of these modules, or something in them."""
    return {
        name_of(file)
        for file in FILES
        if any(module == root or module.startswith(f"{root}.") for module in imported(file) for root in roots)
    }


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_is_in_the_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [name for layer in contracts[0]["layers"] for name in layer.split(" | ")]
    rooms = {
        each.stem for each in PACKAGE.iterdir() if each.suffix == ".py" or (each / "__init__.py").is_file()
    }
    here = {f"lobster_tasks.{room}" for room in rooms - {"__init__"}}
    assert set(layers) == here


def test_one_module_calls_aws() -> None:
    """Another one only looks into the models of AWS's API."""
    calls, looks = (
        {each for each in importers(name) if not each.startswith("embedded_aws/")}
        for name in ("boto3", "botocore")
    )
    assert calls == {"lobster_tasks/aws.py"}
    assert looks == {"lobster_tasks/aws.py", "lobster_tasks/api_models.py"}


def test_one_adapter_to_moto() -> None:
    assert importers("moto") == {"embedded_aws/moto/adapter.py", "embedded_aws/moto/patches.py"}


def test_the_embedded_aws_and_the_rest_do_not_know_each_other() -> None:
    """Otherwise a mistake in one could hide one in the other. Only the library's own tasks start it, as a process."""
    assert not [each for each in importers("embedded_aws") if not each.startswith("embedded_aws/")]
    assert not [each for each in importers("lobster_tasks", "invoke") if each.startswith("embedded_aws/")]
    starters = {name_of(file) for file in LIBRARY if '"embedded_aws"' in file.read_text(encoding="utf-8")}
    assert starters == {"lobster_tasks/embedded_process.py"}


@pytest.mark.parametrize(
    ("operation", "owner"),
    [
        ("ecs:DescribeServices", "services"),
        ("elbv2:DescribeTargetGroups", "target_groups"),
        ("elbv2:DescribeTargetHealth", "target_groups"),
        ("iam:DeleteRole", "roles"),
    ],
)
def test_what_several_ask_of_the_account_is_asked_in_one_place(operation: str, owner: str) -> None:
    asking = [
        name_of(file) for file in LIBRARY for each in ast.walk(tree_of(file)) if _is_call(each, operation)
    ]
    assert asking == [f"lobster_tasks/account/{owner}.py"]


def _is_call(node: ast.AST, operation: str) -> bool:
    return isinstance(node, ast.Call) and any(
        isinstance(each, ast.Constant) and each.value == operation for each in node.args
    )


def test_only_the_console_prints() -> None:
    speakers = {"lobster_tasks/console.py", "embedded_aws/__main__.py"}
    found = {
        name_of(file)
        for file in FILES
        if SHIM not in file.parents and any(_speaks(node) for node in ast.walk(tree_of(file)))
    }
    # Invoke's message when nobody reads on, and the last flush of an interrupted run, are outside the console.
    assert found <= speakers | {"lobster_tasks/cli/command.py"}
    assert not _prints(PACKAGE / "cli" / "command.py")


TASKS = sorted((PACKAGE / "tasks").glob("*.py"))
MOST_STATEMENTS = 15
# Attributes with the parts of a plan, a stack or a survey, and with an account's answers.
OF_THE_ACCOUNT = {"changes", "going", "kept", "live", "raw", "resources", "routes", "services"}
CALLS_TO_AWS = {"as_sent", "call", "find", "pages", "retry_while"}


@pytest.mark.parametrize("file", TASKS, ids=name_of)
def test_a_task_reads_flags_calls_one_thing_and_reports(file: Path) -> None:
    """Decisions, calls to AWS and errors other than usage errors belong to the package for them."""
    for function in _functions(tree_of(file)):
        assert _statements(function) <= MOST_STATEMENTS, function.name
        for node in ast.walk(function):
            assert not _calls_aws(node), f"{function.name} calls AWS"
            assert not _decides_over_resources(node), f"{function.name} goes through resources"
            if isinstance(node, ast.Raise):
                assert isinstance(node.exc, ast.Call), function.name
                assert ast.unparse(node.exc.func) == "UsageError", function.name


def _statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The number of statements without the docstring and imports that happen when a task runs."""
    inside = [node for each in function.body for node in ast.walk(each) if isinstance(node, ast.stmt)]
    counted = [node for node in inside if not isinstance(node, ast.Import | ast.ImportFrom)]
    return len(counted) - (ast.get_docstring(function) is not None)


def _calls_aws(node: ast.AST) -> bool:
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_method and node.func.attr in CALLS_TO_AWS and "aws" in ast.unparse(node.func.value)  # type: ignore[attr-defined]


def _decides_over_resources(node: ast.AST) -> bool:
    """Whether a node is a loop over resources of an account."""
    if not isinstance(node, ast.For | ast.comprehension):
        return False
    return any(
        isinstance(each, ast.Attribute) and each.attr in OF_THE_ACCOUNT for each in ast.walk(node.iter)
    )


def test_one_way_over_http() -> None:
    """There is one HTTP client. An open WebSocket is not HTTP, and uses sockets and websockets."""
    clients = ("requests", "urllib3", "httpx", "aiohttp", "http.client", "urllib.request.urlopen")
    assert _of_the_library(importers(*clients)) == {"lobster_tasks/http_client.py"}
    # It finds out whether an endpoint is reached through a proxy, and tries only the endpoint's port.
    assert _of_the_library(importers("urllib.request")) == {"lobster_tasks/endpoint.py"}
    assert _of_the_library(importers("socket")) == {
        "lobster_tasks/probe.py",
        "lobster_tasks/endpoint.py",
        "lobster_tasks/http_client.py",  # shuts down those of answers that take too long
    }


def _of_the_library(files: set[str]) -> set[str]:
    return {each for each in files if not each.startswith("embedded_aws/")}


def test_one_thread_uses_a_tls_connection() -> None:
    """``websockets.sync`` reads and writes in two threads. OpenSSL's connections are for one at a time
    (openssl-threads(7): "most objects are not safe for simultaneous use"), and of a thousand handshakes some fail."""
    files = [*FILES, *sorted((ROOT / "tests").rglob("*.py"))]
    threaded = [each for each in files if any(name.startswith("websockets.sync") for name in imported(each))]
    over_tls = re.compile(r"wss://|\bssl=")
    assert threaded
    assert [name_of(each) for each in threaded if over_tls.search(each.read_text(encoding="utf-8"))] == []


def test_only_the_clock_waits() -> None:
    """There is one function that polls, and one that retries a refused call."""
    assert _of_the_library(importers("tenacity")) == {"lobster_tasks/clock.py"}
    calls = {
        (name_of(file), ast.unparse(node.func))
        for file in LIBRARY
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call)
    }
    # Waits for a fixed time: for resolvers' caches, and for the quiet time that a gate requires.
    assert {file for file, name in calls if name.endswith("sleep") and not file.endswith("/clock.py")} == {
        "lobster_tasks/apprunner/cutover/records.py",
        "lobster_tasks/apprunner/cutover/run.py",
        "lobster_tasks/rehearsal/migration.py",
    }
    # Visitors' think time, and what runs until Ctrl-C.
    assert {file for file, name in calls if re.search(r"(stop|Event\(\))\.wait$", name)} == {
        "lobster_tasks/rehearsal/traffic.py",
        "lobster_tasks/tasks/embedded.py",
    }
    assert not [each for file in LIBRARY for each in ast.walk(tree_of(file)) if _is_endless(each)]
    assert not [file for file in LIBRARY if "deadline = " in file.read_text() and file.name != "clock.py"]


def _is_endless(node: ast.AST) -> bool:
    return isinstance(node, ast.While) and isinstance(node.test, ast.Constant)


READ_FROM_AWS_OR_THE_PACKAGE = {
    *(
        "as_written.py",
        "aws.py",
        "cost.py",
        "foreign.py",
        "doctor/gather.py",
        "doctor/keys.py",
        "doctor/roles.py",
    ),
    *("report/plans.py", "report/policies.py", "rollout/observation/shell.py"),
    *("stack/ecr.py", "stack/ecs.py", "stack/iam.py"),
}
"""What parses JSON itself: documents that AWS has checked, and our own."""


def test_json_of_others_is_parsed_in_one_place() -> None:
    """``json.loads`` raises RecursionError, too, which nobody expects beside ValueError."""
    parsing = {
        str(file.relative_to(PACKAGE))
        for file in LIBRARY
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("json.loads", "json.load")
    }
    assert parsing == READ_FROM_AWS_OR_THE_PACKAGE


def test_only_the_report_says_what_json_holds() -> None:
    """The report has a function for JSON beside the one for words; the console only writes the object."""
    others = {"lobster_tasks/console.py Console.json", "lobster_tasks/as_written.py load_json"}
    # A line of the annotations file, and the console's document, are text already.
    others |= {"lobster_tasks/console.py json_document"}
    made = {
        f"{name_of(file)} {name}"
        for file in LIBRARY
        if PACKAGE / "report" not in file.parents
        for name, node in _public(tree_of(file))
        if "json" in name.rpartition(".")[2].lower() and not isinstance(node, ast.ClassDef)
    }
    assert made == others
    answers = {given for file in LIBRARY for given in _answers(tree_of(file))}
    assert len(answers) > 12
    # Two objects made by the report before: the settings, and a plan with additions.
    assert {given for given in answers if not given.startswith("report.")} == {"found", "{**told, **more}"}


def _answers(tree: ast.Module) -> Iterator[str]:
    """The expressions that the console is given to write as JSON."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return (ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func).endswith("console.json"))


def _speaks(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "input"):
        return True
    streams = ("stdout", "stderr", "stdin")
    is_stream = isinstance(node, ast.Attribute) and node.attr in streams
    return is_stream and isinstance(node.value, ast.Name) and node.value.id == "sys"


def _prints(file: Path) -> bool:
    text = file.read_text(encoding="utf-8")
    return any(words in text for words in ("print(", "stdout.write", "stderr.write"))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_functions_are_short_and_public_ones_are_documented(file: Path) -> None:
    tree = tree_of(file)
    for function in _functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{function.name} is {length} lines long"
    undocumented = [name for name, node in _public(tree) if ast.get_docstring(node) is None]
    assert not undocumented
    assert ast.get_docstring(tree) is not None or not tree.body


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _public(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """Public functions, classes and methods, without those inside functions."""
    for node in tree.body:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        if not isinstance(node, kinds) or node.name.startswith("_"):
            continue
        if any(isinstance(each, ast.Attribute) and each.attr == "setter" for each in node.decorator_list):
            continue  # the getter has the docstring
        yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from _public(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize("file", [file for file in FILES if "__all__" in file.read_text()], ids=name_of)
def test_what_is_exported_is_there_and_sorted(file: Path) -> None:
    tree = tree_of(file)
    [exported] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    ]
    assert exported == sorted(exported, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    bound = {alias.asname or alias.name for node in ast.walk(tree) for alias in _aliases(node)}
    bound |= {name for name, _ in _public(tree)} | _assigned(tree)
    assert set(exported) <= bound


def _aliases(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def _assigned(tree: ast.Module) -> set[str]:
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


HEAVY = (
    *("boto3", "botocore", "pydantic", "rich", "jinja2", "requests", "websockets", "tenacity"),
    *("moto", "flask", "aiohttp", "psutil"),
)


@pytest.mark.parametrize("module", ["lobster_tasks.tasks", "lobster_tasks"])
def test_the_list_of_tasks_costs_nothing(module: str) -> None:
    """``inv --list`` and every shell completion import this."""
    code = f"import {module}, sys, json; {module}.namespace(); print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & set(HEAVY)


def test_no_library_module_needs_what_is_optional() -> None:
    """Without the extra ``embedded`` everything except the embedded AWS works."""
    optional = ("aiohttp", "flask", "flask_cors", "moto", "psutil", "yaml", "streamlit")
    found = {name for name in importers(*optional) if not name.startswith("embedded_aws/")}
    assert not found


def test_invoke_yaml_shows_every_setting_with_its_default() -> None:
    from lobster_tasks.settings import Settings, keys

    shown = yaml.safe_load((ROOT / "invoke.yaml").read_text())["lobster"]
    assert _dotted(shown) == set(keys())
    assert Settings.model_validate(_without_nulls(shown)) == Settings()


def _dotted(tree: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in tree.items():
        inside = _dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else set()
        found |= inside or {f"{prefix}{key}"}
    return found


def _without_nulls(tree: dict[str, object]) -> dict[str, object]:
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in tree.items()
        if value is not None
    }


def test_prices_cover_what_settings_can_ask_for() -> None:
    from lobster_tasks.cost import monthly_cost
    from lobster_tasks.settings import FARGATE_MEMORY, load

    for architecture in ("X86_64", "ARM64"):
        for cpu, sizes in FARGATE_MEMORY.items():
            flags = [f"task.cpu={cpu}", f"task.memory={sizes[0]}", f"task.architecture={architecture}"]
            assert monthly_cost(load({}, flags=flags)).total > 0


def test_the_picture_of_the_layers_is_that_of_the_contracts() -> None:
    assert PICTURE.read_text() == svg(), "python -m tests.drawing"


def test_tests_do_not_depend_on_how_fast_the_machine_is() -> None:
    """Expected events are waited for with PATIENCE; only events that must not happen get a few seconds. A test as a
    whole has at least the time that pyproject.toml gives each."""
    hasty: list[str] = []
    usual = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["timeout"]
    for file in sorted((ROOT / "tests").rglob("*.py")):
        tree = tree_of(file)
        expected = {
            id(inside) for node in ast.walk(tree) if _expects_nothing(node) for inside in ast.walk(node)
        }
        hasty += [
            f"{name_of(file)}:{node.value.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and id(node) not in expected and _is_short(node)
        ]
        hasty += [f"{name_of(file)}:{node.lineno}" for node in ast.walk(tree) if _ends_early(node, usual)]
    assert not hasty


_FRUITLESS = re.compile(r"Timeout|OSError|requests\.ConnectionError|BrokenBarrierError")


def _is_short(keyword: ast.keyword) -> bool:
    value = keyword.value
    return keyword.arg == "timeout" and isinstance(value, ast.Constant) and value.value < 600


def _ends_early(node: ast.AST, usual: float) -> bool:
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.timeout"):
        return False
    given = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "timeout")]
    return any(ast.literal_eval(each) <= usual for each in given)


def _expects_nothing(node: ast.AST) -> bool:
    """Whether it is ``with pytest.raises(TimeoutError)`` or similar, ``except TimeoutError``, or ``assert … is
    None``."""
    if isinstance(node, ast.With):
        return any(_FRUITLESS.search(ast.unparse(item.context_expr)) for item in node.items)
    if isinstance(node, ast.Try):
        return any(_FRUITLESS.search(ast.unparse(one.type)) for one in node.handlers if one.type)
    return isinstance(node, ast.Assert) and ast.unparse(node.test).endswith("is None")


def test_sentences_name_settings_that_there_are() -> None:
    """A rename of something else must not reach into the words; a name with a dot says which setting is meant."""
    known = set(keys())
    last = {each.rpartition(".")[2] for each in known if "." in each}
    unusual = {each for each in last if "_" in each}
    named = {
        (name_of(file), each)
        for file in LIBRARY
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for each in re.findall(r"\b[a-z_]+(?:\.[a-z_]+)+\b", node.value)
        if each.rpartition(".")[2] in unusual
    }
    assert len(named) > 20
    assert {(file, each) for file, each in named if each not in known} == set()
