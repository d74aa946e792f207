"""Secrets for a build, as ``docker build --secret`` and ``podman build --secret`` spell them, and the attributes that
builders' other options have too. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_TAKES = "takes id=NAME,src=FILE or id=NAME,env=VARIABLE, as docker build --secret; never the secret itself"
_FILE_KEYS = ("src", "source")


@dataclass(frozen=True)
class BuildSecret:
    """A secret that RUN mounts by its ``name``: in ``file``, relative to the build context, or in ``variable`` of the
    environment. Its value is never held."""

    name: str
    file: str = ""
    variable: str = ""

    @property
    def written(self) -> str:
        """The secret as both engines read it."""
        return f"id={self.name},{f'src={self.file}' if self.file else f'env={self.variable}'}"


def attributes_of(option: str) -> dict[str, str]:
    """The attributes of an option of a builder: ``NAME=VALUE``, with commas between."""
    return dict(part.partition("=")[::2] for part in option.split(","))


def read_secret(text: str) -> BuildSecret:
    """Read what ``--secret`` takes; raises ValueError, without the text, which may be a secret itself."""
    parts = attributes_of(text)
    kind = parts.pop("type", "")
    name, variable = parts.pop("id", ""), parts.pop("env", "")
    file = next((parts.pop(key) for key in _FILE_KEYS if parts.get(key)), "")
    if kind == "env" and file and not variable:  # both engines take this for env=VARIABLE
        file, variable = "", file
    if parts or not name or bool(file) is bool(variable) or kind not in ("", "file" if file else "env"):
        raise ValueError(_TAKES)
    return BuildSecret(name, file, variable)
