"""Maps the port, command, variables and secrets of the container."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from ...secrecy import hides_secret, looks_secret
from ..description import Description, SecretFacts
from ..source import DOCKERFILE
from .names import role_base
from .rows import MappingRow, Rule, RuleResult, approximated, same, translated, unsettled

_DEFAULT_PORT = 8080
_PORTS = range(1, 65536)
_RESERVED = "AWSAPPRUNNER"
_PREFIXES = (
    "Service.SourceConfiguration.ImageRepository.ImageConfiguration.",
    "Service.SourceConfiguration.CodeRepository.CodeConfiguration.CodeConfigurationValues.",
)
# What only a shell does with a word; quotes and backslashes shlex takes as a shell does.
_SHELL = re.compile(r"[$`|&;<>()*?\[\]{}~#\n]|^\s{0,100}\w{1,100}=")
_ARN_PARTS_OF_A_SECRET, _ARN_PARTS_OF_A_KEY = 7, 10
_SET_ANYWAY = translated(
    "(variables)",
    "none",
    "PYTHONUNBUFFERED=1, STREAMLIT_SERVER_HEADLESS=true",
    "the packaged task definition sets them if the settings do not",
)
_MOVED = "a value that looks like a secret is never shown, and never written to a file"


def port(description: Description) -> RuleResult:
    """Port: a text there, a number here; and PORT, which App Runner sets by itself."""
    given = str(description.configuration.get("Port") or _DEFAULT_PORT)
    number = int(given[:6]) if given.isascii() and given.isdigit() else 0
    if number not in _PORTS:
        note = f"not a port; App Runner's default, {_DEFAULT_PORT}, is used instead"
        row = unsettled("Port", given, note, "set container.port", _DEFAULT_PORT)
        return RuleResult((row,), {"container": {"port": _DEFAULT_PORT}})
    rows = (
        same("Port", given, f"container, target group and security group {number}"),
        translated(
            "(PORT)", given, f"PORT={number} in the task definition", "App Runner sets it, Fargate does not"
        ),
    )
    return RuleResult((*rows, _SET_ANYWAY), {"container": {"port": number}})


def command(description: Description) -> RuleResult:
    """StartCommand: one text there, words here, a shell only where it needs one."""
    given = str(description.configuration.get("StartCommand", "")).strip()
    if "CodeRepository" in description.service["SourceConfiguration"]:
        row = translated("StartCommand", "set" if given else "none", f"CMD in {DOCKERFILE}")
        return RuleResult((row,))
    if not given:
        return RuleResult((same("StartCommand", "none", "the image's own command"),))
    if hides_secret(given):
        decide = "set container.command, with the secret as a variable of container.secrets"
        return RuleResult((unsettled("StartCommand", "hidden", _MOVED, decide, "the image's own command"),))
    words, note = in_words(given)
    return RuleResult(
        (translated("StartCommand", given, shlex.join(words), note),), {"container": {"command": words}}
    )


def in_words(command: str) -> tuple[list[str], str]:
    """A start command as the words of an exec form, and the rule that was applied."""
    in_a_shell = ["sh", "-c", command], "it contains shell syntax, so the image needs a shell (sh)"
    if _SHELL.search(command):
        return in_a_shell
    try:
        words = shlex.split(command)
    except ValueError:
        return in_a_shell
    return (words, "split into words; the image's ENTRYPOINT applies on both") if words else in_a_shell


def variables(description: Description) -> RuleResult:
    """RuntimeEnvironmentVariables, those that look like secrets apart."""
    given: Mapping[str, str] = description.configuration.get("RuntimeEnvironmentVariables", {})
    secret_names = description.configuration.get("RuntimeEnvironmentSecrets", {})
    rows = [_variable(description, name, given[name], name in secret_names) for name in sorted(given)]
    plain = {name: given[name] for name, row in zip(sorted(given), rows, strict=True) if row.kind == "same"}
    lifted = {name: arn for name, arn in description.lifted.items() if name in given}
    return RuleResult(tuple(rows), {"container": {"environment": plain, "secrets": lifted}})


def _variable(description: Description, name: str, value: str, twice: bool) -> MappingRow:
    setting = f"RuntimeEnvironmentVariables.{name}"
    if _is_app_runners(name):
        return translated(setting, "set", "none", "App Runner's own")
    if twice:
        return translated(setting, "set", "container.secrets", "the secret of the same name overrides it")
    if name in description.lifted:
        return translated(setting, "hidden", "container.secrets", "moved into Secrets Manager")
    if looks_secret(name, value):
        decide = "move it into Secrets Manager, or set its source in container.secrets"
        lift = f"inv import-apprunner --service {description.name} --lift-secrets"
        return approximated(setting, "hidden", "left out", _MOVED, decide, lift)
    return same(setting, "set", "container.environment")


def suspects(description: Description) -> tuple[str, ...]:
    """The variables that look like secrets and are not moved yet."""
    given: Mapping[str, str] = description.configuration.get("RuntimeEnvironmentVariables", {})
    secret = {*description.configuration.get("RuntimeEnvironmentSecrets", {}), *description.lifted}
    plain = [name for name in sorted(given) if not _is_app_runners(name) and name not in secret]
    return tuple(name for name in plain if looks_secret(name, given[name]))


def _is_app_runners(name: str) -> bool:
    return name.startswith(_RESERVED) or name == "PORT"


def secrets(description: Description) -> RuleResult:
    """RuntimeEnvironmentSecrets: the same sources, read by the execution role."""
    named: Mapping[str, str] = description.configuration.get("RuntimeEnvironmentSecrets", {})
    facts = {each.name: each for each in description.secrets}
    rows = [_secret(description, name, source, facts.get(name)) for name, source in sorted(named.items())]
    sources = {name: _normal(description, source) for name, source in sorted(named.items())}
    keys = sorted({each.key for each in description.secrets if ":key/" in each.key})
    aliases = sorted({each.key for each in description.secrets if each.key and ":key/" not in each.key})
    rows += [_alias(alias) for alias in aliases]
    container = {"secrets": sources, **({"secret_keys": keys} if keys else {})}
    return RuleResult(tuple(rows), {"container": container})


def _secret(description: Description, name: str, source: str, facts: SecretFacts | None) -> MappingRow:
    setting = f"RuntimeEnvironmentSecrets.{name}"
    role = f"{role_base(description)}-execution"
    note = f"{role} reads it, no longer the app's own role"
    if facts and facts.found is False:
        return translated(setting, source, source, note, f"{source} does not exist: store a value there")
    if (owner := _owner(source)) not in ("", description.account):
        decide = f"let {role} read it in {owner}: the secret's resource policy, and its key's policy"
        return translated(
            setting, source, _normal(description, source), f"{note}; it belongs to account {owner}", decide
        )
    if facts and facts.key:
        note += f", which gets kms:Decrypt on {facts.key.rpartition(':')[2]}"
    normal = _normal(description, source)
    return same(setting, source, note=note) if normal == source else translated(setting, source, normal, note)


def _alias(alias: str) -> MappingRow:
    return unsettled(
        "secrets: KMS key",
        alias,
        "IAM policies accept keys, not aliases, and the key of this alias could not be read",
        "set the key's ARN in container.secret_keys",
        commands=(f"aws kms describe-key --key-id {alias} --query KeyMetadata.Arn --output text",),
    )


def _owner(source: str) -> str:
    parts = source.split(":")
    return parts[4] if source.startswith("arn:") and len(parts) > 5 else ""


def _normal(description: Description, source: str) -> str:
    """ECS wants ``…:key:stage:version`` whole, where App Runner takes the ARN with the key alone.

    A parameter's bare name could be a password; its ARN could not.
    """
    if not source.startswith(("/", "arn:")):
        _, partition, _, region, account, _ = description.arn.split(":", 5)
        return f"arn:{partition}:ssm:{region}:{account}:parameter/{source}"
    parts = source.split(":")
    if ":secretsmanager:" not in source or len(parts) <= _ARN_PARTS_OF_A_SECRET:
        return source
    return ":".join([*parts, "", "", ""][:_ARN_PARTS_OF_A_KEY])


def _members(*names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{name}" for prefix in _PREFIXES for name in names)


RULES = (
    Rule(_members("Port"), port),
    Rule(_members("StartCommand"), command),
    Rule(_members("RuntimeEnvironmentVariables{}"), variables),
    Rule(_members("RuntimeEnvironmentSecrets{}"), secrets),
)
