"""An investigation as text, Markdown and JSON: it fits, it is escaped, and it says the same."""

from __future__ import annotations

import json
from functools import cache

import pytest

from tests.investigation.night import call, makes_key, told, user
from trailsieve.cli.investigation_text import Layout, lines, principals
from trailsieve.cli.json_output import to_json
from trailsieve.errors import cells
from trailsieve.investigation.as_json import as_json
from trailsieve.investigation.markdown import escaped, markdown
from trailsieve.investigation.model import Investigation, Suspect

HOSTILE = "<script>alert(1)</script> [x](javascript:y) |\x1b[31m\u202e\n# =1+1 " + "W" * 3000


@cache
def hostile() -> Investigation:
    """An incident in which every name is an attack on who reads it."""
    who = user("mia", HOSTILE, "203.0.113.9")
    who = type(who)(who.identity | {"arn": who.arn + HOSTILE}, who.address, HOSTILE)
    return told(
        [
            makes_key(who, 1, HOSTILE, HOSTILE),
            call(who, 2, "cloudtrail:StopLogging", {"name": HOSTILE}, awsRegion=HOSTILE),
            call(
                who,
                3,
                "iam:AttachUserPolicy",
                {"userName": HOSTILE, "policyArn": "arn:aws:iam::aws:policy/A"},
            ),
            call(who, 4, f"s3:{HOSTILE}", recipientAccountId=HOSTILE, errorCode=HOSTILE),
        ]
    )


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal_nor_controls_it(width: int) -> None:
    for layout in (Layout(width), Layout(width, suspects=50, steps=500)):
        shown = [*lines(hostile(), layout), *principals(hostile().principals, layout)]
        assert len(shown) > 15
        assert max(map(cells, shown)) <= width
        assert all(line.isprintable() for line in shown)


def test_colour_changes_nothing_but_the_colour() -> None:
    colored = "\n".join(lines(hostile(), Layout(120, color=True)))
    assert "\x1b[31" in colored
    plain = "\n".join(lines(hostile(), Layout(120)))
    assert len(colored) > len(plain)
    assert "\x1b" not in plain


def test_markdown_has_no_markup_of_others() -> None:
    text = markdown(hostile())
    for mark in ("<", "javascript:", "\x1b", "\u202e", "](", "**"):
        assert mark not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} <= {3, 7, 8}
    assert "StopLogging" in text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a|b", "a&#124;b"),
        ("<b>", "&#60;b&#62;"),
        ("`x`", r"\`x\`"),
        ("@team #12", "&#64;team &#35;12"),
        ("[a](b)", r"\[a\]\(b)"),
        ("https://x", "https&#58;//x"),
        ("1. x", r"1\. x"),
        ("- x", r"\- x"),
        ("*x* _y_", r"\*x\* \_y\_"),
        ("&lt;", "&#38;lt;"),
        ("user/bert-jan, 2023-07-10 11:54, a_b (1.5)", "user/bert-jan, 2023-07-10 11:54, a_b (1.5)"),
    ],
)
def test_only_what_markdown_would_interpret_is_escaped(text: str, markdown: str) -> None:
    assert escaped(text) == markdown


def test_json_has_every_field_by_its_name() -> None:
    shape = json.loads(to_json(as_json(hostile())))
    assert set(shape) == set(Investigation.__struct_fields__)
    first = shape["suspects"][0]
    assert set(first) == set(Suspect.__struct_fields__)
    assert first["score"] == sum(signal["points"] for signal in first["signals"])
    step = next(step for step in first["steps"] if step["event_name"] == "StopLogging")
    assert step["targets"][0]["kind"] == "trail"
    assert shape["alerts"][0]["records"][0]["userAgent"] == HOSTILE
    assert all(isinstance(sentence, str) for sentence in shape["verdict"])


def test_every_principal_has_its_counts() -> None:
    found = told(
        [call(user("mia"), 1, "s3:ListBuckets"), call(user("mia"), 2, "s3:GetBucketAcl", errorCode="X")]
    )
    (one,) = found.principals
    assert (one.calls, one.failed) == (2, 1)
    assert (one.succeeded_by_service, one.failed_by_service) == ({"s3": 1}, {"s3": 1})
    header, line = principals(found.principals, Layout(120))
    assert line.split()[:3] == ["user/mia", "2", "1"]
    assert header.startswith("principal")
