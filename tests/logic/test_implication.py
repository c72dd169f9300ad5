"""What is proved of certain patterns, and the events that speak against the rest."""

from __future__ import annotations

import pytest

import trailsieve
from trailsieve import Verdict, equivalent, implies, satisfiable, tautology
from trailsieve.logic.witness import find

SEED_4_1 = (
    '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")'
    ' && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }'
)
GROUPED_4_1 = (
    '{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*"))'
    ' && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }'
)


def confirmed(verdict: Verdict, *wanted: tuple[str, bool]) -> bool:
    assert verdict.witness is not None
    return all(trailsieve.compile(text).matches(verdict.witness) is truth for text, truth in wanted)


def test_the_published_4_1_is_not_its_grouped_form() -> None:
    one_way = implies(SEED_4_1, GROUPED_4_1)
    assert one_way.holds is False
    assert confirmed(one_way, (SEED_4_1, True), (GROUPED_4_1, False))
    assert implies(GROUPED_4_1, SEED_4_1) == Verdict(True)
    both = equivalent(SEED_4_1, GROUPED_4_1)
    assert both.holds is False
    assert confirmed(both, (SEED_4_1, True), (GROUPED_4_1, False))
    # And the other way round there are events on which both agree, either way.
    for truth in (True, False):
        found = find([(trailsieve.compile(SEED_4_1), truth), (trailsieve.compile(GROUPED_4_1), truth)])
        assert confirmed(found, (SEED_4_1, truth), (GROUPED_4_1, truth))


IMPLIED = [
    ('{ $.e = "AccessDenied*" }', '{ $.e = "Access*" }'),
    ('{ $.e = "Access" }', '{ $.e = "Access*" }'),
    ("{ $.x > 3 }", "{ $.x >= 3 }"),
    ("{ $.x > 3 && $.x < 3.1 }", "{ $.x != 4 }"),
    ("{ $.x = 3 }", "{ $.x != 4 }"),
    ("{ $.x = 1 }", '{ $.x != "2" || $.x = "2.*" }'),
    ("{ $.a = 1 && $.b = 2 }", "{ $.b = 2 }"),
    ("{ $.a.b = 1 }", "{ $.a != 1 || $.a.b = 1 }"),
    ("{ $.a[0] = 1 }", "{ $.a[*] = 1 }"),
    ("{ $.a.b[*] IS NULL }", "{ $.a.b IS NULL || $.a.b.* IS NULL }"),
    ("{ $.a[1] NOT EXISTS && $.a[*] = 1 }", "{ $.a[0] = 1 || $.a[0] NOT EXISTS }"),
    ("{ $.a[*] = 1 }", "{ $.a NOT EXISTS || $.a != 1 || $.a[*] = 1 }"),
    ('{ $.a[*] != "x" }', '{ $.a[0] != "x" || $.a[0] NOT EXISTS || $.a[0] IS NULL || $.b = 1 || $.a[0].* != 1 || $.a[0].* = 1 || $.a[0] IS TRUE || $.a[0] IS FALSE }'),
    (r"{ $.a = %^\d{3}$% }", r"{ $.a = %\d\d% }"),
    ("{ $.a = %^ab*$% }", '{ $.a = "a*" }'),
    ('{ $.a = "*111*" }', '{ $.a = "*1*1*" }'),
    ("ERROR timeout", "?timeout ?x"),
    ('"AccessDenied"', "Access"),
    ("%^a+$%", "a"),
    ('[a, b = "404", c]', "[a, b = 4*, c]"),
    ("[a, b > 4]", "[a, b >= 4]"),
    ("[a, b]", ""),
    ("{ $.a = 1 }", ""),
    ('{ $.a = "x" && $.a = "y" }', "never mind"),
    ("[a, b]", "[a]"),
    ("[a, b = 1, c]", "[a, b = 1, ...]"),
    ("[a = x, b = y, ...]", "[a = x*, ...]"),
    ("[a, b, c]", "[..., c]"),
    ("[..., b = y, c = z]", "[..., c = z]"),
    ("[a = 1]", "[..., a = 1]"),  # several fields are no number
    ("[a, b = 5*, ..., c = x]", "[a, b != 4*, ...]"),
    ("[a, b]", "[]"),
    ("%[ab]*a[ab]{12}%", "%[ab]*a[ab]{11}%"),
    ("%a.{40}b%", "%a.*b%"),
    ("%^[ab]*a[ab]{12}$%", "%[ab]{13}%"),
    ("{ $.a = %a[ab]{20}$% }", "{ $.a = %a[ab]{19}% }"),
    ('{ $.a > 0 && $.a < 5e-324 }', '{ $.a = "*E-324" }'),
    ("{ $.a > 1e308 }", "{ $.a > 1e307 }"),
    ('{ $.a > 1e307 && $.a = "*5*" }', "{ $.a > 1e306 }"),
    ("-a", "%[^a]%"),  # an event has at least one character
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), IMPLIED)
def test_implied(a: str, b: str) -> None:
    assert implies(a, b) == Verdict(True)


NOT_IMPLIED = [
    ('{ $.e = "Access*" }', '{ $.e = "AccessDenied*" }'),
    ("{ $.x >= 3 }", "{ $.x > 3 }"),
    ("{ $.x != 4 }", "{ $.x = 3 }"),
    ('{ $.x = "*111" }', '{ $.x = "*1" }'),  # rule 40: a second 1 comes first
    ("{ $.x = 1 }", '{ $.x = "1" }'),  # 1.0
    ('{ $.x = "1" }', "{ $.x >= 1 }"),  # a string
    ("{ $.x = 1 }", "{ $.x = 1.0 }"),
    ("{ $.a[*] = 1 }", "{ $.a[0] = 1 }"),
    ("{ $.a[*] = 1 && $.a[*] = 2 }", "{ $.a[*] = 3 }"),
    ('{ $.a[*] != "x" }', "{ $.a[0] NOT EXISTS || $.a[0] != 1 }"),
    ("{ $.a.b IS NULL }", "{ $.a.* IS NULL }"),  # rule 29: [null]
    ("{ $.a NOT EXISTS || $.b = 1 }", "{ $.a.b NOT EXISTS && $.b = 1 }"),
    ("{ $.a = %5% }", "{ $.a < -1e2147483647 }"),
    ("{ $.a > 1e-2147483647 }", "{ $.a > 1 }"),
    ("a", r"%a\d%"),
    ("ERROR", "{ $.a = 1 }"),
    ("{ $.a = 1 }", "ERROR"),
    ("{ $.a = 1 }", "-ERROR"),
    ("[a, b = 4*]", "[a, b = 404]"),
    ("[a]", "[a = 1]"),
    ("[a, b = 1]", "[a, b = 1, c]"),
    ("[a = x, ...]", "[a = x, b]"),
    ("[..., a = 1]", "[a = 1]"),
    ("[a, ..., b = 1]", "[a, b = 1, ...]"),
    ("[a, b = x*]", "[a, b = x*, c]"),
    ("%[ab]*a[ab]{11}%", "%[ab]*a[ab]{12}%"),
    ("%a[ab]{16}$%", "%a[ab]{15}$%"),
    ("%a.{20}b%", "%a.{19}b%"),
    ("{ $.a > 1e308 && $.a < 1.1e308 }", "{ $.a = %E308% }"),  # a whole number with 309 digits
    ("{ $.a > 1e308 }", '{ $.a = "*E308" }'),
    ("{ $.a > 1.797e308 }", "{ $.a = %E308$% }"),
    ("{ $.a < -1.797e308 }", "{ $.a = %E308$% }"),
    ('{ $.a > 0 && $.a = "*E-324" }', "{ $.a < 1e-323 }"),
    ("[a]", "[a, b]"),
    ("[a, b = 1]", "[..., b = 2]"),
]


@pytest.mark.parametrize(("a", "b"), NOT_IMPLIED)
def test_not_implied(a: str, b: str) -> None:
    verdict = implies(a, b)
    assert verdict.holds is False
    assert confirmed(verdict, (a, True), (b, False))


NEVER = [
    '{ $.a = "x" && $.a = "y" }',
    "{ $.a = 1 && $.a.b = 1 }",
    "{ $.a[1] = 1 && $.a[0] NOT EXISTS }",
    "{ $.a[0] = 1 && $.a.b = 1 }",
    "{ $.a[*] = 1 && $.a[*] NOT EXISTS }",
    "{ $.a[*] = 1 && $.a[*] != 1 }",
    "{ $.a IS NULL && $.a = 1 }",
    "{ $.a IS NULL && $.a[0] NOT EXISTS && $.a[*] NOT EXISTS && $.a.b = 1 }",
    "{ $.a IS NULL && $.a[*] != 1 && $.a[0] = 1 }",
    "{ $.a.b.c = 1 && $.a.b NOT EXISTS }",
    "{ $.x > 3 && $.x <= 3 }",
    "{ $.x > 1e309 }",  # rule 38
    "{ $.x > 0 && $.x < 1e-330 }",
    '{ $.x = "5" && $.x < 3 && $.x > 1 }',
    '{ $.x = "-*" && $.x > 0 }',
    "{ $.x = 4* && $.x = 500 }",
    '{ $.x = "1*" && $.x = "*2" && $.x = %^.$% }',
    r'{ $.x = %^[a-c]{2}$% && $.x = "*d*" }',
    "ERROR -ERROR",
    "ERR -E",
    "%^$%",
    "[a = 1 && a = 2]",
]


@pytest.mark.parametrize("pattern", NEVER)
def test_never_true(pattern: str) -> None:
    assert satisfiable(pattern) == Verdict(False)


@pytest.mark.parametrize(
    ("pattern", "witness"),
    [
        ('{ $.a = "x" && $.b != "y" }', '{"a": "x", "b": "other"}'),
        ("{ $.a.b[1].c IS TRUE }", '{"a": {"b": [null, {"c": true}]}}'),
        ("{ $.x > 3.5 && $.x < 4 }", '{"x": 3.8}'),
        ("{ $.a IS NULL && $.a[0] = 1 }", '{"a": ["1", null]}'),
        ("ERROR timeout -debug", "ERROR timeout"),
        ("[ip, status = 4*, ...]", "- 4"),
        ("{ $.a NOT EXISTS }", "{}"),
        ("", "other"),
        ("-a", "other"),
        ("[...]", "-"),
        ("[]", "-"),
    ],
)
def test_witnesses_are_small_and_readable(pattern: str, witness: str) -> None:
    assert satisfiable(pattern) == Verdict(True, witness)


@pytest.mark.parametrize("also", ["", "$.a = x", "$.a IS NULL", "$.a IS TRUE", "$.a IS FALSE", "$.a.b = 1"])
def test_not_equal_or_absent_is_no_tautology(also: str) -> None:
    """Null, booleans, arrays and objects are neither (rules 26 to 29)."""
    pattern = f'{{ $.a != "x" || $.a NOT EXISTS || $.a = "x" {"|| " + also if also else ""} }}'
    verdict = tautology(pattern)
    assert verdict.holds is False
    assert confirmed(verdict, (pattern, False))


@pytest.mark.parametrize("pattern", ["", "[]", " ", "%a*%", r"%[\s\S]%", "{ $.a NOT EXISTS || $.a != 1 || $.a = 1 || $.a IS NULL || $.a IS TRUE || $.a IS FALSE || $.a[0] NOT EXISTS || $.a[0] NOT EXISTS || $.a[*] != 5 || $.a[*] = 5 }"])  # fmt: skip
def test_tautologies(pattern: str) -> None:
    assert tautology(pattern) == Verdict(True)


@pytest.mark.parametrize(("pattern", "witness"), [("[a]", " "), ("[a, b]", "-"), ("x", "other")])
def test_an_event_that_does_not_match_is_not_empty_either(pattern: str, witness: str) -> None:
    assert tautology(pattern) == Verdict(False, witness)


def test_order_of_terms_does_not_matter() -> None:
    assert equivalent("{ $.a = 1 || $.b = x }", "{ $.b = x || $.a = 1 }") == Verdict(True)


def test_a_verdict_is_true_only_when_proved() -> None:
    assert implies("{ $.x > 3 }", "{ $.x >= 3 }")
    assert not implies("{ $.x >= 3 }", "{ $.x > 3 }")
    assert not implies("[a, b]", "[a, b, c]")
    assert implies("[a, b, c]", "[a, b]")


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ("[a = x*]", "[a = x*, ...]", "the rest of a line"),
        ("{ $.a = 1 }", r"%^\s*\x7b%", "different kinds"),
        ("{ " + " && ".join(f"$.x[*].a{n}[{n}] = {n}" for n in range(40)) + " }", "{ $.b = 1 }", "too large"),
    ],
)
def test_what_is_out_of_reach_is_unknown(a: str, b: str, reason: str) -> None:
    verdict = implies(*(trailsieve.compile(text, limits=False) for text in (a, b)))
    assert verdict.holds is None
    assert verdict.witness is None
    assert reason in verdict.reason


TOOLS = ["curl", "wget", "kali", "parrot", "pentoo", "python", "boto", "hydra", "nmap", "nikto", "sqlmap"]


def tools(names: list[str]) -> str:
    return "{ " + " || ".join(f'$.userAgent = "*{name}*"' for name in names) + " }"


def test_many_wildcards_on_one_field() -> None:
    """2,048 kinds of text, too many to list."""
    assert equivalent(tools(TOOLS), tools(TOOLS[::-1])) == Verdict(True)
    assert implies(tools(TOOLS[:-1]), tools(TOOLS)) == Verdict(True)
    assert implies(tools(TOOLS), tools(TOOLS[:-1])) == Verdict(False, '{"userAgent": "sqlmap"}')
    assert implies(tools([f"{name}/" for name in TOOLS]), tools(TOOLS)) == Verdict(True)
    assert satisfiable(tools(TOOLS).replace("||", "&&").replace("curl*", "curl")).holds is not False
    assert implies(" ".join(f"?{name}" for name in TOOLS), " ".join(f"?{name[1:]}" for name in TOOLS)).holds


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(trailsieve.PatternError):
        implies("{ $.a }", "")
