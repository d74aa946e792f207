"""Builds an OCI image without a container engine: the files of COPY, ADD and WORKDIR are its only layer.

RUN is not executed, and the image says so; it is for the embedded AWS, where the machine replaces the base image.
The same sources give the same digest. Shapes: OCI image specification 1.1.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import text_file
from ..dockerfile import DEFAULT_SHELL, Dockerfile, HealthCheck, Stage, parse
from ..dockerfile.globs import BadPatternError
from ..dockerfile.ignore import DockerIgnore, ignore_file, read_ignore
from ..dockerfile.scripts import Fault, faulty_scripts
from ..errors import RefusedError
from .layer import Blob, blob_of, write_layer
from .options import BuildOptions
from .stages import StageFiles, assemble
from .transfer import Observer, unobserved
from .tree import Node, Tree, read_folder

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
BUILDER_LABEL = "lobster-tasks.builder"
NOT_CARRIED_OUT = "lobster-tasks.not-carried-out"
_LARGE = 200 * 1024 * 1024
# Files that do not belong in an image, because everybody who may pull it can read them.
_SECRETS = DockerIgnore(
    ["**/.env", "**/.env.*", "!**/.env.example", "**/secrets.toml", "**/*.pem", "**/id_rsa", "**/.aws"]
)


@dataclass(frozen=True)
class BuiltImage:
    """A built image; ``notes`` say what is missing in it."""

    digest: str
    manifest: bytes
    config: Blob
    layer: Blob
    notes: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """The size that the registry reports: the compressed layer and the configuration."""
        return self.layer.size + self.config.size


def read_dockerfile(folder: Path, name: str, options: BuildOptions) -> Dockerfile:
    """Parse ``folder/name``; raises RefusedError where it does not exist."""
    path = folder / name
    try:
        text = text_file.read_as_written(path, any_bytes=True)
    except (OSError, text_file.EncodingError) as error:
        raise RefusedError(
            f"{path} cannot be read.", str(error), "create it, or set `dockerfile` in invoke.yaml"
        ) from error
    return parse(text, options.arguments, name=name, platform=options.platform, target=options.target)


def foreseen(dockerfile: Dockerfile, folder: Path) -> tuple[str, ...]:
    """Problems found before building: what a builder only warns of, and scripts that cannot start."""
    scripts = faulty_scripts(dockerfile, folder)
    return (
        *(f"line {each.line}: {each.says}." for each in dockerfile.final.warnings),
        *(
            f"{each.place} {_FAULTS[each.fault].format(each.name)}"
            for each in scripts
            if each.fault in _FAULTS
        ),
    )


_FAULTS: Mapping[Fault, str] = {
    "interpreter": "has Windows line endings (CR LF); no task can start it: dos2unix {0}",
    "shell": "has Windows line endings (CR LF); a shell takes the CR for a part of a word: dos2unix {0}",
    "byte-order-mark": "begins with a byte order mark, so Linux does not see its #!: dos2unix --remove-bom {0}",
}


def read_context(folder: Path, dockerfile: str) -> Tree:
    """The build context: the folder without what .dockerignore excludes.

    A file named after the Dockerfile, ``Dockerfile.streamlit.dockerignore``, replaces .dockerignore.
    """
    path = ignore_file(folder, dockerfile)
    name = path.name if path else ""
    try:
        ignore = read_ignore(path)
    except BadPatternError as error:
        raise RefusedError(
            f"{path} has a pattern that Docker does not know.", str(error), f"correct {name}"
        ) from error
    except (OSError, text_file.EncodingError) as error:
        raise RefusedError(
            f"{path} cannot be read.",
            str(error),
            f"save {name} as UTF-8; without it, everything in the folder would be in the image",
        ) from error
    return read_folder(folder, ignore)


def build(
    dockerfile: Dockerfile, context: Tree, options: BuildOptions, folder: Path, observe: Observer = unobserved
) -> BuiltImage:
    """Build the image; its layer is written into ``folder``. Secrets and caches are of no use to it.

    Raises DockerfileError for a COPY that is impossible.
    """
    files = assemble(dockerfile, context)
    layer, diff_id = write_layer(files.tree, folder / "layer.tar.gz", observe)
    config = blob_of(_json(_config(dockerfile.final, options.architecture, diff_id, bool(files.notes))))
    manifest = _json(_manifest(config, layer, files.notes))
    digest = blob_of(manifest).digest
    return BuiltImage(digest, manifest, config, layer, (*files.notes, *_warnings(dockerfile, files, options)))


def _config(stage: Stage, architecture: str, diff_id: str, is_partial: bool) -> dict[str, Any]:
    labels = {**stage.labels, BUILDER_LABEL: "process", **({NOT_CARRIED_OUT: "RUN"} if is_partial else {})}
    inner: dict[str, Any] = {
        "Env": [f"{name}={value}" for name, value in stage.environment.items()],
        "Entrypoint": list(stage.entry_point.words) if stage.entry_point else None,
        "Cmd": list(stage.command.words) if stage.command else None,
        "WorkingDir": stage.working_directory,
        "User": stage.user,
        "ExposedPorts": {str(port): {} for port in stage.ports},
        "Volumes": {path: {} for path in stage.volumes},
        "StopSignal": stage.stop_signal,
        "Labels": labels,
        # Not of OCI's specification, but in every image of docker's.
        "Healthcheck": _health_check(stage.health_check) if stage.health_check else None,
        "OnBuild": list(stage.on_build),
        "Shell": list(stage.shell) if stage.shell != DEFAULT_SHELL else None,
    }
    return {
        **({"author": stage.author} if stage.author else {}),
        "architecture": architecture,
        "os": "linux",
        "config": {name: value for name, value in inner.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created_by": "lobster-tasks, process builder", "comment": "RUN is not carried out"}],
    }


def _health_check(check: HealthCheck) -> dict[str, Any]:
    """As docker has it: times in nanoseconds, and nothing of what is not given."""
    if not check.words:
        return {"Test": ["NONE"]}
    test = ["CMD", *check.words] if check.script is None else ["CMD-SHELL", check.script]
    times = {
        "Interval": check.interval,
        "Timeout": check.timeout,
        "StartPeriod": check.start_period,
        "StartInterval": check.start_interval,
    }
    inner = {name: round(seconds * 1_000_000_000) for name, seconds in times.items()}
    return {
        "Test": test,
        **{name: value for name, value in (inner | {"Retries": check.retries}).items() if value},
    }


def _manifest(config: Blob, layer: Blob, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": LAYER, "digest": layer.digest, "size": layer.size}],
        "annotations": {NOT_CARRIED_OUT: " ".join(notes)} if notes else {},
    }


def _json(value: dict[str, Any]) -> bytes:
    """JSON as BuildKit writes it: bytes of a Dockerfile that are not UTF-8 become the replacement character."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="surrogateescape").decode(errors="replace").encode()


def _warnings(dockerfile: Dockerfile, files: StageFiles, options: BuildOptions) -> list[str]:
    """Warnings to read before the image is published."""
    found = []
    if not dockerfile.final.arguments_of_process:
        found.append(f"{dockerfile.name} has neither CMD nor ENTRYPOINT; the base image's is not known here.")
    found += [f"--build-arg {name} matches no ARG." for name in dockerfile.unused_arguments]
    found += _missing_secrets(dockerfile, {secret.name for secret in options.secrets})
    secrets = [
        path for path, node in files.tree.nodes.items() if not node.is_directory and _is_secret(path, node)
    ]
    if secrets:
        found.append(
            f"{_some(secrets)} is in the image, where everyone who pulls it can read it; name it in .dockerignore."
        )
    sizes = _sizes(files.tree)
    if sum(sizes.values()) > _LARGE:
        top = max(sizes, key=lambda name: sizes[name])
        found.append(f"/{top} makes {sizes[top] >> 20} MiB of the image; a .dockerignore can exclude it.")
    return found


def _missing_secrets(dockerfile: Dockerfile, given: Container[str]) -> Iterator[str]:
    """A sentence for each secret that a RUN mounts and nobody gives."""
    for stage in dockerfile.lineage(dockerfile.final):
        for step in stage.unexecuted:
            for name in step.secrets:
                if name not in given:
                    yield (
                        f"Line {step.line}, {step.keyword}: the secret {name} is not given: "
                        f"--secret id={name},src=FILE, or env=VARIABLE."
                    )


def _is_secret(path: str, node: Node) -> bool:
    """Whether a file is a secret by its name; a PEM file may contain only certificates, which are not."""
    return _SECRETS(path) and (not path.endswith(".pem") or _may_hold_a_key(node))


def _may_hold_a_key(node: Node) -> bool:
    try:
        return b"PRIVATE KEY" in node.data()
    except (OSError, text_file.EncodingError):
        return True


def _sizes(tree: Tree) -> dict[str, int]:
    """Bytes below each directory of the second level (/app/.venv), to show what is too large."""
    sizes: dict[str, int] = {}
    for path, node in tree.nodes.items():
        top = "/".join(path.split("/")[:2])
        sizes[top] = sizes.get(top, 0) + node.size
    return sizes


def _some(paths: list[str]) -> str:
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"/{sorted(paths)[0]}{more}"
