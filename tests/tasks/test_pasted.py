"""Commands that are told are pasted whole: a terminal wraps them, and no line break comes into them."""

from __future__ import annotations

import re
import shlex

from tests.project import Project

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def test_the_commands_that_attach_policies_are_whole_on_a_narrow_terminal(project: Project) -> None:
    shown = project.on_terminal("print-setup-policy", "--output", "policies", columns=50).check().out
    lines = [line.rstrip() for line in _ANSI.sub("", shown).splitlines()]
    commands = [line for line in lines if line.startswith("  aws iam ")]
    assert commands
    for line in commands:
        words = shlex.split(line)
        assert words[2:4] in (["create-policy", "--policy-name"], ["attach-user-policy", "--user-name"])
        assert len(words) == 7, line
    assert max(len(line) for line in lines if not line.startswith("  aws ")) <= 50
