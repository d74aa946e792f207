"""Variables of the environment, each with values that nobody means: told in words, by the name of the variable."""

from __future__ import annotations

import ast
import re

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

from lobster_tasks.github import FILES
from tests.project import Project
from tests.test_architecture import LIBRARY, tree_of

# Those of AWS's own tools that its SDK reads, and those of credentials, which stand elsewhere in it.
AWS_READS = sorted(
    {
        name
        for _, names, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values()
        for name in ([names] if isinstance(names, str) else names or [])
        if name.startswith("AWS_")
    }
    | {
        *(
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_ENDPOINT_URL",
            "AWS_REGION",
        ),
        *("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CREDENTIAL_EXPIRATION", "AWS_ENDPOINT_URL_STS"),
        *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    }
)
OURS = (
    *("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_REPOSITORY", "GITHUB_STEP_SUMMARY", "INVOKE_RUNTIME_CONFIG"),
    *("INVOKE_LOBSTER_REGION", "LOBSTER_ANNOTATIONS_FILE", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"),
)
SHOWN = ("AWS_DEPLOY_ROLE",)  # in what is printed for others to set
OTHERS = ("HTTPS_PROXY", "NO_PROXY", "COLUMNS", "LINES", "TERM", "LC_ALL")
ODD = ("", " ", "x", "-1", "/absent/folder/file", "/", "a" * 5000, "a\nb", "\udcff")
EACH = [
    *[(name, value) for name in OURS for value in ODD],
    *[(name, "x") for name in (*AWS_READS, *OTHERS)],
]


def test_every_variable_that_is_read_is_tried() -> None:
    read = {
        node.value
        for file in LIBRARY
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"(AWS|GITHUB|RUNNER|INVOKE|LOBSTER|ACTIONS)_[A-Z_]+[A-Z]", node.value)
    }
    assert sorted(read - {*AWS_READS, *OURS, *SHOWN}) == []


@pytest.mark.parametrize(("variable", "value"), EACH)
def test_whatever_a_variable_says_it_is_no_defect(project: Project, variable: str, value: str) -> None:
    job = {"GITHUB_ACTIONS": "true"} if variable.startswith(("GITHUB", "LOBSTER")) else {}
    ended = project.inv("setup-aws", "--dry-run", **{**job, variable: value})
    assert ended.code in (0, 1, 2, 5), ended.said
    assert "Traceback" not in ended.said
    assert "a defect" not in ended.said


@pytest.mark.parametrize("value", ["nobody", "a/b/c", "https://github.com/a/b", " a/b"])
def test_a_repository_that_is_none_is_told_with_the_variable(project: Project, value: str) -> None:
    told = project.inv("setup-aws", "--dry-run", GITHUB_REPOSITORY=value).check(2).err
    assert f"github.repository: GITHUB_REPOSITORY says {value!r}; it takes owner/name" in told


@pytest.mark.parametrize("variable", FILES)
def test_a_file_of_the_runner_that_cannot_be_written_is_told_at_once(project: Project, variable: str) -> None:
    told = project.inv("plan", **{variable: "/absent/file"}).check(2).err
    assert f"{variable} names a file that cannot be written: /absent/file." in told
