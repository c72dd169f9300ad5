"""`trailsieve rules list` and `rules show`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import trailsieve
from trailsieve import load_pack

OWN = """
[pack]
name = "ours"
version = "2.1"
[[rule]]
id = "one"
title = "First [bold]rule[/bold]"
severity = "critical"
pattern = '{ $.a = "x   y" }'
description = "Look here."
tags = ["attack.t1078", "ours"]
references = ["https://example.com/1"]
[[rule]]
id = "two"
enabled = false
pattern = 'x'
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    return file


def test_list_shows_every_built_in_rule_on_a_line() -> None:
    lines = trailsieve("rules", "list").lines
    ids = [rule.id for pack in ("cis-aws", "cis-aws-tuned") for rule in load_pack(pack).rules]
    assert [line.split()[0] for line in lines if line.startswith("cis-aws") and "-4." in line] == ids


def test_list_of_a_file(own: Path) -> None:
    lines = [line.rstrip() for line in trailsieve("rules", "list", own).lines]
    assert lines == [
        "ours 2.1",
        "rule  severity  title                    tags",
        "one   critical  First [bold]rule[/bold]  attack.t1078 ours",
        "two   medium    two (disabled)",
        "",
    ]


def test_show_tells_everything_of_a_rule(own: Path) -> None:
    assert trailsieve("rules", "show", "one", "--rules", own).lines == [
        "one  First [bold]rule[/bold]",
        "",
        "severity    critical",
        'pattern     { $.a = "x   y" }',
        f"file        {own}:5",
        "tags        attack.t1078",
        "            ours",
        "references  https://example.com/1",
        "",
        "Look here.",
    ]


def test_show_finds_built_in_rules() -> None:
    lines = trailsieve("rules", "show", "cis-aws-4.1").lines
    rule = load_pack("cis-aws").rule("cis-aws-4.1")
    assert rule
    assert f"pattern     {rule.pattern.text}" in lines


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("cis-aws-41", "no rule 'cis-aws-41'; did you mean `cis-aws-4.1`"),
        ("zzz", "no rule 'zzz'; see `trailsieve rules list`"),
        ("cis-aws", "'cis-aws' is a pack; `trailsieve rules list cis-aws` lists its rules"),
    ],
)
def test_an_unknown_rule_is_exit_code_2_and_names_the_nearest(rule: str, said: str) -> None:
    result = trailsieve("rules", "show", rule)
    assert (result.code, result.out) == (2, b"")
    assert said in result.err


def test_an_unknown_pack_is_exit_code_2() -> None:
    result = trailsieve("rules", "list", "no-such-pack")
    assert result.code == 2
    assert (
        "no-such-pack: no such rule pack or file. Built in: aws-threats, cis-aws, cis-aws-tuned" in result.err
    )


def test_only_the_cis_packs_are_exported_when_none_is_named() -> None:
    named = trailsieve("rules", "export", "cis-aws", "cis-aws-tuned", "--to", "cli")
    result = trailsieve("rules", "export", "--to", "cli")
    assert (result.code, result.out) == (0, named.out)
