"""Masks secrets in what is shown: values of environment variables, and text that looks like a key. Pure.

Which names hold secrets is decided here for logs, commands and variables alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MASK = "***"
_SHORTEST, _SHORTEST_NAMED = 6, 4
_SECRET_NAME = re.compile(
    r"key|token|secret|pass|pwd|credential|auth|dsn|private|salt|signature|cookie|_ur[li]$", re.IGNORECASE
)
# Parts that are shown: words, numbers, regions, versions, host names, paths.
_WORD = r"(?>(?:[A-Za-z]{1,15}|\d{1,5}|[A-Za-z]?\d{1,3}[A-Za-z]?)(?![A-Za-z0-9]))"
_PLAIN = re.compile(
    rf"{_WORD}(?:[-_.:,/ ]{_WORD}){{0,200}}|[a-z0-9.-]{{1,253}}\.[a-z]{{2,63}}(?::\d{{1,5}})?"
    r"|/?(?:[\w.-]{1,20}/){1,64}[\w.-]{0,20}"
)
# Names after ``_joined``. What ends a name in another environment, form or number says nothing of its kind.
_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s.:/\[\]-]")
_SUFFIX = re.compile(
    r"(?:_(?:\d{1,4}|prod|production|dev|development|staging|stage|test|live|main|primary|secondary|old|new|current"
    r"|previous|next|default|base|value|plain|text|raw|b64|base64|json|encoded|hex|pem)){1,8}$"
)
_OF_A_PASSWORD = r"passw(?:or)?ds?|passphrase|passcode|pwd|(?<!com)(?<!by)pass|(?:^|_)(?:pw|pin)"
_HOLDS = re.compile(
    rf"(?:{_OF_A_PASSWORD})$|passw|passphrase|secret|credential|mnemonic|signature|token(?!i[sz])"
    r"|(?:^|_)(?:pat|creds?|jwt|sig|psk|pepper)$|(?:dsn|salt|cookie|private|authorization)$"
    r"|(?:api|ai|app|access|auth|encryption|signing|master|service|account|secret|private|shared|_)_?keys?$|^keys?$"
)
_PASSWORD = re.compile(rf"(?:{_OF_A_PASSWORD})$")
# What a number can be too: not how many tokens there are, or a longest password.
_NUMBERED = re.compile(
    r"^(?!max_|min_|num_|n_).{0,200}(?:token|secret|credential|key|salt|signature|private)$"
)
# Names that describe a secret, such as its location or form, or that are of another kind of key.
_ABOUT = re.compile(
    r"_(?:ur[li]|endpoint|name|arn|id|ttl|expiry|expires|expiration|lifetime|header|path|file|dir|type|kind|version"
    r"|len|length|min|max|limit|count|size|policy|hasher|alg|algorithm|method|mode|backend|provider|region|timeout"
    r"|duration|prefix|suffix|format|enabled|disabled|required|issuer|audience|scopes?|field|column|param|label|hint"
    r"|host|port|domain|bucket|table|store|manager|rotation|days|hours|minutes|seconds|age|strategy|location|source)$"
    r"|(?:sort|partition|primary|foreign|group|cache|range|public|index|row|order|lookup"
    r"|routing|object|s3|kms|idempotency|join|hot)_?keys?$"
)
_SECRET_IDS = re.compile(r"secret_id$")
_HARMLESS = re.compile(
    r"true|false|yes|no|on|off|none|null|nil|undefined|enabled|disabled|required|optional|auto|\*{1,64}|<[^<>]{0,64}>"
    r"|\$\d{1,3}|%s|\?",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"['\"]?(?:\$[A-Z_][A-Z0-9_]{0,127}|\$\{\w{1,128}\}|\$\(\w{1,128}\)|\{\{[^{}]{0,128}\}\}|%\(\w{1,128}\)s|\{\w{0,128}\})['\"]?"
)
_LONG_NUMBER, _LONG_PIN, _LONGEST_NAME = 6, 4, 512

# Keys by what their vendors begin or end them with.
_SHAPES = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}+"
    r"|\b(?:gh[pousr]|github_pat|gl(?:pat|dt|rt|ptt|cbt|soat|ft|agent|imt)|xox[abeoprs]|xapp|whsec)[-_][A-Za-z0-9_-]{10,}+"
    r"|\b(?:(?:hf|npm|gsk|r8|fw|figd|shp(?:at|ss|ca|pa)|lin_api|ntn|rubygems|rnd|nfp|sbp|do[opr]_v1)_|dapi(?=\w{0,64}\d))"
    r"[A-Za-z0-9]{16,}+"
    r"|\b(?:sb_secret|dckr_pat|pscale_(?:tkn|pw|oauth)|pcsk|lsv2_(?:pt|sk)|gl(?:c|sa)|sntry[su]|bkua|ATATT3|ATCTT3)"
    r"[A-Za-z0-9_=-]{16,}+"
    r"|\bABSK[A-Za-z0-9+/=]{16,}+|\bbedrock-api-key-[A-Za-z0-9+/=]{16,}+|\bnvapi-[A-Za-z0-9_-]{16,}+"
    r"|\b(?:pypi-|NRAK-|PMAK-|CCIPAT_|HRKU-|GOCSPX-|AIza|ya29\.|tvly-|pplx-|xai-|sq0(?:atp|csp)-|dp\.(?:pt|st|ct|sa)\."
    r"|hv[sbr]\.|AGE-SECRET-KEY-1|dt0[a-z]\d\d\.)[A-Za-z0-9_.=-]{16,}+"
    r"|\bpul-[0-9a-f]{40}\b|\bSG\.[A-Za-z0-9_-]{16,64}+\.[A-Za-z0-9_-]{16,}+"
    r"|\b(?:SK|key-|pat-(?:na|eu)\d-)[0-9a-f]{32}\b|\b[0-9a-f]{32}-us\d{1,2}\b|\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b"
    r"|\b\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])|\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{16,}+"
    r"|(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w~-])"
    r"|\beyJ[A-Za-z0-9_-]{8,1024}+(?:\.[A-Za-z0-9_-]*+){2,4}+"
    r"|\bhooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{8,}+"
    r"|\bdiscord(?:app)?\.com/api/webhooks/[\w/-]{8,}+"
    r"|\bwebhook\.office\.com/webhookb2/[\w/@-]{8,}+|\bhooks\.zapier\.com/hooks/[\w/-]{8,}+"
)
# What begins like a key and is a name: ``sk-learn-dashboard``, ``xai-reports-1234567890.us-east-2.elb.amazonaws.com``.
_NAMES_PART = r"(?:[a-z]{1,15}\d{0,2}|\d{1,10})"
_NAME = re.compile(rf"{_NAMES_PART}(?:[-_.]{_NAMES_PART}){{1,20}}")
# Beginnings that a name can have too, and then a part of it that is none of a name: chosen at random.
_LIKE_A_NAME = re.compile(
    r"(?!sk-(?:proj|ant|svcacct|admin|or)-|[spr]k_(?:live|test)_)"
    r"(?:[spr]k|xai|pypi|tvly|pplx|nvapi|hf|npm|gsk|fw|figd|ntn|rubygems|rnd|nfp|sbp|xapp|whsec|dp|key)[-_.]"
)
_SEPARATORS = re.compile(r"[-_.]")
# Short, a number, or letters that can be said: no five consonants follow each other.
_PLAIN_PART = re.compile(
    r".{0,11}|\d{1,64}|(?i:(?!.{0,64}[b-df-hj-np-tv-xz]{5}))(?:[A-Z]?[a-z]{2,64}+){1,8}+\d{0,4}", re.DOTALL
)
_OF_A_KEY = r" [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_PRIVATE_KEY = re.compile(rf"-{{4,5}} ?BEGIN{_OF_A_KEY}|\bPrivate-Lines: \d{{1,4}}")
_KEYS_END = re.compile(rf"-{{4,5}} ?END{_OF_A_KEY}|\bPrivate-MAC: [0-9a-f]{{0,64}}")
# What a key's line has besides base64 and what programs put around it: a header (RFC 1421, RFC 4716, RFC 4880).
_KEYS_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Subject|Hash|Charset|X-[\w-]{1,32}): ")
_KEYS_WORD = re.compile(r"(?:[A-Z]?[a-z]{2,32}+){1,8}+|[A-Z]{1,64}|\d{1,64}|\*{3}")
_ALL_KINDS = re.compile(r"(?=[^a-z]{0,64}[a-z])(?=[^A-Z]{0,64}[A-Z])(?=\D{0,64}\d)")
_NUMBER = re.compile(r"\d{1,64}+")
_KEYS_CHECKSUM = re.compile(r"=[A-Za-z0-9+/]{4}")
_OF_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_AROUND_KEYS, _NEW_LINES = " \t\r\n'\",", ("\\n", "\\r")
_KEYS_LONG_LINE = 40
# Longer than names and paths are; a line of PEM has 64 characters, of OpenSSH 70.
_LONG_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}+")
# Twelve characters, with small and capital letters and two digits near each other; the name of a class has one.
_RANDOM_PART = re.compile(r"(?=[^a-z]{0,11}[a-z])(?=[^A-Z]{0,11}[A-Z])(?=\D{0,5}\d\D{0,5}\d).{12}", re.DOTALL)
_QUOTES = ("'", '"', "\\'", '\\"', "\\\\")
_CLOSING, _OWN = ")}]\\", 2
_ITS_END, _DASHES = "-----END", "-----"

# What comes behind a quote that ends a value, in JSON and what programs print of objects.
_ENDS = r"(?:\s|$|[,:](?:[\"'{\[\s\d]|$)|[;)}\]]{1,8}(?:[,)}\]\s\"']|$))"
# A value without quotes goes on behind a separator, unless another member or the end of the text comes then.
_UNQUOTED = rf"(?:[^\s,;&'\"]|[,;&](?!\s|$|[\"']?[\w. -]{{1,40}}[\"']?[=:])|[\"'](?!{_ENDS}))"
# ``{{ name }}``, which may contain blanks, and nothing behind it.
_TEMPLATE = r"\{\{[^{}'\"\r\n]{0,128}\}\}(?=[\s,;&'\"})\]]|$)"
_QUOTED = rf"\\{{1,3}}+[\"'][^\"']*+|\"(?:[^\"\\]|\\.)*+|'(?:[^'\\]|\\.)*+|{_TEMPLATE}"
_QUOTE = r"\\{0,3}+['\"]?"
# A kind of authentication before the secret, as in ``Bearer abcd``; others have members, ``Digest username="x", …``.
_SCHEME = (
    r"(?:(?:bearer|basic|token|api-?key|key|jwt|negotiate|ntlm|bot|ssws|geniekey|dpop|privatetoken)"
    r"(?::\s{0,100}+|\s{1,100}+)){1,2}+(?:token=)?(?:[b\[({<]{1,2}(?=[\"']))?"
)
_WITH_MEMBERS = (
    r"(?:digest|oauth|hawk|mac|signature|hoba|mutual|vapid|aws4-[\w-]{1,40}+|scram-[\w-]{1,40}+)[:\s]"
)
_ITS_SCHEME = re.compile(_SCHEME, re.IGNORECASE)
_BEHIND_SCHEME = (
    rf"{_WITH_MEMBERS}(?=[^\r\n=]{{0,256}}=)[^\r\n]++"
    rf"|(?:{_SCHEME}|{_WITH_MEMBERS}\s{{0,100}}+)(?:{_QUOTED}|{_UNQUOTED}++)"
)
_NAMED = re.compile(
    r"(?<![\w.-])(?<![\w:]:)(?P<name>[\w.-]{0,256}?"
    r"(?:passw(?:or)?d|passphrase|passcode|pass|pwd|secret|token|credential|signature"
    r"|(?:api|access|private|account|shared|signing|encryption|master)[ _-]?key)[\w.-]{0,256}+)"
    rf"(?P<between>{_QUOTE}(?:\s{{0,100}}+[=:]>?\s{{0,100}}+|>|%3D)(?:(?!{_TEMPLATE})[\[({{]){{0,2}}+)"
    rf"(?P<value>{_BEHIND_SCHEME}|{_QUOTED}|{_UNQUOTED}{{4,}}+)",
    re.IGNORECASE,
)
_FLAG = re.compile(
    r"(?<!\S)(?!--?no-)(?P<name>--?[\w.-]{0,64}?"
    r"(?:passw(?:or)?d|passphrase|pass|pwd|secret|token|api[_-]?key)[\w.-]{0,64}+)"
    rf"(?P<between>[ ]{{1,8}}+)(?!-)(?P<value>{_BEHIND_SCHEME}|{_QUOTED}|{_UNQUOTED}{{4,}}+)",
    re.IGNORECASE,
)
# What an error says behind the name of a flag; a command that a shell traces or a program repeats has none.
_PROSE = re.compile(r"[a-z]{1,32}[.,:;!?)]{0,3}")
_TRACED = re.compile(r"\s{0,64}[+$>]{1,8} ")
_AUTHORIZATION = re.compile(
    rf"(?P<name>authorization(?P<header>[ _-]headers?)?{_QUOTE}\s{{0,100}}+[=:]>?\s{{0,100}}+"
    r"[\[({]{0,2}+(?:b(?=['\"]))?)"
    rf"(?P<value>{_QUOTED}|{_WITH_MEMBERS}[^\r\n]++|{_SCHEME}(?:{_QUOTED}|[^\s'\",;&]++)"
    rf"|(?!{_SCHEME})(?:[A-Za-z][\w-]{{0,256}}+[ ]{{1,100}}+)?(?:{_QUOTED}|[^\s'\",;&]{{4,}}+))",
    re.IGNORECASE,
)
_OF_WORDS = re.compile(r"[A-Za-z]{1,32}(?: [A-Za-z]{1,32})?")
_COOKIE = re.compile(
    rf"(?P<name>\b(?:set-)?cookie{_QUOTE}\s{{0,100}}+[=:]\s{{0,100}}+{_QUOTE})[\w.!#$%*+-]{{1,256}}+=[^\r\n'\"]++",
    re.IGNORECASE,
)

# Members of connection strings and queries. AWS says ``secret:`` with a name behind it, never these with ``=``.
_MEMBER = (
    r"(?:password|passwd|pwd|account[ _-]?key|shared[ _-]?access[ _-]?(?:key|signature)"
    r"|x-amz-(?:signature|security-token)|access[ _-]?token|client[ _-]?secret|api[ _-]?key|sig)"
)
_ENTRY = re.compile(
    rf"(?P<name>;\s{{0,8}}+{_MEMBER}\s{{0,8}}+=\s{{0,8}}+)"
    rf"(?P<value>{_QUOTED}|(?:[^;\r\n'\"]|['\"](?!{_ENDS}))++)",
    re.IGNORECASE,
)
_IN_QUERY = re.compile(
    rf"(?<![\w.-])(?!(?-i:PWD)=/)(?P<name>{_MEMBER}\s{{0,8}}+=(?!>)\s{{0,8}}+)"
    rf"(?P<value>{_BEHIND_SCHEME}|{_QUOTED}|{_UNQUOTED}++)",
    re.IGNORECASE,
)

# The user and ``:`` before a password, which may contain ``/`` and ``@``: it ends at a word's last ``@``. Some users
# have an ``@`` themselves; with SSH, a path follows the colon behind one. A number before ``/`` is a port, but not for
# databases, whose URLs have no ``@`` behind it.
_BREAK = re.compile(rf"(\s|[\"'](?={_ENDS}))")
_USER = re.compile(
    r"(?:://(?!\[)[^\s:/@]{0,256}+|(?<!ssh)://(?!\[)[^\s:/]{0,256}+):|\bjdbc:oracle:\w{1,16}:[^\s:/@]{1,128}/"
)
_PORT = re.compile(r"\d{2,5}[/?#,;]")
_DATABASE = re.compile(
    r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|valkeys?|amqps?|cockroachdb|clickhouse|snowflake|mssql|oracle|neo4j"
    r"|bolt|kafka|nats|ldaps?|smtps?)(?:\+[\w-]{1,20})?$"
)
_LONGEST_SCHEME = 40
_DIGEST = "sha256:"
_KEY_AS_USER = re.compile(
    r"(?P<before>://)(?=[^\s:/@]{0,256}\d)[A-Za-z0-9_=-]{20,256}+(?=(?::[^\s/@]{0,64}+)?@)"
)


def secret_values(definition: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Values of a task definition's environment variables that may be secrets, the longest first.

    A value of several lines also by its lines, which a log has one by one.
    """
    found = {
        part
        for container in (definition or {}).get("containerDefinitions", [])
        for variable in container.get("environment", [])
        if _may_be_secret(variable.get("name", ""), variable.get("value", ""))
        for part in _parts(variable.get("value", ""))
    }
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def mask(line: str, values: Iterable[str] = ()) -> str:
    """A log line with ``values``, and text that looks like a secret, masked."""
    line = mask_shapes(with_values_masked(line, values))
    line = _COOKIE.sub(lambda found: f"{found['name']}{MASK}", line)
    line = _AUTHORIZATION.sub(_without_authorization, line)
    given = _without_value if _TRACED.match(line) else _without_given
    return _FLAG.sub(given, _NAMED.sub(_without_value, line))


def traced_at(line: str) -> int:
    """Where the command begins in a line in which a shell tells what it runs (``set -x``); 0 in any other line."""
    found = _TRACED.match(line)
    return found.end() if found else 0


def without_keys(lines: Sequence[str]) -> list[str]:
    """The lines of a log with each private key in them as one masked line, although a log has a key line by line.

    A key's beginning or end need not be among the lines. A line that only names one has no key beside it.
    """
    shown: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        begin, end = _PRIVATE_KEY.search(line), _KEYS_END.search(line)
        if begin and not _KEYS_END.search(line, begin.end()):
            before, after = line[: begin.start()], line[begin.end() :]
            at, end = _last_of_key(lines, at, _form(before), after)
            shown.append(f"{before}{MASK}{lines[at][end.end() :] if end else ''}")
        elif end and not begin:
            before, after = line[: end.start()], line[end.end() :]
            del shown[_first_of_key(shown, _form(before), after) :]
            shown.append(f"{MASK}{after}")
        else:
            shown.append(_LONG_BASE64.sub(_without_random, line))
            long = _LONG_BASE64.search(line) if shown[-1] != line else None
            if long:
                before, after = line[: long.start()], line[long.end() :]
                at, end = _last_of_key(lines, at, _form(before), after, begun=True)
                at -= bool(end)
        at += 1
    return shown


def _last_of_key(
    lines: Sequence[str], begins: int, form: str, after: str = "", *, begun: bool = False
) -> tuple[int, re.Match[str] | None]:
    """The last line of a key, and what ends it there, if anything; the line it begins in if there is no base64."""
    last, is_short = begins, False
    for at in range(begins + 1, len(lines)):
        if end := _KEYS_END.search(lines[at]):
            return at, end
        line = _KeysLine.of(lines[at], after)
        if not is_short and line.is_long and (line.form == form or not begun):
            begun, form = True, line.form
        elif line.is_short(form) and (not is_short or line.is_checksum):
            is_short = True
        elif line.is_masked(form):
            begun = True
        elif is_short or not line.is_header(form):
            break
        last = at if begun and not line.is_header(form) else last
    return last, None


def _first_of_key(shown: Sequence[str], form: str, after: str) -> int:
    """Where a key begins that ends behind these lines: with its headers, if there is base64 behind them."""
    at = len(shown)

    def line() -> _KeysLine:
        return _KeysLine.of(shown[at - 1] if at else "", after)

    at -= line().is_checksum and line().is_short(form)
    at -= line().is_short(form)
    last = at
    while at and (line().is_long or line().is_masked(form)):
        at -= 1
    while at and at < last and line().is_header(form):
        at -= 1
    return at


def _form(text: str) -> str:
    """A text with each number as 0: the times before the lines of a log are of one form."""
    return _NUMBER.sub("0", text)


@dataclass(frozen=True)
class _KeysLine:
    """A line as one of a key: its base64 or ``***`` at the end, and the form of the line and of what is before that."""

    line: str
    form: str
    base64: str

    @classmethod
    def of(cls, line: str, after: str = "") -> _KeysLine:
        """``after`` is what stands behind the key's beginning or end in its line."""
        line = line.removesuffix(after) if after.strip() else line
        text = line.rstrip(_AROUND_KEYS)
        while text.endswith(_NEW_LINES):
            text = text[:-2].rstrip(_AROUND_KEYS)
        before = text.removesuffix(MASK) if text.endswith(MASK) else text.rstrip(_OF_BASE64)
        return cls(_form(line), _form(before), text[len(before) :])

    @property
    def is_long(self) -> bool:
        """Whether it is a whole line of base64."""
        return len(self.base64) >= _KEYS_LONG_LINE and bool(_ALL_KINDS.match(self.base64))

    @property
    def is_checksum(self) -> bool:
        """Whether it is the checksum behind base64 (RFC 4880)."""
        return bool(_KEYS_CHECKSUM.fullmatch(self.base64))

    def is_short(self, form: str) -> bool:
        """Whether it can be the last line of base64, behind the same as the others."""
        return self.form == form and bool(self.base64) and not _KEYS_WORD.fullmatch(self.base64)

    def is_masked(self, form: str) -> bool:
        """Whether it has been masked before."""
        return self.form == form and self.base64 == MASK

    def is_header(self, form: str) -> bool:
        """Whether it is a header or blank."""
        if not self.line.startswith(form.rstrip()):
            return False
        rest = self.line.removeprefix(form.rstrip()).strip(_AROUND_KEYS)
        return rest in ("", *_NEW_LINES) or bool(_KEYS_HEADER.match(rest))


def _without_random(found: re.Match[str]) -> str:
    is_random = any(_RANDOM_PART.search(part) for part in found[0].split("/"))
    return MASK if is_random else found[0]


def with_values_masked(line: str, values: Iterable[str]) -> str:
    """A line with ``values`` masked, and nothing else."""
    for value in values:
        line = line.replace(value, MASK)
    return line


def mask_shapes(text: str) -> str:
    """AWS's own text, where ``secret:`` is part of a name, with text in the form of a key masked.

    These are keys of known vendors, private keys, passwords in URLs, and members of connection strings.
    """
    text = _SHAPES.sub(_without_key, _without_private_keys(text))
    if "://" in text or "jdbc:" in text:
        text = _KEY_AS_USER.sub(rf"\g<before>{MASK}", text)
        text = "".join(_without_password(part) for part in _BREAK.split(text))
    return _IN_QUERY.sub(_without_member, _ENTRY.sub(_without_member, text))


def is_secret_name(name: str) -> bool:
    """Whether a variable, flag or member with this name holds a secret, and does not only describe one."""
    joined = _joined(name)
    return bool(_SECRET_IDS.search(joined) or (_HOLDS.search(joined) and not _ABOUT.search(joined)))


def is_secret_by_name(name: str, value: str) -> bool:
    """Whether a name says that its value is a secret: not a switch, a reference or, except for passwords, a number."""
    if not value or not is_secret_name(name) or _HARMLESS.fullmatch(value) or is_reference(value):
        return False
    if not value.isdigit():
        return True
    joined = _joined(name)
    if _PASSWORD.search(joined):
        return len(value) >= _LONG_PIN
    return len(value) >= _LONG_NUMBER and bool(_NUMBERED.search(joined))


def is_reference(value: str) -> bool:
    """Whether a value only names a variable, as in ``$NAME`` and ``${NAME}``; a password may begin with ``$``."""
    return bool(_REFERENCE.fullmatch(value))


def refers(inner: str) -> bool:
    """Whether a value only names a variable, also behind a scheme or in brackets."""
    scheme = _ITS_SCHEME.match(inner)
    return any(map(is_reference, _without_ends(inner[scheme.end() :] if scheme else inner)))


def _joined(name: str) -> str:
    """A name in small letters with ``_`` between its words, without what may follow its kind."""
    return _SUFFIX.sub("", _SEAM.sub("_", name[-_LONGEST_NAME:]).lower().strip("_"))


def _without_key(found: re.Match[str]) -> str:
    text = found[0]
    is_name = _NAME.fullmatch(text) or (
        _LIKE_A_NAME.match(text) and all(map(_PLAIN_PART.fullmatch, _SEPARATORS.split(text)))
    )
    return text if is_name else MASK


def _without_value(found: re.Match[str]) -> str:
    name, (before, inner) = found["name"], _opened(found["value"])
    if name == "PWD" and inner.startswith("/"):
        return found[0]
    if refers(inner) or not all(is_secret_by_name(name, form) for form in _without_ends(inner)):
        return found[0]
    return f"{name}{found['between']}{before}{MASK}"


def _without_given(found: re.Match[str]) -> str:
    return found[0] if _PROSE.fullmatch(found["value"]) else _without_value(found)


def _without_authorization(found: re.Match[str]) -> str:
    before, inner = _opened(found["value"])
    said = not inner or (found["header"] and not before and _OF_WORDS.fullmatch(inner))
    return found[0] if said or refers(inner) else f"{found['name']}{before}{MASK}"


def _without_member(found: re.Match[str]) -> str:
    before, inner = _opened(found["value"])
    return found[0] if refers(inner) else f"{found['name']}{before}{MASK}"


def _without_ends(inner: str) -> Iterator[str]:
    """A value without the brackets around it, which may also be its own, as in ``(password=${NAME})``."""
    shortest = len(inner.rstrip(_CLOSING))
    yield from (inner[: shortest + own] for own in range(_OWN + 1))


def _opened(value: str) -> tuple[str, str]:
    """What is shown of a value: its scheme, and the quote that it begins with, with its backslashes; and the rest."""
    scheme = _ITS_SCHEME.match(value)
    rest = value[scheme.end() :] if scheme else value
    inner = rest.lstrip("\\").lstrip("\"'") if rest.startswith(_QUOTES) else rest
    return value[: len(value) - len(inner)], inner


def _without_private_keys(text: str) -> str:
    """From the line that begins a key to the one that ends it; without such a line to the end of the text."""
    shown, at = [], 0
    while found := _PRIVATE_KEY.search(text, at):
        shown += [text[at : found.start()], MASK]
        end = text.find(_ITS_END, found.end())
        after = text.find(_DASHES, end + len(_ITS_END)) if end >= 0 else -1
        at = after + len(_DASHES) if after >= 0 else len(text)
    return "".join([*shown, text[at:]])


def _without_password(word: str) -> str:
    """A word, with the password of a URL masked."""
    end = word.rfind("@")
    if end < 0 or word.startswith(_DIGEST, end + 1):
        return word
    for found in _USER.finditer(word, 0, end):
        value = word[found.end() : end]
        if value and not is_reference(value) and not _is_port(word, found, value):
            return f"{word[: found.end()]}{MASK}{word[end:]}"
    return word


def _is_port(word: str, user: re.Match[str], after: str) -> bool:
    """Whether a port and a path follow, and ``user`` is a host."""
    before = word[max(0, user.start() - _LONGEST_SCHEME) : user.start()]
    named = user[0].strip(":/")
    return bool(named and _PORT.match(after) and not _DATABASE.search(before) and "jdbc" not in named)


def _parts(value: str) -> Iterator[str]:
    yield value
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _SHORTEST and not _PLAIN.fullmatch(line))


def _may_be_secret(name: str, value: str) -> bool:
    if is_secret_by_name(name, value) and value.isdigit():
        return len(value) >= _SHORTEST
    if _SECRET_NAME.search(name):
        return len(value) >= _SHORTEST_NAMED and not value.isdigit()
    return len(value) >= _SHORTEST and not _PLAIN.fullmatch(value)
