"""`trailsieve diff` and `explain --example`: what they print, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import trailsieve
from trailsieve import compile


def test_equivalent() -> None:
    result = trailsieve("diff", "{ $.a = 1 || $.b = x }", "{ $.b = x || $.a = 1 }")
    assert result.code == 0
    assert result.lines[0] == "equivalent: both match the same events (proved)"


def test_one_way_with_the_witness_and_the_terms_that_differ() -> None:
    result = trailsieve("diff", "{ $.x > 3 }", "{ $.x >= 3 }")
    assert result.code == 1
    assert result.out.decode() == (
        "A implies B: B matches everything that A matches, and more\n"
        "  A  { $.x > 3 }\n"
        "  B  { $.x >= 3 }\n"
        "\n"
        "Matched by A only: nothing (proved)\n"
        "\n"
        'Matched by B only: {"x": 3}\n'
        "  A asks for $.x > 3, which is 3\n"
        "\n"
        "Only A asks for: $.x > 3\n"
        "Only B asks for: $.x >= 3\n"
    )


def test_no_event_that_is_shown_is_empty() -> None:
    """CloudWatch takes no empty log event."""
    result = trailsieve("diff", "--", "-a", "%[^a]%")
    assert result.lines[0] == "A implies B: B matches everything that A matches, and more"
    assert "Matched by A only: nothing (proved)" in result.lines
    assert trailsieve("explain", "--example", "").lines[:2] == ["matches", "  other"]
    assert trailsieve("explain", "--example", "%^$%").err == "no example: no event can ever match\n"


def test_same_terms_joined_differently() -> None:
    result = trailsieve("diff", "{ $.a = 1 || $.b = 1 && $.c = 1 }", "{ ($.a = 1 || $.b = 1) && $.c = 1 }")
    assert result.code == 1
    assert result.lines[-1] == "The terms are the same; they are joined differently."


def test_colour_marks_the_terms() -> None:
    assert b"\x1b[1m" in trailsieve("--color", "always", "diff", "{ $.x > 3 }", "{ $.x >= 3 }").out
    assert b"\x1b" not in trailsieve("diff", "{ $.x > 3 }", "{ $.x >= 3 }").out


def test_rules_by_id_and_by_pack() -> None:
    result = trailsieve("diff", "cis-aws-4.1", "cis-aws-tuned:cis-aws-tuned-4.1", "--format", "json")
    assert result.code == 1
    answer = json.loads(result.out)
    assert answer["relation"] == "neither"
    a, b = (compile(answer["patterns"][name]) for name in "ab")
    assert a.matches(answer["a"]["witness"])
    assert not b.matches(answer["a"]["witness"])
    assert b.matches(answer["b"]["witness"])
    assert not a.matches(answer["b"]["witness"])
    assert answer["a"]["refused_for"]
    assert "$.eventName NOT EXISTS" in answer["b"]["terms_only_in_b"]


def test_a_pack_with_itself_and_with_another() -> None:
    assert trailsieve("diff", "cis-aws", "cis-aws").code == 0
    answer = json.loads(trailsieve("diff", "cis-aws", "cis-aws-tuned", "--format", "json").out)
    assert list(answer["rules"]) == [f"cis-aws-4.{number}" for number in range(1, 16)]
    assert answer["only_in_a"] == answer["only_in_b"] == []
    text = trailsieve("diff", "cis-aws", "cis-aws-tuned")
    assert text.lines[0] == "rule cis-aws-4.1 and cis-aws-tuned-4.1"


def test_rule_files_pair_by_id(tmp_path: Path) -> None:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(
        '[[rule]]\nid = "r1"\npattern = "{ $.a = 1 }"\n[[rule]]\nid = "r2"\npattern = "{ $.a = 2 }"\n'
    )
    new.write_text(
        '[[rule]]\nid = "r1"\npattern = "{ $.a = 1 || $.a = 1 }"\n[[rule]]\nid = "r3"\npattern = "x"\n'
    )
    result = trailsieve("diff", old, new)
    assert result.code == 1
    assert result.lines[0] == "rule r1"
    assert result.lines[1].startswith("equivalent")
    assert result.lines[-2:] == ["rule r2: in A only", "rule r3: in B only"]
    assert trailsieve("diff", f"{old}:r1", f"{new}:r1").code == 0


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("cis-aws", "ERROR", "compare a pattern or rule with another one"),
        ("cis-aws-9.9", "ERROR", "did you mean `cis-aws-4.9`"),
        ("cis-aws:nothing", "ERROR", "no rule 'nothing' in cis-aws"),
        ("{ $.a }", "ERROR", "invalid filter pattern"),
        ("nowhere.toml", "cis-aws", "nowhere.toml: no such rule pack or file"),
    ],
)
def test_wrong_use(a: str, b: str, message: str) -> None:
    result = trailsieve("diff", a, b)
    assert result.code == 2
    assert message in result.err


def test_unknown_is_no_equivalence() -> None:
    result = trailsieve("diff", "[a = x]", "x")
    assert result.code == 1
    assert result.lines[0] == "unknown"
    assert (
        "Matched by A only: unknown (the patterns are of different kinds (JSON, text, columns))"
        in result.lines
    )


def test_no_control_character_reaches_the_terminal() -> None:
    assert b"\x1b" not in trailsieve("diff", '"\x1b[31m"', '"a\x1b"').out


@pytest.mark.parametrize(
    "text",
    [
        '{ $.errorCode = "AccessDenied*" && $.eventName != "HeadBucket" }',
        "ERROR -debug",
        "[a, b = 4*, c > 3]",
    ],
)
def test_an_example_with_near_misses(text: str) -> None:
    result = trailsieve("explain", "--example", text)
    assert result.code == 0
    assert result.lines[0] == "matches"
    pattern, (matching, missing) = compile(text), result.out.decode().split("\n\n")
    assert pattern.matches(matching.splitlines()[1][2:])
    misses = missing.splitlines()[1::2]
    assert len(misses) >= 2
    assert not any(pattern.matches(miss[2:]) for miss in misses)


def test_no_example_of_what_never_happens() -> None:
    result = trailsieve("explain", "--example", "{ $.a = x && $.a = y }")
    assert result.code == 1
    assert result.err == "no example: no event can ever match\n"


@pytest.mark.parametrize("names", [("cis-aws-4.1", "nope-4.1"), ("root-login", "cis-aws")])
def test_a_word_that_is_written_like_a_rule_id_is_no_text_pattern(names: tuple[str, str]) -> None:
    result = trailsieve("diff", *names)
    unknown = next(name for name in names if not name.startswith("cis"))
    assert (result.code, result.out) == (2, b"")
    assert (
        f"no rule '{unknown}' in aws-threats, cis-aws, cis-aws-tuned; see `trailsieve rules list`"
        in result.err
    )
    assert f"quote it if it is a text pattern: '\"{unknown}\"'" in result.err
    assert trailsieve("diff", f'"{unknown}"', f'"{unknown}"').code == 0
