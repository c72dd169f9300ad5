"""`trailsieve match` with `--json`, `--explain` and `--rules`: what programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve

EVENTS = b'{"a":1, "a":2}\n{"a":"2"}\nplain  text\n'


def test_json_is_the_answer_of_test_metric_filter() -> None:
    result = trailsieve("match", "--json", "{ $.a = 2 }", stdin=EVENTS)
    assert json.loads(result.out) == {
        "matches": [
            {"eventNumber": 1, "eventMessage": '{"a":1, "a":2}', "extractedValues": {}},
            {"eventNumber": 2, "eventMessage": '{"a":"2"}', "extractedValues": {}},
        ]
    }
    assert result.code == 0


def test_json_holds_the_extracted_values_of_space_delimited_patterns() -> None:
    result = trailsieve("match", "--json", "[host, ..., status = 4*]", stdin=b"web x y 404\nweb x y 200\n")
    assert json.loads(result.out)["matches"] == [
        {
            "eventNumber": 1,
            "eventMessage": "web x y 404",
            "extractedValues": {"$host": "web", "$status": "404", "$2": "x", "$3": "y"},
        }
    ]


def test_json_of_nothing_is_an_empty_list() -> None:
    result = trailsieve("match", "--json", "{ $.a = 3 }", stdin=EVENTS)
    assert (json.loads(result.out), result.code) == ({"matches": []}, 1)


def test_event_numbers_count_over_all_inputs(tmp_path: Path) -> None:
    for name in ("1.log", "2.log"):
        (tmp_path / name).write_text("no\nyes\n")
    matches = json.loads(trailsieve("match", "--json", "yes", tmp_path).out)["matches"]
    assert [match["eventNumber"] for match in matches] == [2, 4]


def test_explain_says_of_every_event_why() -> None:
    result = trailsieve("match", "--explain", "{ $.a = 2 }", stdin=b'{"a":2}\n{"b":1}\n')
    assert result.lines == [
        "event 1: ✓ match",
        "  ✓ $.a = 2   ← 2",
        "",
        "event 2: ✗ no match",
        "  ✗ $.a = 2   ← absent",
        "  it would match if:",
        "    $.a = 2  — false because the field is absent",
        "",
    ]
    assert result.code == 0


def test_explain_of_no_match_is_exit_code_1() -> None:
    result = trailsieve("match", "--explain", "{ $.a = 2 }", stdin=b"plain\n")
    assert result.code == 1
    assert "the event is not a JSON object" in result.lines[1]


def test_explain_as_json_is_one_object_an_event() -> None:
    result = trailsieve("match", "--explain", "--json", "{ $.a = 2.50 }", stdin=b'{"a":1.50}\n[]\n')
    first, second = result.objects
    assert (first["eventNumber"], first["matched"], first["tree"]["state"]) == (1, False, "number")
    assert (second["eventNumber"], second["matched"], second["tree"]) == (2, False, None)


RULES = """
[[rule]]
id = "users"
pattern = '{ $.eventName = "ListUsers" }'
[[rule]]
id = "any-text"
pattern = 'ListUsers'
[[rule]]
id = "off"
enabled = false
pattern = 'ListUsers'
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text(RULES)
    return file


def test_rules_print_one_object_a_match(rules: Path, tmp_path: Path) -> None:
    file = log_file(tmp_path / "trail.json.gz", [{"eventName": "Decrypt"}, denied(7)])
    result = trailsieve("match", "--rules", rules, file)
    common = {
        "file": str(file),
        "index": 2,
        "eventID": "00000000-0000-4000-8000-000000000007",
        "eventTime": "2026-03-14T02:07:00Z",
        "eventName": "ListUsers",
    }
    assert result.objects == [{"rule": "users", **common}, {"rule": "any-text", **common}]
    assert [list(found) for found in result.objects] == [["rule", *common]] * 2
    assert (result.code, result.err) == (0, "")


def test_rules_may_be_repeated(rules: Path, tmp_path: Path) -> None:
    file = log_file(tmp_path / "trail.json", [denied(1)])
    found = trailsieve("match", "--rules", "cis-aws", "--rules", rules, file).objects
    assert [match["rule"] for match in found] == ["cis-aws-4.1", "users", "any-text"]


def test_index_counts_the_lines_of_a_file_empty_ones_too(rules: Path) -> None:
    stdin = b'\n{"eventName":"ListUsers"}\n\n{"eventName":"ListUsers","eventID":3}\n'
    found = trailsieve("match", "--rules", rules, stdin=stdin).objects
    assert [(match["file"], match["index"], match["eventID"]) for match in found] == [
        ("<stdin>", 2, None),
        ("<stdin>", 2, None),
        ("<stdin>", 4, 3),
        ("<stdin>", 4, 3),
    ]


def test_rules_with_count_and_without_a_match(rules: Path) -> None:
    event = b'{"eventName":"ListUsers"}\n'
    assert trailsieve("match", "-c", "--rules", rules, stdin=event).out == b"2\n"
    nothing = trailsieve("match", "--rules", rules, stdin=b'{"eventName":"Decrypt"}\n')
    assert (nothing.out, nothing.code) == (b"", 1)


def test_mistakes_in_rules_are_listed_and_are_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[[rule]]\nid = 'a'\n[[rule]]\npattern = 'x'\n")
    result = trailsieve("match", "--rules", file, stdin=b"x\n")
    assert (result.code, result.out) == (2, b"")
    assert result.err == (
        "trailsieve: 2 mistakes in the rules\n\n"
        f"{file}:1: rule a: `pattern` is missing\n\n"
        f"{file}:3: rule number 2: `id` is missing\n"
    )
