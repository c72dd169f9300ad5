"""The canonical text of a pattern, by example."""

from __future__ import annotations

import pytest

from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("{$.a=1}", "{ $.a = 1 }"),
        ("{\n  $.a\t=  x\n}", "{ $.a = x }"),
        ("{ (($.a=1)) }", "{ $.a = 1 }"),
        ("{ $.a=1&&$.b=2||$.c=3 }", "{ ($.a = 1 && $.b = 2) || $.c = 3 }"),
        ("{ $.a=1 && ($.b=2 || $.c=3) }", "{ $.a = 1 && ($.b = 2 || $.c = 3) }"),
        ("{ ($.a=1 && $.b=2) && $.c=3 }", "{ $.a = 1 && $.b = 2 && $.c = 3 }"),
        ("{ $.a is null || $.b Is True }", "{ $.a IS NULL || $.b IS TRUE }"),
        ("{ $.a not exists }", "{ $.a NOT EXISTS }"),
        ("{ $.a.* = 1 }", "{ $.a[*] = 1 }"),
        ("{ $.['a b'].['c'][0] = 1 }", "{ $.['a b'].c[0] = 1 }"),
        ("{ $.a[007] = 1 }", "{ $.a[7] = 1 }"),
        ("{ $.a != +1.50e3 }", "{ $.a != +1.50e3 }"),
        (r'{ $.a = "q\"b\\" }', r'{ $.a = "q\"b\\" }'),
        ('{ $.a = "x" || $.a = x }', '{ $.a = "x" || $.a = x }'),
        ("{ $.a = %x|y% }", "{ $.a = %x|y% }"),
        ("%a.b%", "%a.b%"),
        ("", ""),
        ("  ERROR   -WARN ?INFO ", "ERROR -WARN ?INFO"),
        (r'-"a b"  ?"c\"d"', r'-"a b" ?"c\"d"'),
        ("a-b?c", "a -b ?c"),
        ("[]", "[]"),
        ("[a,b=1,...]", "[a, b = 1, ...]"),
        ("[,,c]", "[, , c]"),
        ("[a=1||a=2&&a!=3]", "[a = 1 || a = 2 && a != 3]"),
        ('[a = "x y", b > 5]', '[a = "x y", b > 5]'),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert render(parse(text)) == canonical
    assert render(parse(canonical)) == canonical
    assert parse(canonical) == parse(text)
