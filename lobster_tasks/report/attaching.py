"""Formats policies to attach: documents with names, and the commands. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..task_names import verbatim
from .layout import shell

_OTHERS = (
    "A role takes attach-role-policy --role-name, a group attach-group-policy --group-name. For a policy that is",
    "there already: create-policy-version --policy-arn … --policy-document … --set-as-default.",
    "A user or role takes 10 managed policies (20 with a higher quota), a group 10; a user also has its groups'.",
)


@dataclass(frozen=True)
class NamedDocument:
    """One document with the name of its future policy."""

    name: str
    document: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The document as the text of a file."""
        return json.dumps(self.document, indent=2) + "\n"

    def arn(self, account: str, partition: str) -> str:
        """The ARN of the policy with this name in the account."""
        return f"arn:{partition}:iam::{account}:policy/{self.name}"


def named(stem: str, documents: Sequence[Mapping[str, Any]]) -> list[NamedDocument]:
    """``stem``, or ``stem-1``, ``stem-2``, … for several."""
    if len(documents) == 1:
        return [NamedDocument(stem, documents[0])]
    return [NamedDocument(f"{stem}-{number}", each) for number, each in enumerate(documents, 1)]


def policies_json(documents: Sequence[NamedDocument], account: str, partition: str) -> dict[str, Any]:
    """For ``inv print-setup-policy --json``."""
    return {
        "policies": [
            {"name": each.name, "arn": each.arn(account, partition), "document": verbatim(each.document)}
            for each in documents
        ]
    }


def how_to_attach(
    documents: Sequence[NamedDocument], account: str, partition: str, folder: str
) -> RenderableType:
    """The commands that create policies from the files and attach them to a user."""
    one = len(documents) == 1
    what = "It is one policy." if one else f"They are {len(documents)} policies, all of which are needed."
    lines = [
        "",
        f"{what} An administrator creates and attaches {'it' if one else 'them'}; NAME is the user's name:",
    ]
    if not folder:
        lines.append("(--output FOLDER writes each document to a separate file)")
    commands = (shell(line) for line in _commands(documents, account, partition, folder))
    return Group(*map(Text, [*lines, ""]), *commands, *map(Text, ["", *_OTHERS]))


def _commands(documents: Sequence[NamedDocument], account: str, partition: str, folder: str) -> Iterator[str]:
    for each in documents:
        file = shlex.quote(f"file://{PurePath(folder, each.name)}.json")
        arn = each.arn(account, partition)
        yield f"  aws iam create-policy --policy-name {each.name} --policy-document {file}"
        yield f"  aws iam attach-user-policy --user-name NAME --policy-arn {arn}"
