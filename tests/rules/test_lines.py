"""Where rules and keys stand in a TOML file, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailsieve.rules.lines import RuleLines

TEXT = """\
# id = "comment"
[pack]
name = "ours"

[[rule]]
id = "one"
  "pattern" = 'x'
[rule.tests]
match = []

[[ rule ]]  # the second
'id' = "two"
tests.match = []
"""
LINES = RuleLines(Path("r.toml"), TEXT)


@pytest.mark.parametrize(
    ("rule", "key", "line"),
    [
        (0, "id", 6),
        (0, "pattern", 7),
        (0, "tests", 8),
        (0, "match", 9),
        (0, "absent", 5),
        (1, "id", 12),
        (1, "tests", 13),
        (1, "pattern", 11),
    ],
)
def test_a_key_of_a_rule(rule: int, key: str, line: int) -> None:
    assert LINES.at(rule, key) == f"r.toml:{line}"


@pytest.mark.parametrize(("key", "line"), [("pack", 2), ("name", 3), ("absent", 1)])
def test_a_key_outside_the_rules(key: str, line: int) -> None:
    assert LINES.at_top(key) == f"r.toml:{line}"


def test_a_rule_begins_at_its_header() -> None:
    assert [LINES.line(rule) for rule in range(3)] == [5, 11, 1]
