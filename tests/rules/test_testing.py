"""The tests that rules carry: what is tried, what a failure tells, and the report for CI systems."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from trailsieve import load_pack
from trailsieve.analysis.rule_tests import run_tests
from trailsieve.rules.load import built_in
from trailsieve.rules.testing import TestResult, as_junit

RULE = "[[rule]]\nid = 'a'\npattern = '{ $.a = 1 }'\n"


def results(folder: Path, tests: str) -> list[TestResult]:
    file = folder / "rules.toml"
    file.write_text(f"# ours\n{RULE}{tests}\n")
    return list(run_tests(load_pack(file)))


def test_inline_records_are_tried_on_the_rule(tmp_path: Path) -> None:
    tried = results(tmp_path, "tests = { match = [{ a = 1 }, { a = 2 }], ignore = [{ a = 2 }, { a = 1 }] }")
    assert [(result.name, bool(result.failure)) for result in tried] == [
        ("match number 1", False),
        ("match number 2", True),
        ("ignore number 1", False),
        ("ignore number 2", True),
    ]
    assert {result.rule for result in tried} == {"a"}
    assert {result.place for result in tried} == {f"{tmp_path}/rules.toml:2"}


def test_a_failure_tells_the_event_and_why(tmp_path: Path) -> None:
    missed, caught = results(tmp_path, "tests = { match = [{ a = '1x' }], ignore = [{ a = 1 }] }")
    assert missed.failure == (
        'should match this event but does not: {"a":"1x"}\n'
        "✗ no match\n"
        '  ✗ $.a = 1   ← "1x"\n'
        "  it would match if:\n"
        "    $.a = 1  — the field is a string: it must be exactly `1`"
    )
    assert caught.failure == ('should not match this event but does: {"a":1}\n✓ match\n  ✓ $.a = 1   ← 1')


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("one.json", b'{"a": 1}'),
        ("pretty.json", b'{\n "a": 1\n}\n'),
        ("file.json", b'{"Records": [{"a": 1}]}'),
        ("file.json.gz", gzip.compress(b'{"Records": [{"a": 1}]}', mtime=0)),
        ("array.json", b'[{"a": 1}]'),
    ],
)
def test_files_stand_beside_the_rule_file(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / name).write_bytes(content)
    monkeypatch.chdir("/")
    [result] = results(tmp_path, f"tests = {{ match = ['events/{name}'] }}")
    assert (result.name, result.failure) == (f"match events/{name}", "")


def test_each_event_of_a_file_is_a_test(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_text(json.dumps({"Records": [{"a": 1}, {"a": 2}]}))
    tried = results(tmp_path, "tests = { ignore = ['events.json'] }")
    assert [(result.name, bool(result.failure)) for result in tried] == [
        ("ignore events.json, event 1", True),
        ("ignore events.json, event 2", False),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (b"", "empty"),
        (b'{"Records": []}', "it has no events"),
        (b"plain", "not JSON"),
        (b"\x1f\x8b\x08", "truncated"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_failure(content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "event.json").write_bytes(content)
    [result] = results(tmp_path, "tests = { match = ['event.json'] }")
    assert result.failure.startswith("cannot read it: ")
    assert said in result.failure


def test_a_rule_without_tests_is_told_and_fails_nothing(tmp_path: Path) -> None:
    [result] = results(tmp_path, "")
    assert (result.untested, result.failure) == (True, "")


def test_a_disabled_rule_is_tested_too(tmp_path: Path) -> None:
    [result] = results(tmp_path, "enabled = false\ntests = { match = [{}] }")
    assert result.failure


@pytest.mark.parametrize("number", range(1, 16))
def test_a_broken_pattern_of_a_built_in_rule_is_found_by_its_tests(number: int, tmp_path: Path) -> None:
    rule = load_pack("cis-aws").rules[number - 1]
    text = built_in()["cis-aws"].read_text("utf-8")
    broken = text.replace(rule.pattern.text, "{ $.eventName = NeverCalled }")
    assert broken != text
    file = tmp_path / "broken.toml"
    file.write_text(broken, "utf-8")
    failed = [result for result in run_tests(load_pack(file)) if result.failure]
    assert {result.rule for result in failed} == {rule.id}
    assert {result.place for result in failed} == {f"{file}:{rule.line}"}
    assert len(failed) == len(rule.tests.match)


def test_the_report_is_junit_xml() -> None:
    odd = "must match: \x1b\x00 <&> \ufffe\n✗ no match"
    document = as_junit(
        [
            TestResult("a", "match number 1", "r.toml:2"),
            TestResult("a", "ignore <x>", "r.toml:2", failure=odd),
            TestResult("b", "no tests", "r.toml:9", untested=True),
        ]
    )
    suite = ElementTree.fromstring(document)
    assert suite.tag == "testsuite"
    assert suite.attrib == {
        "name": "trailsieve",
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    assert [case.attrib for case in suite.findall("testcase")] == [
        {"classname": "a", "name": "match number 1", "file": "r.toml:2"},
        {"classname": "a", "name": "ignore <x>", "file": "r.toml:2"},
        {"classname": "b", "name": "no tests", "file": "r.toml:9"},
    ]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "must match: �� <&> �"
    assert failure.text == "must match: �� <&> �\n✗ no match"
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["skipped"]]
