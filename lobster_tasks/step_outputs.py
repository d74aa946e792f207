"""Writes the outputs of a GitHub Actions step to the file that GITHUB_OUTPUT names.

"Workflow commands for GitHub Actions", setting an output parameter: ``name=value``, or a value of several lines
between two delimiters. The value must not contain the delimiter, so it is random.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .images.push import PushedImage
    from .rollout import Outcome


def write(values: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> None:
    """Append the outputs; None is an empty output. Outside GitHub Actions nothing is written."""
    if not (file := environ.get("GITHUB_OUTPUT")):
        return
    with Path(file).open("a", encoding="utf-8", errors="replace") as outputs:
        outputs.write("".join(_entry(name, value) for name, value in values.items()))


def of_outcome(ended: Outcome) -> dict[str, object]:
    """The outputs of a release: ``cause`` is the cause code, ``image-digest`` is without the repository."""
    return {
        "verdict": ended.verdict,
        "cause": ended.cause and ended.cause.code,
        "url": ended.url,
        "task-definition-arn": ended.task_definition,
        "previous-task-definition-arn": ended.previous_task_definition,
        "image-digest": (ended.image or "").partition("@")[2],
        "seconds": round(ended.seconds, 1),
    }


def of_image(image: PushedImage) -> dict[str, object]:
    """The outputs of a pushed image: ``image`` is the full reference by digest, which never refers to another
    image."""
    repository = image.reference.rpartition(":")[0]
    return {"image": f"{repository}@{image.digest}", "image-digest": image.digest}


def _entry(name: str, value: object) -> str:
    delimiter = f"end-{uuid.uuid4()}"
    return f"{name}<<{delimiter}\n{'' if value is None else value}\n{delimiter}\n"
