"""Decides which plain environment variables, and which commands, look like secrets, and shows the rest. Pure.

Sometimes wrong in both directions, because only a name and a value are known. A value that looks like a secret is
never written to a file; others are written to the settings. The value is looked at before the name, and no beginning of
a value, such as ``/``, excuses it: only the whole form of an ARN, of a path of plain words, or of an address does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .foreign import LONGEST, parsed
from .masking import (
    MASK,
    is_reference,
    is_secret_by_name,
    mask,
    mask_shapes,
    refers,
    secret_values,
    traced_at,
    with_values_masked,
    without_keys,
)

# Where a secret is, instead of the secret: an ARN, a file, or an address whose host has no user before it.
_PLACE = re.compile(
    r"arn:[\w-]{1,32}:[\w-]{1,64}:[\w-]{0,64}:\d{0,12}:\S{1,2048}"
    r"|(?:https?|wss?|s3|gs|file|vault|op|ssm|sm|secretsmanager|aws[\w-]{0,16}|gcp[\w-]{0,16}|azure[\w-]{0,16}|keyvault"
    r"|ref\+\w{1,16})://(?![^/\s]{0,512}@)[a-z0-9._-]{0,253}(?::\d{1,5})?(?:[/?#]\S{0,2048})?"
    r"|alias/[\w/-]{1,256}"
    r"|[\w./-]{1,512}\.(?:pem|key|crt|cer|p12|pfx|jks|json|txt|ya?ml|env|pub)"
)
_HUMP = re.compile(r"[A-Z]?[a-z]{1,64}|[A-Z]{1,64}|\d{1,64}")
_SHORT_SEGMENT, _LETTERS_A_HUMP, _SEGMENTS = 3, 3, 2
_FOLDER = re.compile(r"/(?:[a-z]{2,64}|[A-Z][a-z]{2,64})/")

# ``user:password@host``, ``user:password@tcp(host)`` and ``user/password@host:port/service``, without a scheme.
# The host has a port, a path or a dot, or the password has a number in it: ``12:30@daily`` is a time.
_CREDENTIALS = re.compile(
    r"(?!(?:mailto|npm|sips?|acct|xmpp|git|docker|oci|pkg|file|ssh|node|\d{1,128}):)"
    r"[\w.+%-]{1,128}:(?!//|\d{1,5}/|\d{1,5}@[\w.-]{1,253}$)(?:\S{1,512}@"
    r"(?!sha256:|v?\d{1,8}(?:\.\d{1,8}){0,2}(?:[+-]\S{0,64})?$)"
    r"(?:\w{2,8}\(\S{0,512}|[\w.-]{1,253}(?::\d{1,5}(?:/\S{0,512})?|/\S{0,512})|[\w-]{0,63}\.[\w.-]{1,253}|localhost)"
    r"|(?!v?\d{1,8}[.-]\d)(?=\S{0,512}\d\S{0,512}@)(?=\S{0,512}[A-Za-z]\S{0,512}@)\S{6,512}@(?!v?\d)[\w-]{1,63})"
    r"|[\w$#]{1,64}/[^\s/@]{1,128}@(?://)?[\w.-]{1,253}:\d{2,5}[/:]\S{1,256}"
)
_WITH_BLANKS = re.compile(r"[\w.+-]{1,40}://[^\s:/@]{1,256}:(?!\d{1,5}(?:\D|$))[^\n@]{1,256}@")
_HEADER_VALUE = re.compile(
    r"(?:bearer|basic|token|apikey)\s{1,8}(?:(?=[^\s\d]{0,512}+\d)\S{8,1024}|\S{20,1024})", re.IGNORECASE
)
# ``AUTH=user:password``; or one word with a number in it, which no kind of authentication is called by.
_AUTH_NAME = re.compile(r"auth['\"]?$", re.IGNORECASE)
_AUTH_VALUE = re.compile(r"\A(?:[^\s:/]{1,128}+[:/](?!/)\S{1,512}+|(?=[^\s\d]{0,512}+\d)\S{8,1024}+)")
_HOOK_NAME = re.compile(r"hook", re.IGNORECASE)
_HOOK_VALUE = re.compile(
    r"https?://[^\s/]{1,253}/\S{0,256}?(?<=[/=])(?=[\w-]{0,64}\d)(?=[\w-]{0,64}[A-Za-z])[\w-]{16,}+"
)
_PAIR = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]{1,128}+)\s{0,8}+=\s{0,8}+(?:\"(?P<double>[^\"]*+)|'(?P<single>[^']*+)|(?P<plain>[^\s;&,]++))"
)
# Between other members, and as a flag, ``key`` is mostly the key of a thing; ``KEY`` is a variable.
_ONLY_KEY, _LIKE_A_KEY = re.compile(r"-{0,2}[Kk]eys?"), re.compile(r"\A(?=[^\s\d]{0,512}+\d)\S{16}")
_NO = "--no-"
_DEFAULT = re.compile(r"\$\{(?P<name>\w{1,128}):?[-=](?P<value>[^{}]{1,512})\}")
_WORKING_FOLDER = re.compile(r"(?:OLD)?PWD")

_RANDOM = re.compile(r"[A-Za-z0-9+/=_-]{20,}+")
_KINDS = ("[a-z]", "[A-Z]", "[0-9]")
# No secrets by themselves: names, words with a number, and identifiers, in hexadecimal digits or CloudFormation's.
_PART = re.compile(r"[^+/=_-]{1,512}+")
_PLAIN_PART = re.compile(
    r"[A-Za-z]{1,20}\d{0,10}|\d{1,12}[A-Za-z]{0,3}|[A-Za-z0-9]{1,6}|[A-Z0-9]{12,13}|[0-9a-f]{1,64}"
)
_IDENTIFIES = re.compile(r"(?:^|_)(?:id|arn|sha|digest|version|path|dir|file|public_key)$", re.IGNORECASE)
_LONG_WORD = 32

# What a shell puts in: it is a secret only if it has a default value.
_EXPANSION = re.compile(r"(?:\$\([^()]{0,256}\)|\$\{\w{1,128}\}|\$\w{1,128}|`[^`]{0,256}`){1,16}+")
# Shorter ones are also in words that are none.
_SHORTEST = 4
# A word, or one character between words; in ``${NAME:-word}`` the word is behind ``:-``.
_RUNS = re.compile(r"(?<=:)-(?=\w)|[\w-]++|[^\w-]")
_OF_A_WORD = re.compile(r"[\w-]")
_COMMANDS = ("command", "entryPoint")
_SEPARATORS = frozenset({";", "&&", "||", "|", "&"})


@dataclass(frozen=True)
class _Flag:
    """A short flag of one program: its value may be joined to it, or also be the next word."""

    letter: str
    joined_only: bool = False
    behind: str = ""  # flags without values, which may stand before it in one word
    form: re.Pattern[str] = re.compile(r".{1,4096}")

    def password(self, word: str, following: str) -> str:
        """What it is given; empty if it is not this flag."""
        if self.behind and not word.startswith("--"):
            word = word[:1] + word[1:].lstrip(self.behind)
        if word == self.letter:
            value = "" if self.joined_only else following
        else:
            value = word.removeprefix(self.letter) if word.startswith(self.letter) else ""
        found = self.form.fullmatch(value)
        return (found.groupdict().get("password") or value) if found else ""


_USER_AND_PASSWORD = re.compile(r"[^:]{0,256}:(?!//)(?P<password>.{1,1024})")
_USER_PERCENT_PASSWORD = re.compile(r"[^%]{0,256}%(?P<password>.{1,1024})")
_OF_CURL = "sSfLkvgIiGOJNq#012346"
_FLAGS_OF = (
    (
        "mysql mysqldump mysqladmin mysqlimport mysqlsh mysqlcheck mysqlslap mysqlshow",
        _Flag("-p", joined_only=True),
    ),
    ("mariadb mariadb-dump mariadb-admin mycli", _Flag("-p", joined_only=True)),
    ("sshpass login mongo mongosh mongodump mongorestore", _Flag("-p")),
    ("redis-cli valkey-cli", _Flag("-a")),
    ("curl", _Flag("-u", behind=_OF_CURL, form=_USER_AND_PASSWORD)),
    ("curl", _Flag("--user", form=_USER_AND_PASSWORD)),
    ("curl", _Flag("-U", behind=_OF_CURL, form=_USER_AND_PASSWORD)),
    ("curl", _Flag("--proxy-user", form=_USER_AND_PASSWORD)),
    ("curl", _Flag("--oauth2-bearer")),
    ("http https xh", _Flag("-a", form=_USER_AND_PASSWORD)),
    ("sqlcmd bcp", _Flag("-P")),
    ("ldapsearch ldapadd ldapmodify ldapwhoami", _Flag("-w")),
    ("smbclient", _Flag("-U", form=_USER_PERCENT_PASSWORD)),
)
_PROGRAMS: Mapping[str, tuple[_Flag, ...]] = {
    program: tuple(flag for others, flag in _FLAGS_OF if program in others.split())
    for programs, _ in _FLAGS_OF
    for program in programs.split()
}
# Programs whose names are words of other texts too, and what they stand behind, except at the start of a command.
_WORDS_TOO = frozenset({"login", "http", "https"})
_THEIR_PROGRAMS = frozenset(
    [
        "docker",
        "podman",
        "nerdctl",
        "buildah",
        "skopeo",
        "oras",
        "registry",
        "acr",
        "sudo",
        "exec",
        "env",
        "then",
        "do",
    ]
)
# How openssl is told a password.
_OPENSSL = "pass:"


def looks_secret(name: str, value: str) -> bool:
    """Whether a variable's value should not be written to a file."""
    if _contains(value):
        return True
    if _is_place(value) or (_WORKING_FOLDER.fullmatch(name) and value.startswith("/")):
        return _is_hook(name, value)
    return _is_named(name, value) or _is_hook(name, value) or _is_random(name, value)


def hides_secret(command: str) -> bool:
    """Whether a command contains a secret, as in ``--password=…``, ``-pPASSWORD`` or a URL, or in ``sh -c``."""
    expanded = _expanded(command)
    return mask_shapes(expanded) != expanded or any(True for _ in _in_script(command))


def shown_command(command: str) -> str:
    """A command, with stars in place of what ``hides_secret`` finds in it; where that is no part of it, of all but its
    first word."""
    shown = _replaced(command, _in_script(command))
    if not hides_secret(shown):
        return shown
    first = command.split(maxsplit=1)[:1]
    return " ".join([*(word for word in first if not hides_secret(word)), MASK])


def shown_words(words: Sequence[str], of: Sequence[str] = ()) -> tuple[str, ...]:
    """The same for the words of a command in exec form, or for some of the words ``of`` a command."""
    if of:
        return tuple(map(_replacement(_in_words(of)), words))
    shown = tuple(map(_replacement(_in_words(words)), words))
    if mask_shapes(" ".join(shown)) == " ".join(shown) and not any(True for _ in _in_words(shown)):
        return shown
    return *(word for word in words[:1] if not hides_secret(word)), MASK


def definition_secrets(definition: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The texts in a task definition that may be secrets, the longest first: values of variables, parts of commands."""
    found = {*secret_values(definition), *told_secrets(definition)}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def told_secrets(definition: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Those in commands only, which ECS repeats in its reasons."""
    found = {
        secret
        for container in (definition or {}).get("containerDefinitions", [])
        for member in (container, container.get("healthCheck") or {})
        for name in _COMMANDS
        for secret in command_secrets(member.get(name) or ())
    }
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def shown_log(lines: Sequence[str], values: Iterable[str] = ()) -> list[str]:
    """Lines of a log without ``values`` and what looks like a secret; a private key becomes one line."""
    values = tuple(values)
    return [_shown_line(line) for line in without_keys([with_values_masked(line, values) for line in lines])]


def _shown_line(line: str) -> str:
    """A line without secrets; also without those of a command that a shell or another program tells."""
    line = mask(line)
    begins = traced_at(line)
    told, rest = line[begins:LONGEST], line[LONGEST:]
    if begins:
        return line[:begins] + shown_command(told) + rest
    return _replaced(told, _told(told.split())) + rest if " -" in told else line


def shown_member(name: str, value: Any) -> Any:
    """A member of a task definition as it is shown: commands as ``shown_words``, the rest by names and forms."""
    if name in _COMMANDS and isinstance(value, list | tuple):
        return list(shown_words(list(map(str, value))))
    if isinstance(value, Mapping):
        return {key: shown_member(key, member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [shown_member("", each) for each in value]
    if not isinstance(value, str):
        return value
    return MASK if _is_given(name, value) else mask_shapes(value)


def command_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """What is hidden of a command in exec form, where it is long enough to be told from other text."""
    found = {secret for secret, shown in _in_words(words) if shown == MASK or " " in secret}
    return tuple(secret for secret in found if len(secret) >= _SHORTEST)


def _expanded(command: str) -> str:
    return _EXPANSION.sub("$X", command)


def _in_script(command: str, depth: int = 3) -> Iterator[tuple[str, str]]:
    command = _expanded(command)
    return _found(_words(command), command, depth)


def _in_words(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    expanded = [_expanded(word) for word in words]
    return _found(expanded, " ".join(expanded), 3)


def _found(words: Sequence[str], command: str, depth: int) -> Iterator[tuple[str, str]]:
    """The secrets in a command, and what is shown in their place; whole ones before their parts."""
    given = [*_assigned(words), *_flags(words), *_pairs(command)]
    yield from ((value, MASK) for name, value in given if _is_given(name, value))
    yield from _told(words)
    yield from ((word, MASK) for word in words if len(word) >= _LONG_WORD and _is_random("", word))
    for word in words:
        if ":" in word and (shown := mask(word)) != word:
            yield from _hidden(word, shown)
        if depth > 0 and " " in word:
            yield from _in_script(word, depth - 1)


def _hidden(word: str, shown: str) -> Iterator[tuple[str, str]]:
    """A word and what is shown of it; or its secrets, where the shell puts something into the rest."""
    if "$" not in word:
        yield word, shown
        return
    first, *others = shown.split(MASK)
    begin = len(first)
    for other in others:
        end = word.find(other, begin) if other else len(word)
        yield word[begin:end], MASK
        begin = end + len(other)


def _replaced(text: str, found: Iterable[tuple[str, str]]) -> str:
    return _replacement(found)(text)


def _replacement(found: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """What replaces secrets that are whole words or more, the longest first, in one pass."""
    shown: dict[str, str] = {}
    for secret, instead in found:
        if secret:
            shown.setdefault(secret, instead)
    by_run: dict[str, list[str]] = {}
    for secret in sorted(shown, key=len, reverse=True):
        by_run.setdefault(_RUNS.findall(secret)[0], []).append(secret)

    def replaced(text: str) -> str:
        parts, done = [], 0
        for run in _RUNS.finditer(text) if by_run else ():
            begin = run.start()
            fits = (each for each in by_run.get(run[0], ()) if _is_whole_at(text, begin, each))
            if begin >= done and (secret := next(fits, "")):
                parts += [text[done:begin], shown[secret]]
                done = begin + len(secret)
        return mask_shapes("".join([*parts, text[done:]]))

    return replaced


def _is_whole_at(text: str, begin: int, secret: str) -> bool:
    return text.startswith(secret, begin) and not _OF_A_WORD.match(text, begin + len(secret))


def _contains(value: str) -> bool:
    """Whether there is a secret in the value, whatever its name is."""
    if mask(value) != value or _HEADER_VALUE.fullmatch(value) or _WITH_BLANKS.match(value):
        return True
    if _CREDENTIALS.fullmatch(value):
        return True
    words = _words(value) if " -" in f" {value}" else []
    given = [*_pairs(value), *_members(value), *_flags(words)]
    return any(_is_given(name, inner) for name, inner in given) or any(True for _ in _told(words))


def _is_given(name: str, value: str) -> bool:
    """Whether a name inside a value or a command has a secret as its value."""
    if name.startswith(_NO) or (_WORKING_FOLDER.fullmatch(name) and value.startswith("/")):
        return False
    if _ONLY_KEY.fullmatch(name) and not _LIKE_A_KEY.match(value):
        return False
    return _is_named(name, value) and not _is_place(value) and not refers(value)


def _is_named(name: str, value: str) -> bool:
    if is_secret_by_name(name, value):
        return True
    return bool(_AUTH_NAME.search(name) and _AUTH_VALUE.fullmatch(value)) and not _is_all_references(value)


def _is_all_references(value: str) -> bool:
    return all(is_reference(part) for part in re.split(r"[:/]", value))


def _is_hook(name: str, value: str) -> bool:
    return bool(_HOOK_NAME.search(name) and _HOOK_VALUE.match(value))


def _is_place(value: str) -> bool:
    return bool(_PLACE.fullmatch(value)) or _is_path(value)


def _is_path(value: str) -> bool:
    """Whether a value is a path of plain words, as ``/run/secrets/db_password`` is and ``/kJ8x2q/Ab9`` is not."""
    segments = value.strip("/").split("/")
    return value.startswith("/") and len(segments) >= _SEGMENTS and all(map(_is_plain, segments))


def _is_plain(segment: str) -> bool:
    humps = _HUMP.findall(segment)
    letters = sum(map(len, humps))
    return len(segment) <= _SHORT_SEGMENT or 0 < len(humps) * _LETTERS_A_HUMP <= letters


def _is_random(name: str, value: str) -> bool:
    """Whether a value looks like one that a program has chosen at random, and like no path, name or identifier."""
    if not _RANDOM.fullmatch(value) or not all(re.search(kind, value) for kind in _KINDS):
        return False
    if _IDENTIFIES.search(name) or _FOLDER.match(value):
        return False
    return not all(_PLAIN_PART.fullmatch(part) for part in _PART.findall(value))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """The members of connection strings, queries and assignments: ``name=value``."""
    for found in _PAIR.finditer(text):
        yield found["name"], found["double"] or found["single"] or found["plain"] or ""
    for found in _DEFAULT.finditer(text):
        yield found["name"], found["value"]


def _members(value: str) -> Iterator[tuple[str, str]]:
    """The texts and numbers in a value that is JSON, with their names."""
    if not value.lstrip().startswith(("{", "[")):
        return
    try:
        left = [("", parsed(value))]
    except ValueError:
        return
    while left:
        name, found = left.pop()
        if isinstance(found, Mapping):
            left += found.items()
        elif isinstance(found, list):
            left += [(name, inner) for inner in found]
        elif isinstance(found, str | int | float) and not isinstance(found, bool):
            yield name, str(found)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _assigned(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Words such as ``name=value`` and ``--name=value``, out of their quotes: the value may contain anything.

    Not scripts, which have words before the name or, as ``TOKEN=$OTHER app``, behind the value.
    """
    for word in words:
        name, _, value = word.partition("=")
        first, *more = value.split(maxsplit=1) or [""]
        if " " not in name and not (more and (is_reference(first) or first == MASK)):
            is_script = more and first.endswith((";", "&"))
            yield name, (first if is_script else value).rstrip(";&,")


def _flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Flags whose value is the next word; those with ``=`` are pairs."""
    for word, following in pairwise(words):
        if word.startswith("-") and "=" not in word and not following.startswith("-"):
            yield word, following


def _told(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The passwords that programs are told by short flags of their own, also with the flag where it is in one word."""
    flags: tuple[_Flag, ...] = ()
    before = ""
    for word, following in pairwise([*words, ""]):
        if word.startswith(_OPENSSL) and _is_told_plainly(word.removeprefix(_OPENSSL)):
            yield word.removeprefix(_OPENSSL), MASK
        program = _PROGRAMS.get(word.rpartition("/")[2]) if _is_program(word, before) else None
        flags = program or (() if word in _SEPARATORS else flags)
        for value in (
            () if program else filter(_is_told_plainly, (each.password(word, following) for each in flags))
        ):
            yield value, MASK
            if word.endswith(value):
                yield word, word.removesuffix(value) + MASK
        before = word


def _is_program(word: str, before: str) -> bool:
    if word not in _WORDS_TOO:
        return True
    starts = not before or before in _SEPARATORS or before.endswith(";")
    return starts or before.rpartition("/")[2] in _THEIR_PROGRAMS


def _is_told_plainly(value: str) -> bool:
    return bool(value) and value != MASK and not is_reference(value) and not value.startswith("-")
