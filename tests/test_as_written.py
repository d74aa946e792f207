"""Reading YAML and JSON as written, with each key once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lobster_tasks.as_written import PlainScalar, UnreadableError, given_twice, load_json, load_yaml

# Scalars that YAML 1.1 converts ("Float, int, bool and timestamp language-independent types").
CHANGED = (
    *(
        "24.10",
        "1.50",
        "1_000.0",
        "6.02e+23",
        ".5",
        ".inf",
        "+4912345",
        "-0",
        "0123",
        "0x1F",
        "0b11",
        "1_000",
    ),
    *("22:30", "190:20:30", "1:30.5", "on", "Off", "yes", "NO", "True", "2024-01-01", "2024-01-01 10:00:00Z"),
)


@pytest.mark.parametrize("word", CHANGED)
def test_a_scalar_is_what_is_written(word: str) -> None:
    assert yaml.safe_load(word) != word, "not of the kind"
    found = load_yaml(f"lobster:\n  value: {word}\n  list: [{word}]\n  {word}: key\n  text: '{word}'\n")[
        "lobster"
    ]
    assert found == {"value": word, "list": [word], word: "key", "text": word}
    assert found["value"].meaning == yaml.safe_load(word)
    assert (type(found["value"]), type(found["text"])) == (PlainScalar, str)


def test_two_halves_of_a_character_are_one_in_json_as_yaml() -> None:
    """As Python writes JSON; "To escape an extended character" it takes both (RFC 8259, 7)."""
    tree = {"\U0001f600": ["ü€\U0001f600\u2028"]}
    assert load_yaml(json.dumps(tree)) == load_json(json.dumps(tree)) == tree
    assert load_yaml('"\\ud83d"') == "\ud83d"


def test_nothing_is_nothing() -> None:
    assert load_yaml("{a: null, b: ~, c: , d: ''}") == {"a": None, "b": None, "c": None, "d": ""}
    assert load_yaml("# nothing\n") is None


def test_anchors_and_merges_are_followed() -> None:
    text = "base: &base {a: 1.10, b: 2}\nlobster: {<<: *base, b: 3}\n"
    assert load_yaml(text)["lobster"] == {"a": "1.10", "b": "3"}


# What YAML itself takes for a number or a date, and cannot convert.
_UNCONVERTIBLE = (
    "2024-13-45",
    "2024-02-30",
    "2024-02-30 10:00:00Z",
    "0x_",
    "0b_",
    f"{'9' * 5000}",
    "1:" * 800 + "0.5",
)


@pytest.mark.parametrize("word", _UNCONVERTIBLE)
@pytest.mark.parametrize(("place", "text"), [("value", "a: 1\nb: {}\n"), ("key", "a: 1\n? {}\n: b\n")])
def test_what_yaml_takes_for_more_and_cannot_convert_is_named_with_its_line(
    word: str, place: str, text: str
) -> None:
    """Invoke, which reads the file, too, would end in a traceback."""
    with pytest.raises(UnreadableError, match=r"^line 2, column \d: .{1,200} put it in quotes$"):
        load_yaml(text.format(word))


# Texts with a tag of YAML's that does not take them; and the words of which YAML makes no text.
_MISTAGGED = (
    *(
        "!!bool maybe",
        "!!bool 'hunter2'",
        '!!int ""',
        "!!int x",
        "!!float abc",
        "!!timestamp x",
        "!!timestamp ''",
    ),
    *(
        '!!int " 5"',
        '!!int "- 5"',
        "!!binary ä",
        "!!set x",
        "!!seq x",
        "!!map x",
        "!!omap x",
        "!!pairs x",
        "!x y",
    ),
    *('"\\U00110000"', '"\\UFFFFFFFF"'),
)


@pytest.mark.parametrize("word", _MISTAGGED)
@pytest.mark.parametrize("text", ["a: 1\nb: {}\n", "a: 1\n{}: b\n", "a: 1\nb: [{}]\n"])
def test_a_text_that_its_tag_does_not_take_is_told_with_its_line(word: str, text: str) -> None:
    with pytest.raises(UnreadableError, match=r"^line 2.{0,15}: .*\b(tag|quotes)\b") as refused:
        load_yaml(text.format(word))
    assert not [
        word for word in ("hunter2", "node", "scalar", "codec", "literal") if word in str(refused.value)
    ]


_TAGS = (
    "",
    "!!bool ",
    "!!int ",
    "!!float ",
    "!!timestamp ",
    "!!null ",
    "!!str ",
    "!!binary ",
    "!!set ",
    "!!omap ",
)
_ODD = st.one_of(
    st.text(st.sampled_from("0123456789_xbo:.-+eETZ ~=<"), max_size=12),
    st.sampled_from(
        [*CHANGED, *_UNCONVERTIBLE, "maybe", "", "~", "null", "=", "<<", "-", "?", "*a", "&a", "[", "{a: b}"]
    ),
    st.text(max_size=6),
)
_QUOTED = st.sampled_from(["{}", "'{}'", '"{}"', '"\\U{}"', "[{}]", "!!map {{{}: 1}}"])


@st.composite
def _scalar(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(_TAGS)) + draw(_QUOTED).format(draw(_ODD))


@given(
    _scalar(),
    _scalar(),
    st.sampled_from(["{0}: {1}", "a:\n  ? {0}\n  : {1}\n", "a: {{{0}: {1}}}", "- {1}\n- {0}"]),
)
@example("a", "!!int {=: 3}", "{0}: {1}")
def test_whatever_is_read_is_read_by_invoke_too_or_told_with_its_line(
    key: str, value: str, form: str
) -> None:
    text = form.format(key, value)
    try:
        found = load_yaml(text, "lobster")
    except UnreadableError as error:
        assert re.match(r"line \d", str(error)), str(error)  # noqa: PT017 - most texts are refused
        return
    _check_keys(yaml.safe_load(text))
    for each in _values(found):
        assert not isinstance(each.meaning if isinstance(each, PlainScalar) else None, list | dict)


def _check_keys(tree: Any) -> None:
    """Invoke makes names of variables of the keys, which must be text for that (``Environment._crawl``); it does not
    look into lists."""
    if isinstance(tree, dict):
        assert all(isinstance(key, str) for key in tree)
        for each in (*tree.values(), *tree):
            _check_keys(each)


def _values(tree: Any) -> Iterator[Any]:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    yield tree
    for each in inner:
        yield from _values(each)


@pytest.mark.parametrize("key", ["1", "on", "2024-01-01", "1.5", "~", "!!binary aGk="])
@pytest.mark.parametrize(
    "text",
    ["{}: x\n", "a: {{{}: x}}\n", "lobster: &a {{{}: x}}\na: *a\n", "a: [&a {{{}: x}}]\nb: *a\n"],
)
def test_keys_that_invoke_reads_are_text(key: str, text: str) -> None:
    """It joins them to names of variables ("Environment variables") and would end in a traceback."""
    with pytest.raises(UnreadableError, match=r"^line 1: "):
        load_yaml(text.format(key), "lobster")
    if key[0] not in "~!":
        assert load_yaml(f"lobster: {{a: {{{key}: x}}}}", "lobster") == {"lobster": {"a": {key: "x"}}}


@pytest.mark.parametrize("key", ["8080", "on", "2024-01-01", "1.5", "~", "", "!!binary aGk="])
@pytest.mark.parametrize(
    "text",
    [
        "docker:\n  ports:\n    - ? {}\n      : 80\n",
        "docker:\n- inner:\n    more:\n      ? {}\n      : 80\n",
    ],
)
def test_keys_in_a_list_of_others_are_free(key: str, text: str) -> None:
    """Invoke, which reads the file, too, makes no names of variables of them: it does not look into lists."""
    written = text.format(key)
    _check_keys(yaml.safe_load(written))
    assert load_yaml(written, "lobster").keys() == {"docker"}


@pytest.mark.parametrize(
    "text",
    [
        "lobster: {a: [{~: x}]}",
        "a: [{1: x, 1: y}]",
        "a: [{b: {on: x, on: y}}]",
        "a: {<<: [{1: x}]}",
        "lobster.a: {1: x}",
    ],
)
def test_a_list_frees_neither_our_own_keys_nor_twice_the_same_nor_what_is_merged(text: str) -> None:
    with pytest.raises(UnreadableError, match=r"^line 1: "):
        load_yaml(text, "lobster")


@pytest.mark.parametrize("word", ["=", "<<"])
def test_a_sign_of_yaml_for_a_value_is_named_with_its_line(word: str) -> None:
    with pytest.raises(UnreadableError, match=r"^line 2, column 4: .* put it in quotes$"):
        load_yaml(f"a: 1\nb: {word}\n")


@pytest.mark.parametrize(
    ("text", "place", "found", "expected"),
    [
        ("a:\n\tb: 1\n", "line 2, column 1", "a tab (\\t)", "spaces"),
        ("a: @x\n", "line 1, column 4", "`@`, which cannot begin a value", "quotes"),
        ("a: b: c\n", "line 1, column 5", "a colon without a key", "quotes around a value"),
        ("a: 1\n b: 2\n", "line 2, column 3", "a colon without a key", "indented as its neighbours"),
        ("a:\n  b: 1\n  c d\n", "line 3, column 3", "a line without a colon", "`key: value`"),
        (
            "a:\n    b: 1\n  c: 2\n",
            "line 3, column 3",
            "a key with another indentation",
            "indentation as those",
        ),
        ("a:\n  b: 1\n  - c\n", "line 3, column 3", "an item of a list", "of the same kind"),
        ("a: {\n", "line 2, column 1", "the end of the file", "what closes a bracket or a brace"),
        (
            "a:\n  b: {c: 1\nd: 2\n",
            "line 3, column 2",
            "`:`",
            "a comma, or the `}` that closes what line 2 opens",
        ),
        ("a: [1, 2\nb: 3\n", "line 2, column 2", "`:`", "the `]` that closes what line 1 opens"),
        ("a: 1\nb: 'c\nd: 1\n", "line 2, column 4", "a quote without its closing quote", "a closing quote"),
        ("a: *.example.com\n", "line 1, column 4", "* or & before `.`", "quotes"),
        ("a: *x\n", "line 1, column 4", "an alias that has no anchor", "quotes"),
        ("a: !Ref x\n", "line 1, column 4", "an unknown tag", "a plain value"),
        ('a: "C:\\dir"\n', "line 1, column 8", "a backslash before `d`", "single quotes"),
        ("a: {{ x }}\n", "line 1, column 5", "a list or a mapping for a key", "go into quotes"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1", "a second document", "one document"),
        ("a: 1\nb: \x07\n", "line 2, column 4", "the character U+0007", "text"),
    ],
)
def test_what_is_wrong_is_told_in_words(text: str, place: str, found: str, expected: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        load_yaml(text)
    told = str(refused.value)
    where, _, what = told.partition(": found ")
    assert where == place
    there, _, instead = what.partition("; expected ")
    assert found in there
    assert expected in instead
    for words in ("token", "node", "block", "scalar", "<"):
        assert words not in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: a is already in line 1; keep one of the two"),
        ("a:\n  b:\n  - {c: 1,\n     c: 1}\n", "line 4: a.b.c is already in line 3"),
        ("a: 1\n'a': 1\n", "line 2: a is already in line 1"),
        ('a: 1\n"\\x61": 1\n', "line 2: a is already in line 1"),
        ("x: &x {a: 1, a: 2}\ny: *x\n", "line 1: x.a is already in line 1"),
        ("1: x\n'1': y\n", "line 2: 1 is already in line 1"),
        ("a: 1\n~: 2\n", "line 2: ~ means null in YAML"),
        ("a: 1\n? \n: 2\n", "line 2: (no key) means null in YAML"),
    ],
)
def test_a_key_counts_once(text: str, says: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        load_yaml(text)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("text", "place", "found", "expected"),
    [
        ("", "line 1, column 1", "the end of the file", "a value"),
        ("{", "line 1, column 2", "the end of the file", "a key in double quotes"),
        ("{a: 1}", "line 1, column 2", "a text or a number without quotes", "a key in double quotes"),
        ('{\n"a" 1}', "line 2, column 5", "a text or a number without quotes", "a colon after the key"),
        ('{"a": 1\n "b": 2}', "line 2, column 2", "a text in double quotes", "a comma"),
        ('{"a": 1 // c\n}', "line 1, column 9", "`/`", "a comma"),
        ('{"a": tru}', "line 1, column 7", "a text or a number without quotes", "a value"),
        ("[1, 'b']", "line 1, column 5", "`'`", "text goes into double quotes"),
        ('{"a": "b', "line 1, column 7", "a quote without its closing quote", "a closing quote"),
        ('{"a": "b\n"}', "line 1, column 9", "the character U+000A", "an escape sequence"),
        ('{"a": "C:\\dir"}', "line 1, column 10", "a backslash", "two backslashes"),
        ('{"a": "\\u12"}', "line 1, column 9", "an incomplete \\u", "four hexadecimal digits"),
        ("{} x", "line 1, column 4", "a text or a number without quotes", "the end of the file"),
    ],
)
def test_what_is_wrong_with_json_is_told_in_words(text: str, place: str, found: str, expected: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        load_json(text)
    where, _, what = str(refused.value).partition(": found ")
    assert where == place
    there, _, instead = what.partition("; expected ")
    assert found in there
    assert expected in instead


HIDDEN = "hunter2hunter2"


@pytest.mark.parametrize(
    "value",
    [
        *(
            HIDDEN,
            f"'{HIDDEN}'",
            f'"{HIDDEN}" x',
            f"{HIDDEN}: {HIDDEN}: x",
            f"[{HIDDEN}",
            f"{{{HIDDEN}",
            f'"{HIDDEN}',
        ),
        *(
            f"*{HIDDEN}",
            f"&{HIDDEN} 1\nb: &{HIDDEN} 2",
            f"!{HIDDEN}",
            f"!a!{HIDDEN}",
            f"%{HIDDEN}",
            f"@{HIDDEN}",
        ),
        *(
            f"`{HIDDEN}",
            f"|{HIDDEN}",
            f">{HIDDEN}",
            f'"\\q{HIDDEN}"',
            f"- {HIDDEN}",
            f"\t{HIDDEN}",
            f"? {HIDDEN}",
        ),
    ],
)
def test_no_syntax_error_repeats_what_may_be_a_secret(value: str) -> None:
    told = []
    for read, text in (
        *(
            (load_yaml, f"{start}{value}{end}")
            for start in ("a: ", "", "a:\n- ")
            for end in ("", "\n", "\n  c: 1\n")
        ),
        *(
            (load_json, f"{start}{value}{end}")
            for start in ('{"a": ', "", "[", '{"a" ', "{")
            for end in ("", "}", "]")
        ),
    ):
        try:
            read(text)
        except UnreadableError as error:
            told.append(str(error))
    assert not [each for each in told if HIDDEN in each]


def test_a_comma_after_the_last_entry_of_json_is_told_in_words() -> None:
    with pytest.raises(UnreadableError, match=r"^line 1, column \d: found (`}`|a comma .*); expected "):
        load_json('{"a": 1,}')


def test_json_is_read_alike() -> None:
    text = '{"a": 24.10, "b": [1e3, 010.0e1]}'.replace("010.0e1", "10.0e1")
    assert load_json(text) == {"a": "24.10", "b": ["1e3", "10.0e1"]}
    assert load_json('{"a": true, "b": null, "c": "\\ud83d\\ude00"}') == {"a": True, "b": None, "c": "😀"}
    with pytest.raises(UnreadableError, match=r"^line 3: a\.b is already in line 2"):
        load_json('{"a": {"b": 1,\n\t"b": 2},\n\t"a2": 3}'.replace('{"b"', '\n\t{"b"', 1))
    with pytest.raises(UnreadableError, match=r"^line 2, column 1: "):
        load_json('{"a":\n')


_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8), lambda inner: st.dictionaries(_NAMES, inner, max_size=4)
)


@given(_JSON)
@example({"a": {"a": {"a": "a"}}})
def test_any_json_is_read_as_it_is(tree: Any) -> None:
    assert load_json(json.dumps(tree)) == tree
    assert load_json(json.dumps(tree, indent="\t")) == tree


@given(st.dictionaries(_NAMES, _JSON, min_size=1, max_size=4))
def test_any_key_that_is_given_twice_is_refused(tree: dict[str, Any]) -> None:
    once = json.dumps(tree)
    for name in tree:
        with pytest.raises(UnreadableError):
            load_json(f"{once[:-1]}, {json.dumps(name)}: 1}}")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + each)}: &{chr(98 + each)} [{', '.join([f'*{chr(97 + each)}'] * 10)}]\n" for each in range(9)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "its aliases expand to more than 100000 values"),
        (
            BOMB.replace("[", "{<<: [")
            .replace("]", "]}")
            .replace("x, ", "{y: 1}, ")
            .replace("x]", "{z: 1}]"),
            "alias",
        ),
        ("a: &a [1, *a]\n", "line 1: the value that begins here contains an alias of itself"),
        ("[" * 100_000, "it is nested too deeply to be read"),
    ],
)
def test_a_text_that_is_more_than_it_is_long_is_refused(text: str, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        load_yaml(text)


def test_json_of_many_levels_is_refused() -> None:
    with pytest.raises(UnreadableError, match="it is nested too deeply to be read"):
        load_json("[" * 100_000)


@pytest.mark.parametrize(("load", "text"), [(load_json, '{"a": %s}'), (load_yaml, "a: %s")])
def test_a_number_that_python_cannot_convert_is_refused(load: Any, text: str) -> None:
    """Invoke reads the file, too, and would end in a traceback: "limits of integer string conversion" (Python)."""
    with pytest.raises(UnreadableError, match="put it in quotes"):
        load(text % ("9" * 5000))


class _Counted(str):
    """A text that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        _Counted.compared += 1
        return super().__eq__(other)


def test_many_names_are_looked_through_once() -> None:
    names = [_Counted(each) for each in range(2000)]
    _Counted.compared = 0
    assert given_twice([*names, _Counted(7), _Counted(3), _Counted(7)]) == ["3", "7"]
    assert _Counted.compared < 2 * len(names)
