"""Sigma rules become patterns with the same matches; their losses, and the rules left out, are listed."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from tests.cli.console import trailsieve
from trailsieve.interchange.sigma.rules import read
from trailsieve.pattern.compiler import compile
from trailsieve.rules.load import load_pack

pytest.importorskip("sigma.collection", reason="pySigma is not installed")
HEAD = "title: A title\nstatus: test\nlogsource: {product: aws, service: cloudtrail}\nlevel: high\n"


def sigma_file(folder: Path, detection: str, head: str = HEAD) -> Path:
    file = folder / "rule.yml"
    file.write_text(f"{head}detection:\n{indent(detection, '  ')}\n", "utf-8")
    return file


Row = tuple[str, list[Any], list[Any]]
MEANINGS: dict[str, Row] = {
    "and or": (
        "s: {eventName: [A, B], eventSource: x}\ncondition: s",
        [{"eventName": "B", "eventSource": "x"}],
        [{"eventName": "A"}, {"eventName": "C", "eventSource": "x"}],
    ),
    "not": ("s: {a: x}\nf: {b: [y, z]}\ncondition: s and not f", [{"a": "x"}, {"a": "x", "b": "q"}], [{"a": "x", "b": "z"}]),
    "not both": (
        "s: {a: x}\nf: {b: y, c: z}\ncondition: s and not f",
        [{"a": "x", "b": "y"}, {"a": "x", "b": "y", "c": "q"}],
        [{"a": "x", "b": "y", "c": "z"}],
    ),
    "not not": ("s: {a: x}\ncondition: not (not s)", [{"a": "x"}], [{"a": "y"}]),
    "one of them": ("s1: {a: x}\ns2: {b: y}\ncondition: 1 of s*", [{"a": "x"}, {"b": "y"}], [{"a": "y"}]),
    "modifiers": (
        "s: {a|startswith: x, b|endswith: y, c|contains|all: [p, q]}\ncondition: s",
        [{"a": "xx", "b": "zy", "c": "-p-q-"}],
        [{"a": "xx", "b": "zy", "c": "-p-"}],
    ),
    "one character": ("s: {a: 'x?z'}\ncondition: s", [{"a": "xyz"}], [{"a": "xz"}, {"a": "axyz"}]),
    "a star itself": (r"s: {a: 'x\*z'}" + "\ncondition: s", [{"a": "x*z"}], [{"a": "xyz"}]),
    "regex": ("s: {a|re: '^x[0-9]+'}\ncondition: s", [{"a": "x12"}], [{"a": "yx1"}]),
    "range": ("s: {ip|cidr: 10.0.0.0/15}\ncondition: s", [{"ip": "10.0.9.9"}, {"ip": "10.1.2.3"}], [{"ip": "10.2.0.1"}]),
    "numbers": ("s: {n|gte: 5, m: 3}\ncondition: s", [{"n": 5, "m": 3}], [{"n": 4, "m": 3}]),
    "truth": (
        "s: {mfa: false}\ncondition: s",
        [{"mfa": False}, {"mfa": "false"}],
        [{"mfa": True}, {"mfa": "true"}, {}],
    ),
    "no truth": ("s: {mfa: true}\ncondition: not s", [{"mfa": False}, {"mfa": "false"}, {}], [{"mfa": True}, {"mfa": "true"}]),
    "truth as text": ("s: {readOnly: 'true'}\ncondition: s", [{"readOnly": True}], [{"readOnly": False}]),
    "null": ("s: {a: null}\ncondition: s", [{"a": None}, {}], [{"a": "x"}]),
    "not null": ("s: {a: null}\ncondition: not s", [{"a": "x"}], [{}]),
    "there": ("s: {a|exists: true}\ncondition: s", [{"a": "x"}], [{}]),
    "not there": ("s: {a|exists: false}\ncondition: s", [{}], [{"a": "x"}]),
    "nested and odd names": ("s: {a.b-c: x, 'd e.f': y}\ncondition: s", [{"a": {"b-c": "x"}, "d e": {"f": "y"}}], [{"a": "x"}]),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANINGS)
def test_patterns_mean_what_sigma_means(name: str, tmp_path: Path) -> None:
    detection, matching, others = MEANINGS[name]
    [draft], unsupported = read([sigma_file(tmp_path, detection)])
    assert unsupported == []
    pattern = compile(draft.pattern)
    assert [pattern.matches_record(event) for event in matching] == [True] * len(matching), draft.pattern
    assert [pattern.matches_record(event) for event in others] == [False] * len(others), draft.pattern


LOSSES = {
    "case": ("s: {a: Word}\ncondition: s", "Sigma ignores case"),
    "not": ("s: {a: 1}\ncondition: not s", "`not` also matches fields that are null"),
    "star": ("s: {a|endswith: '.1'}\ncondition: s", "at its first place only"),
    "range": ("s: {a|cidr: 10.0.0.0/8}\ncondition: s", "an IP range is compared as text"),
    "there": ("s: {a|exists: true}\ncondition: s", "does not count as present"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_named(name: str, tmp_path: Path) -> None:
    detection, sentence = LOSSES[name]
    [draft], _ = read([sigma_file(tmp_path, detection)])
    assert any(sentence in loss for loss in draft.losses)


def test_a_rule_without_losses_lists_none(tmp_path: Path) -> None:
    [draft], _ = read([sigma_file(tmp_path, "s: {a|cased: Word, n: 3}\ncondition: s")])
    assert draft.losses == []


UNSUPPORTED = {
    "keywords": ("keywords: [pacu]\ncondition: keywords", HEAD, "keywords"),
    "regex": ("s: {a|re: 'a b'}\ncondition: s", HEAD, "a regex cannot contain"),
    "flags": ("s: {a|re|i: x}\ncondition: s", HEAD, "flags"),
    "range": ("s: {a|cidr: 0.0.0.0/3}\ncondition: s", HEAD, "expands to 32 wildcards"),
    "fields": ("s: {a|fieldref: b}\ncondition: s", HEAD, "two fields"),
    "text that no regex takes": ("s: {a: 'x? y'}\ncondition: s", HEAD, "a regex cannot contain"),
    "long": (f"s: {{a: [{', '.join('word' * 9 + str(n) for n in range(40))}]}}\ncondition: s", HEAD, "1024"),
    "other logs": (
        "s: {a: x}\ncondition: s",
        HEAD.replace("cloudtrail", "guardduty"),
        "not aws/cloudtrail",
    ),
    "broken": ("s: {a|nonsense: x}\ncondition: s", HEAD, "nonsense"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_rule_that_no_pattern_expresses_is_left_out_with_the_reason(name: str, tmp_path: Path) -> None:
    detection, head, reason = UNSUPPORTED[name]
    drafts, unsupported = read([sigma_file(tmp_path, detection, head)])
    assert drafts == []
    assert len(unsupported) == 1
    assert reason in unsupported[0]
    assert "A title" in unsupported[0]


@pytest.mark.parametrize("text", ["", "[]", "a: [", "title: x", "\x00", "- - -"])
def test_files_that_are_no_sigma_rules(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text(text)
    result = trailsieve("import", "sigma", file)
    assert result.code in (1, 2)
    assert b"[[rule]]" not in result.out


def test_the_samples_load(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "sigma.toml"
    result = trailsieve("import", "sigma", root / "samples" / "import" / "sigma", "--output", file)
    assert result.code == 0
    rules = {rule.id: rule for rule in load_pack(file).rules}
    assert rules.keys() == {"console_login_failures", "key_material"}
    assert rules["key_material"].severity == "high"
    assert rules["key_material"].tags == ("attack.t1555.006",)
    assert "Tools Of Attackers: keywords" in result.err


def test_pysigma_finds_the_backend() -> None:
    from sigma.plugins import InstalledSigmaPlugins

    from trailsieve.interchange.sigma.backend import CloudWatchFilterBackend

    found: dict[str, Any] = InstalledSigmaPlugins.autodiscover().backends
    assert found["cloudwatch"] is CloudWatchFilterBackend
