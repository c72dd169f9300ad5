"""`trailsieve.compile` and what it gives: the API of a filter pattern, on ordinary and on monstrous events."""

from __future__ import annotations

import inspect
import linecache
import pickle
import traceback
from typing import Any

import pytest

import trailsieve
from tests.pattern.oracle import interpreted
from trailsieve import FilterPattern, TestMatch
from trailsieve.pattern.nodes import JsonPattern, TextPattern


def test_attributes() -> None:
    text = '{ $.a.b = "x" && ($.c[*] != 1 || $.a.b IS NULL) }'
    pattern = trailsieve.compile(text)
    assert isinstance(pattern, FilterPattern)
    assert isinstance(pattern.tree, JsonPattern)
    assert pattern.text == text
    assert pattern.selectors == ("$.a.b", "$.c[*]")
    assert pattern.reads_records is True
    assert repr(pattern) == f"trailsieve.compile({text!r})"


def test_attributes_of_a_text_pattern() -> None:
    pattern = trailsieve.compile("ERROR")
    assert isinstance(pattern.tree, TextPattern)
    assert (pattern.selectors, pattern.reads_records) == ((), False)


@pytest.mark.parametrize("text", ["{ $.a = 1 }", "ERROR -x", "%a.b%", "[a = 1, ...]", ""])
def test_python_source_is_one_function(text: str) -> None:
    source = trailsieve.compile(text).python_source
    assert source.startswith("def matches(")
    assert source.count("def ") == 1
    compile(source, "<test>", "exec")


@pytest.mark.parametrize("limits", [True, False])
def test_pickle_keeps_pattern_and_limits(limits: bool) -> None:
    text = "{ $.a = 1 }" if limits else "{ $.a[*].b[*] = 1 }"
    copy = pickle.loads(pickle.dumps(trailsieve.compile(text, limits=limits)))
    assert copy.text == text
    assert copy.matches('{"a": 1}') is limits


def test_test_numbers_the_matches_as_aws_does() -> None:
    messages: list[str | bytes] = ["x 1", b"y 2", "x 3", b"x \xff"]
    assert trailsieve.compile("[a = x, b]").test(messages) == [
        TestMatch(1, "x 1", {"$a": "x", "$b": "1"}),
        TestMatch(3, "x 3", {"$a": "x", "$b": "3"}),
        TestMatch(4, "x \ufffd", {"$a": "x", "$b": "\ufffd"}),
    ]
    assert trailsieve.compile("x").test(messages)[0] == TestMatch(1, "x 1", {})
    assert trailsieve.compile("{ $.a = 1 }").test(messages) == []


# (pattern, event, verdict)
EVENTS: list[tuple[str, str, bool]] = [
    ("{ $.a NOT EXISTS }", "", False),
    ("{ $.a NOT EXISTS }", "plain text", False),
    ("{ $.a NOT EXISTS }", "[]", False),
    ("{ $.a NOT EXISTS }", '"{}"', False),
    ("{ $.a NOT EXISTS }", "null", False),
    ("{ $.a NOT EXISTS }", "INFO {}", False),
    ("{ $.a NOT EXISTS }", "{} {}", False),
    ("{ $.a NOT EXISTS }", "{'b': 1}", False),
    ("{ $.a NOT EXISTS }", " \n{}\r\n", True),
    ("{ $.a NOT EXISTS }", '{"a": NaN}', False),
    ("{ $.a NOT EXISTS }", '{"b": NaN}', False),
    ("{ $.a NOT EXISTS }", '{"b": Infinity}', False),
    ("{ $.a NOT EXISTS }", '{"b": 1,}', False),
    ("{ $.a = 1 }", '{"a": 2, "a": 1}', True),
    ("{ $.a = 1 }", '{"a": 1, "a": 2}', False),
    ("{ $.a = 9007199254740993 }", '{"a": 9007199254740992}', False),
    ("{ $.a > 1 }", '{"a": 1e400}', False),
    ("{ $.a != 1 }", '{"a": 1e400}', False),
    ('{ $.a = "*" }', '{"a": 1e400}', True),
    ("{ $.a = 0 }", '{"a": 1e-999}', True),
    ("{ $.a > 1 }", '{"a": 1e99999999999999999999}', False),
    ("{ $.a > 1 }", f'{{"a": {"9" * 5000}}}', False),
    ('{ $.a = "9*" }', f'{{"a": {"9" * 5000}}}', True),
    ("{ $.a = x }", '{"a": "\\ud800"}', False),
    ("{ $.__class__ = dict }", "{}", False),
    ("{ $.__class__ NOT EXISTS }", "{}", True),
    ("{ $.__class__ = x }", '{"__class__": "x"}', True),
    ("{ $.__class__.__name__ = dict }", '{"__class__": {}}', False),
    ("{ $.get = x }", '{"get": "x"}', True),
    ("{ $.items[0] = x }", '{"items": ["x"]}', True),
    ("{ $.keys[*] = x }", "{}", False),
    ("{ $.['a\"b'] = 1 }", '{"a\\"b": 1}', True),
    ('{ $.a = "\\"); raise SystemExit" }', '{"a": "\\"); raise SystemExit"}', True),
]


@pytest.mark.parametrize(("text", "event", "wanted"), EVENTS)
def test_verdicts(text: str, event: str, wanted: bool) -> None:
    pattern = trailsieve.compile(text)
    assert pattern.matches(event) is wanted
    assert pattern.matches(event.encode()) is wanted
    assert interpreted(pattern.tree, event) is wanted


def test_bytes_that_are_no_utf8_are_read_with_stand_ins() -> None:
    assert trailsieve.compile("{ $.a = 1 }").matches(b'{"b": "\xff", "a": 1}') is True
    assert trailsieve.compile("{ $.b = %^.$% }").matches(b'{"b": "\xff"}') is True
    assert trailsieve.compile("ERROR").matches(b"\xff\xfe ERROR") is True
    assert trailsieve.compile("{ $.a = 1 }").matches('{"a": 1}'.encode("utf-16")) is False


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{ $.a = x }", True),
        ("{ $.a = z }", False),
        ('{ $.b = "*xyz" }', True),
        ('{ $.b = "*xyz*y" }', False),
        ("{ $.b = %xyz$% }", True),
        ("%xyq%", False),
        ("xyz", True),
        ("-xyz", False),
        ("[a, b = %xyz$%, ...]", True),
        ("[a, b, ..., c = 1]", False),
    ],
)
def test_an_event_of_10_mb(text: str, wanted: bool) -> None:
    event = f'{{"b": "{"y" * 10_000_000}xyz", "a": "x"}}'
    assert trailsieve.compile(text).matches(event) is wanted


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_an_event_of_10_000_nested_levels(opening: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    nested = opening * 10_000 + "1" + closing * 10_000
    event = f'{{"deep": {nested}, "name": "x"}}'
    assert trailsieve.compile("{ $.name = x }").matches(event) is True
    assert trailsieve.compile("{ $.deep = x || $.deep[*] = x }").matches(event) is False
    assert trailsieve.compile("{ $.name = x }").matches(event[:-1]) is False


@pytest.mark.parametrize("record", [{"a": 1}, {"a": "1"}])
def test_a_decoded_record_matches_as_its_text(record: dict[str, Any]) -> None:
    assert trailsieve.compile("{ $.a = 1 }").matches_record(record) is True
    assert trailsieve.compile("{ $.a = 2 }").matches_record(record) is False
    assert trailsieve.compile('"\\"a\\":"').matches_record(record) is True


@pytest.mark.parametrize("record", [[], None, "a", 1, [{"a": 1}]])
def test_what_is_no_object_never_matches_as_a_record(record: Any) -> None:
    assert trailsieve.compile("{ $.a NOT EXISTS }").matches_record(record) is False


def test_generated_code_is_shown_in_tracebacks_and_by_inspect() -> None:
    class Hostile(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            raise RuntimeError("on purpose")

    pattern = trailsieve.compile("{ $.eventName = x && $.other = y }")
    with pytest.raises(RuntimeError) as caught:
        pattern.predicate(Hostile())
    frame = traceback.extract_tb(caught.value.__traceback__)[-2]
    assert frame.filename.startswith("<filter pattern ")
    assert frame.line is not None
    assert "'eventName'" in frame.line
    assert inspect.getsource(pattern.predicate) == pattern.python_source
    linecache.checkcache()
    assert inspect.getsource(pattern.predicate) == pattern.python_source


def test_generated_code_reaches_no_builtins() -> None:
    names = trailsieve.compile("{ $.a = %x% }").predicate.__globals__
    assert names["__builtins__"] == {}
    assert not {"eval", "exec", "open", "re", "__import__"} & set(names)


@pytest.mark.parametrize(
    ("middle", "values", "inline"),
    [
        ("kit", {'"exploit-kit"': True, '"k it"': False, "1": False, "null": False, "true": False}, True),
        ("rue", {'"true"': True, "true": False, "[]": False}, True),
        ("E1", {"1e10": True, "1": False, '"E1"': True}, False),
        ("fin", {"1e400": True, "-1.5e400": True, "1.5": False, '"fin"': True}, False),
        (".", {"1.5": True, "15": False, '"a.b"': True}, False),
    ],
)
def test_a_text_between_stars_is_looked_for_in_place_where_no_number_can_have_it(
    middle: str, values: dict[str, bool], inline: bool
) -> None:
    pattern = trailsieve.compile(f'{{ $.a = "*{middle}*" }}')
    assert (f"{middle!r} in " in pattern.python_source) is inline
    for value, wanted in values.items():
        assert pattern.matches(f'{{"a": {value}}}') is wanted, value
