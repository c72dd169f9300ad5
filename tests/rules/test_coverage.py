"""Which terms tests try out, and the events that are proposed for the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailsieve import compile, load_pack
from trailsieve.rules.coverage import RuleCoverage, coverage


def covered(folder: Path, pattern: str, tests: str) -> RuleCoverage:
    (folder / "rules.toml").write_text(
        f"[[rule]]\nid = 'a'\npattern = '{pattern}'\ntests = {{ {tests} }}\n", "utf-8"
    )
    [found] = coverage(load_pack(folder))
    return found


def missing(found: RuleCoverage) -> dict[str, str]:
    return {term.text: term.missing for term in found.terms if term.missing}


def test_a_term_is_to_be_seen_true_and_false(tmp_path: Path) -> None:
    pattern = "{ ($.a = 1 || $.b = 2) && $.c != 3 }"
    found = covered(tmp_path, pattern, "match = [{ a = 1, c = 1 }], ignore = [{ a = 2, c = 1 }]")
    assert missing(found) == {"$.b = 2": "true", "$.c != 3": "false"}
    assert (found.seen, len(found.terms), found.rule) == (1, 3, "a")


def test_without_tests_nothing_is_tried(tmp_path: Path) -> None:
    assert missing(covered(tmp_path, "{ $.a = 1 && $.b = 2 }", "")) == {
        "$.a = 1": "at all",
        "$.b = 2": "at all",
    }


@pytest.mark.parametrize(
    "pattern", ["{ $.a = 1 }", "{ ($.a = 1 || $.b = 2) && $.c != 3 }", "{ $.a[*] = 1 || $.b IS NULL }"]
)
def test_the_proposed_events_try_out_what_is_missing(pattern: str, tmp_path: Path) -> None:
    """Added to the tests, they leave less untried, until nothing is."""
    match: list[str] = []
    ignore: list[str] = []
    for _ in range(10):
        for name, events in (("match.jsonl", match), ("ignore.jsonl", ignore)):
            (tmp_path / name).write_text("\n".join(events), "utf-8")
        files = [
            f'{name} = ["{name}.jsonl"]' for name, events in (("match", match), ("ignore", ignore)) if events
        ]
        found = covered(tmp_path, pattern, ", ".join(files))
        term = next((term for term in found.terms if term.missing), None)
        if term is None:
            return
        matches = compile(pattern).matches(term.event)
        assert matches or term.missing == "false"
        (match if matches else ignore).append(term.event)
    pytest.fail(str(found))


@pytest.mark.parametrize(
    ("pattern", "tests", "left"),
    [
        ("[a, b = 4*]", 'match = [{ text = "x 404" }]', {"b = 4*": "false"}),
        ("[a, b = 4*]", 'match = [{ text = "x 404" }], ignore = [{ text = "x 200" }]', {}),
        ("error -debug", 'match = [{ text = "error" }]', {"error": "false", "-debug": "false"}),
        ("%err%", 'ignore = [{ text = "x" }]', {"%err%": "true"}),
    ],
)
def test_other_kinds_of_patterns(pattern: str, tests: str, left: dict[str, str], tmp_path: Path) -> None:
    assert missing(covered(tmp_path, pattern, tests)) == left


def test_events_of_alert_and_extract_tests_count(tmp_path: Path) -> None:
    tests = (
        'extract = [{ text = "x 404", values = {} }], alerts = [{ events = [{ text = "x 1" }], expect = 0 }]'
    )
    assert missing(covered(tmp_path, "[a, b = 4*]", tests)) == {}
