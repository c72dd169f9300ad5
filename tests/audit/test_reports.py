"""The audit as text, JSON, HTML, ASFF, OCSF and JUnit."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from tests.audit.account import ACCOUNT, REGION, Recorded
from tests.cli.console import Result, trailsieve
from tests.formats.test_documents import check_finding
from trailsieve.audit.chains import CHAINS
from trailsieve.cloudwatch.snapshot import ApiCall, ApiResponse

_EVIL = "<script>alert(1)</script>\"'&\x1b[31m\u202e"


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """One control of each verdict, and names that somebody chose to do harm."""
    account = Recorded()
    account.alarm_of("4.1")["ActionsEnabled"] = False
    account.alarm_of("4.1")["AlarmName"] = _EVIL
    account.filter_of("4.2")["fieldSelectionCriteria"] = _EVIL
    account.filter_of("4.3")["filterPattern"] = f'{{ $.eventName = "{_EVIL.replace(chr(34), "")}" }}'
    account.snapshot().save(tmp_path / "answers")
    return tmp_path / "answers"


def shown(answers: Path, shape: str) -> Result:
    result = trailsieve("audit", "aws", "--from", answers, "--format", shape)
    assert result.code == 1
    return result


def test_text_has_a_line_a_control_and_details_of_what_does_not_pass(answers: Path) -> None:
    lines = shown(answers, "text").lines
    summary = lines[1:16]
    assert [line.split()[:2] for line in summary] == [
        ["✗", "4.1"],
        ["?", "4.2"],
        ["✗", "4.3"],
        *(["✓", f"4.{number}"] for number in range(4, 16)),
    ]
    assert "actions: the actions of" in summary[0]
    assert lines[-1] == "12 pass · 2 fail · 1 cannot tell"
    assert not any("\x1b" in line or "\u202e" in line for line in lines)


def test_text_is_coloured_on_a_terminal_and_says_the_same(answers: Path) -> None:
    plain = shown(answers, "text").out.decode()
    coloured = trailsieve("audit", "aws", "--from", answers, "--color", "always").out.decode()
    assert "\x1b[31m✗\x1b[0m" in coloured
    for code in ("\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_json_names_the_broken_link_and_what_was_not_examined(answers: Path) -> None:
    found = json.loads(shown(answers, "json").out)["results"]
    first = found[0]
    assert (first["account"], first["control"], first["verdict"]) == (ACCOUNT, "4.1", "fail")
    assert first["broken_link"] == "actions"
    [chain] = first["chains"]
    names = [link["link"] for link in chain["links"]] + chain["not_examined"]
    assert names == [check.name for check in CHAINS["cloudwatch"]]
    assert found[3]["broken_link"] is None


def test_asff_is_what_security_hub_takes(answers: Path) -> None:
    findings = json.loads(shown(answers, "asff").out)
    for finding in findings:
        check_finding(finding)
    assert [one["Compliance"]["Status"] for one in findings[:4]] == [
        "FAILED",
        "NOT_AVAILABLE",
        "FAILED",
        "PASSED",
    ]
    assert len({one["Id"] for one in findings}) == 15


def test_the_id_of_a_finding_outlives_its_verdict(answers: Path, tmp_path: Path) -> None:
    Recorded().snapshot().save(tmp_path / "repaired")
    before = json.loads(shown(answers, "asff").out)
    after = json.loads(trailsieve("audit", "aws", "--from", tmp_path / "repaired", "--format", "asff").out)
    assert [one["Id"] for one in before] == [one["Id"] for one in after]


def test_ocsf_is_valid_by_the_published_schema(answers: Path) -> None:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.6.0"))
    closed = schema.get_class_schema("compliance_finding", ["cloud"])
    for definition in (closed, *closed["$defs"].values()):
        if definition.get("properties"):
            definition["additionalProperties"] = False
    validator = jsonschema.Draft202012Validator(closed)
    findings = shown(answers, "ocsf").objects
    assert len(findings) == 15
    for finding in findings:
        assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(finding)] == []
    assert [one["compliance"]["status_id"] for one in findings[:4]] == [3, 0, 3, 1]


def test_junit_counts_what_fails(answers: Path) -> None:
    suite = ElementTree.fromstring(shown(answers, "junit").out)
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "15",
        "failures": "2",
        "errors": "1",
    }
    [failure] = suite.findall("testcase[1]/failure")
    assert (failure.get("message") or "").startswith("actions: ")


# --- the page ---


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _parsed(result: Result) -> _Page:
    page = _Page()
    page.feed(result.out.decode())
    return page


def test_the_page_draws_a_chain_a_control_with_the_broken_link_marked(answers: Path) -> None:
    tags = _parsed(shown(answers, "html")).tags
    assert sum(kind.get("class") == "chain" for _, kind in tags) == 15
    first = tags.index(("ol", {"class": "chain"}))
    links = [kind.get("class") for tag, kind in tags[first:] if tag == "li" and "title" in kind][:10]
    assert links == [*["pass"] * 8, "fail", "unexamined"]


def test_the_page_runs_and_loads_nothing(answers: Path) -> None:
    result = shown(answers, "html")
    tags = _parsed(result).tags
    assert not {tag for tag, _ in tags} & {"script", "img", "link", "iframe", "object"}
    assert not [kind for _, kind in tags if "src" in kind or any(name.startswith("on") for name in kind)]
    text = result.out.decode()
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "default-src 'none'" in text


def test_the_page_of_several_accounts_begins_with_a_matrix(tmp_path: Path) -> None:
    snapshot = Recorded().snapshot()
    snapshot.accounts.append("210987654321")
    snapshot.responses[ApiCall("210987654321", REGION, "describe-trails")] = ApiResponse({"trailList": []})
    snapshot.save(tmp_path)
    tags = _parsed(shown(tmp_path, "html")).tags
    cells = [kind.get("class") for tag, kind in tags if tag == "td"]
    assert cells == ["pass"] * 15 + ["fail"] * 15
    anchors = {kind["href"].removeprefix("#") for tag, kind in tags if tag == "a" and kind["href"]}
    assert anchors == {kind["id"] for _, kind in tags if "id" in kind}
