"""Explanations: what each term saw, why it is false, and the least that would have to be true."""

from __future__ import annotations

import json

import pytest

import trailsieve
from trailsieve import jsontext


def only_term(pattern: str, message: str) -> tuple[bool, str, object, str]:
    step = trailsieve.compile(pattern).explain(message).root
    assert step is not None
    assert step.children == ()
    return step.verdict, step.state, step.value, step.reason


@pytest.mark.parametrize(
    ("pattern", "message", "state", "value", "reason"),
    [
        ("{ $.a = 1 }", "{}", "absent", None, "false because the field is absent"),
        ("{ $.a = 1 }", '{"a": null}', "null", None, "`$.a IS NULL` tests for it"),
        ("{ $.a = true }", '{"a": true}', "true", True, "`$.a IS TRUE` tests for it"),
        ("{ $.a != x }", '{"a": false}', "false", False, "`$.a IS FALSE` tests for it"),
        ("{ $.a = 1 }", '{"a": [1]}', "array", [1], "`$.a[*]` selects its values"),
        ("{ $.a = 1 }", '{"a": {"b": 1}}', "object", {"b": 1}, "`$.a[*]` selects its values"),
        ("{ $.a != 1 }", "{}", "absent", None, "false because the field is absent"),
        ("{ $.a > 5 }", '{"a": "7"}', "string", "7", "only JSON numbers can be ordered"),
        ('{ $.a = "1" }', '{"a": 2}', "number", 2, "the number's text, 2"),
        ("{ $.a = 1 }", '{"a": "1.0"}', "string", "1.0", "it must be exactly `1`"),
        ("{ $.a = Root }", '{"a": "root"}', "string", "root", "only in case"),
        ("{ $.a IS NULL }", "{}", "absent", None, "an absent field is not null"),
        ("{ $.a IS TRUE }", '{"a": "true"}', "string", "true", "only true of booleans"),
        ("{ $.a IS FALSE }", '{"a": 0}', "number", 0, "the field is a number"),
        ("{ $.a IS FALSE }", '{"a": true}', "true", True, "the field is true"),
        ("{ $.a NOT EXISTS }", '{"a": null}', "null", None, "the field exists (null)"),
        ("{ $.a[*] = 1 }", '{"b": 1}', "absent", None, "the part before the wildcard is absent"),
    ],
)
def test_a_false_term_says_what_it_saw_and_why(
    pattern: str, message: str, state: str, value: object, reason: str
) -> None:
    verdict, seen_state, seen_value, seen_reason = only_term(pattern, message)
    assert verdict is False
    assert (seen_state, seen_value) == (state, value)
    assert reason in seen_reason


@pytest.mark.parametrize(
    ("pattern", "message", "state", "value"),
    [
        ("{ $.a[*] = 1 }", '{"a": [2, 3]}', "2 selected", [2, 3]),
        ("{ $.a.* = 1 }", '{"a": {"x": null}}', "1 selected", [None]),
        ("{ $.a[*] = 1 }", '{"a": []}', "0 selected", []),
        ("{ $.a[*] = 1 }", '{"a": 7}', "0 selected", []),
        ("{ $.a = x }", '{"a": "y"}', "string", "y"),
        ("{ $.a < 5 }", '{"a": 7}', "number", 7),
        ("[a = 1]", "2", "string", "2"),
    ],
)
def test_a_plain_miss_needs_no_reason(pattern: str, message: str, state: str, value: object) -> None:
    assert only_term(pattern, message) == (False, state, value, "")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{ $.a = 1 }", '{"a": 1}'),
        ("{ $.a NOT EXISTS }", "{}"),
        ("{ $.a[*] != 1 }", '{"a": [2]}'),
        ("{ $.a IS NULL }", '{"a": [null]}'),
    ],
)
def test_a_true_term_has_no_reason_and_nothing_to_flip(pattern: str, message: str) -> None:
    explanation = trailsieve.compile(pattern).explain(message)
    assert explanation.matched is True
    assert explanation.root is not None
    assert explanation.root.reason == ""
    assert explanation.flips == ()


@pytest.mark.parametrize(
    ("pattern", "message", "flips"),
    [
        ("{ $.a = 1 && $.b = 2 }", '{"a": 1}', ["$.b = 2"]),
        ("{ $.a = 1 && $.b = 2 }", "{}", ["$.a = 1", "$.b = 2"]),
        ("{ $.a = 1 || $.b = 2 }", "{}", ["$.a = 1"]),
        ("{ ($.a = 1 && $.b = 2) || $.c = 3 }", "{}", ["$.c = 3"]),
        ("{ ($.a = 1 && $.b = 2) || $.c = 3 }", '{"a": 1}', ["$.b = 2"]),
        ("{ $.a = 1 && ($.b = 2 || ($.c = 3 && $.d = 4)) }", "{}", ["$.a = 1", "$.b = 2"]),
        ("{ $.a = 1 && ($.b = 2 || $.c = 3) }", '{"c": 3}', ["$.a = 1"]),
        ("ERROR -WARN INFO", "INFO WARN", ["ERROR", "-WARN"]),
        ("?a ?b", "c", ["?a"]),
        ("%x%", "y", ["%x%"]),
        ("[a = 1, b = 2 || b = 3]", "1 9", ["b = 2"]),
        ("{ ($.b = 2 || $.a = 1) && ($.c = 3 || $.a = 1) }", "{}", ["$.a = 1"]),  # one term for both
        ("{ ($.a = 1 && $.a = 1) || ($.b = 2 && $.c = 3) }", "{}", ["$.a = 1"]),
        ("{ ($.a = 1 || $.b = 5) && $.a = 2 }", '{"a": 1}', ["$.b = 5", "$.a = 2"]),  # 1 excludes 2
        (
            "{ ($.a = 1 && $.a = 2) || ($.b = 1 && $.c = 1 && $.d = 1) }",
            "{}",
            ["$.b = 1", "$.c = 1", "$.d = 1"],
        ),
        ("{ $.a = 1 || $.b != 2 }", '{"a": 2}', ["$.b != 2"]),  # of two, the one with a reason
        ("{ $.a != 1 && ($.a = 1 || $.a.b = 2) }", '{"a": "x"}', []),
    ],
)
def test_flips_are_the_smallest_set(pattern: str, message: str, flips: list[str]) -> None:
    explanation = trailsieve.compile(pattern).explain(message)
    assert explanation.matched is False
    assert [flip.text for flip in explanation.flips] == flips


@pytest.mark.parametrize(
    ("pattern", "message", "proposal"),
    [
        ("{ $.t = x && $.a != 1 }", '{"t": "x"}', "{ $.t = x && ($.a != 1 || $.a NOT EXISTS) }"),
        ("{$.t=x||$.a!=1}", '{"t": "y"}', "{$.t=x||($.a != 1 || $.a NOT EXISTS)}"),
        ("{ $.a != 1 &&\n$.t = x }", '{"t": "x"}', "{ ($.a != 1 || $.a NOT EXISTS) && $.t = x }"),
        ("{ $.a[*] != 1 }", "{}", "{ ($.a[*] != 1 || $.a NOT EXISTS) }"),
        ("{ $.a != 1 }", '{"a": null}', "{ ($.a != 1 || $.a IS NULL) }"),
        ("{ $.a != x }", '{"a": false}', "{ ($.a != x || $.a IS FALSE) }"),
        ('{ $.a != "true" }', '{"a": false}', "{ $.a IS FALSE }"),
        ("{ $.a = true }", '{"a": true}', "{ $.a IS TRUE }"),
        ("{ $.a = true }", '{"a": false}', ""),
        ("{ $.a = 1 }", '{"a": null}', ""),
        ('{ $.a = "null" }', '{"a": null}', "{ $.a IS NULL }"),
        ("{ $.a = 1 }", '{"a": [2, 1]}', "{ $.a[*] = 1 }"),
        ("{ $.a = 1 }", '{"a": [2]}', ""),
        ("{ $.a = 1 }", '{"a": {"c": 2, "b": 1}}', "{ $.a.b = 1 }"),
        ("{ $.a.b = 1 }", '{"a": [{"b": 1}]}', "{ $.a[*].b = 1 }"),
        ('{ $.a = "1" }', '{"a": 1.0}', "{ $.a = 1 }"),
        ("{ $.a = Root* }", '{"a": "ROOTS"}', "{ $.a = ROOT* }"),
        ("{ $.a IS NULL && $.b = 1 }", '{"b": 1}', "{ ($.a IS NULL || $.a NOT EXISTS) && $.b = 1 }"),
        ("{ $.a IS TRUE }", '{"a": "True"}', '{ $.a = "True" }'),
        ("{ $.a NOT EXISTS }", '{"a": null}', "{ ($.a NOT EXISTS || $.a IS NULL) }"),
        ("{ $.a NOT EXISTS }", '{"a": ""}', '{ ($.a NOT EXISTS || $.a = "") }'),
        ('{ $.a = "aws*wget" }', '{"a": "aws wget wget"}', "{ $.a = %^aws.*wget$% }"),
        ('{ $.a = "*.7.7" }', '{"a": "1.7.7.7"}', r"{ $.a = %\.7\.7$% }"),
        ('{ $.a = "(é b*%" }', '{"a": "(é b% %"}', r"{ $.a = %^\x28.\x20b.*\x25$% }"),
        ("[who, agent = aws*wget]", "me aws/wget/wget", "[who, agent = %^aws.*wget$%]"),
        ("{ $.a != 1 && $.b = 2 }", "{}", ""),  # nothing is known of b
        ("{ $.a = %x% && $.b = %y% && $.c = 1*2 }", '{"a": "x", "b": "y", "c": "122"}', ""),  # AWS takes two
        ("ERROR", "error", ""),
    ],
)
def test_a_proposal_is_a_whole_pattern_that_matches_the_event(
    pattern: str, message: str, proposal: str
) -> None:
    explanation = trailsieve.compile(pattern).explain(message)
    assert explanation.proposal == proposal
    assert not proposal or trailsieve.compile(proposal).matches(message)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{ $.a = 1 && $.a = 2 }", '{"a": 1}'),
        ("{ $.a = 1 && $.a.b = 2 }", "{}"),
        ("{ $.a > 1e309 }", '{"a": 1}'),
        ("{ $.a = 1 && $.a = 2 }", "not JSON"),
        ("a -a", "b"),
        ("%^$%", "x"),
        ("[a = 1 && a = 2, b]", "1 2"),
    ],
)
def test_a_pattern_that_can_never_match_is_said_to(pattern: str, message: str) -> None:
    explanation = trailsieve.compile(pattern).explain(message)
    assert (explanation.matched, explanation.never, explanation.flips) == (False, True, ())
    assert "no event can ever match this pattern (proved)" in str(explanation)


@pytest.mark.parametrize(
    ("pattern", "message", "matched", "reason"),
    [
        ("{ $.a = 1 }", "plain", False, "the event is not a JSON object, so no JSON pattern matches it"),
        (
            "{ $.a NOT EXISTS }",
            "[]",
            False,
            "the event is not a JSON object, so no JSON pattern matches it",
        ),
        ("[a, b = 1]", "x", False, "the event has fewer than 2 space-delimited fields"),
        ("[a, ..., b = 1]", "x", False, "the event has fewer than 2 space-delimited fields"),
        ("[a, b]", "x y", True, "no field is tested"),
        ("", "x", True, "a pattern without terms matches every event"),
    ],
)
def test_no_term_was_tried(pattern: str, message: str, matched: bool, reason: str) -> None:
    explanation = trailsieve.compile(pattern).explain(message)
    assert (explanation.matched, explanation.reason, explanation.root) == (matched, reason, None)


def test_optional_terms_beside_others_are_said_to_be_ignored() -> None:
    root = trailsieve.compile("?a b").explain("b").root
    assert root is not None
    assert [(step.text, step.reason) for step in root.children] == [
        ("?a", "ignored next to required and excluded terms"),
        ("b", ""),
    ]


def test_text_for_a_person() -> None:
    explanation = trailsieve.compile("{ ($.a = 1 && $.b != 2) || $.c = 3 }").explain(b'{"a": 1, "c": "x"}')
    assert (
        str(explanation)
        == """\
✗ no match
  ✗ any of
    ✗ all of
      ✓ $.a = 1   ← 1
      ✗ $.b != 2   ← absent
    ✗ $.c = 3   ← "x"
  it would match if:
    $.b != 2  — false because the field is absent
  a pattern that also matches this event:
    { ($.a = 1 && ($.b != 2 || $.b NOT EXISTS)) || $.c = 3 }"""
    )


@pytest.mark.parametrize("hidden", ["\x1b[31m", "\u202e", "\x9b", "\x00"])
def test_text_for_a_person_is_safe_to_print(hidden: str) -> None:
    pattern = f"{{ $.a = \"{hidden}\" || $.['{hidden}'] = 1 }}"
    event = json.dumps({"a": hidden + "x" * 500})
    lines = list(trailsieve.compile(pattern).explain(event).lines())
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 150


def test_plain_data_for_json() -> None:
    pattern = trailsieve.compile("{ $.a = 1 && $.b[*] = 2 }")
    data = pattern.explain('{"a": 1.50, "b": [2, null]}').as_dict()
    assert jsontext.encode(data) == (
        '{"pattern":"{ $.a = 1 && $.b[*] = 2 }","matched":false,"reason":"","tree":{"text":"all of",'
        '"verdict":false,"children":[{"text":"$.a = 1","verdict":false,"state":"number","value":1.50,'
        '"reason":""},{"text":"$.b[*] = 2","verdict":true,"state":"2 selected","value":[2,null],"reason":""}]},'
        '"flips":[{"text":"$.a = 1","verdict":false,"state":"number","value":1.50,"reason":""}],"never":false,"proposal":""}'
    )


def test_plain_data_without_a_tree() -> None:
    assert trailsieve.compile("{ $.a = 1 }").explain("x").as_dict() == {
        "pattern": "{ $.a = 1 }",
        "matched": False,
        "reason": "the event is not a JSON object, so no JSON pattern matches it",
        "tree": None,
        "flips": [],
        "never": False,
        "proposal": "",
    }
