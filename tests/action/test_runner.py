"""The runner of the tests: what a step says last is in its log, and it has failed where it failed."""

from __future__ import annotations

from pathlib import Path

from tests.action.runner import Repository

WORKFLOW = ".github/workflows/fail.yml"
STEPS = 10
STEP = """\
      - name: Fail {number}
        id: fail{number}
        shell: bash
        continue-on-error: true
        run: |
          seq 100
          printf '::error::the last word of {number}\\n%s' end
          exit 7
"""
HEAD = "on: push\njobs:\n  fail:\n    runs-on: ubuntu-24.04\n    steps:\n"


def test_the_last_words_of_a_step_that_fails_are_heard(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "app", tmp_path / "home")
    repository.write(WORKFLOW, HEAD + "".join(STEP.format(number=number) for number in range(STEPS)))
    repository.commit("Fail")
    ran = repository.push(WORKFLOW).check(green=True)
    assert [each.split("::error::")[-1].rstrip() for each in ran.annotations] == [
        f"the last word of {number}" for number in range(STEPS)
    ]
    for number in range(STEPS):
        assert ran.printed(f"Fail {number}") == [*map(str, range(1, 101)), "end"]
    failed = {line["step"] for line in ran.log if line.get("stepResult") == "failure"}
    assert failed == {f"Fail {number}" for number in range(STEPS)}
