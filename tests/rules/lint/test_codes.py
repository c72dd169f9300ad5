"""The table of issues: each code has an example that raises it alone, one that raises nothing, and its page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from tests.rules.lint.examples import found, linted
from trailsieve import compile
from trailsieve.rules.lint import Code, codes

ROOT = Path(__file__).parents[3]
every_code = pytest.mark.parametrize("code", codes().values(), ids=lambda code: code.code)
MATCHED = {"TS102", "TS103", "TS303", "TS401", "TS501", "TS502", "TS503", "TS504"}
MISSED = {"TS201", "TS202", "TS203", "TS204", "TS205", "TS206", "TS208", "TS403", "TS404", "TS505"}
NO_EVENT = {"TS101", "TS104", "TS105", "TS207", "TS301", "TS302", "TS304", "TS305", "TS402"}


@every_code
def test_the_bad_example_has_its_issue_and_no_other(code: Code, tmp_path: Path) -> None:
    assert found(code.bad, tmp_path) == [code.code]


@every_code
def test_the_good_example_has_none(code: Code, tmp_path: Path) -> None:
    assert found(code.good, tmp_path) == []


@every_code
def test_an_issue_says_what_how_it_is_known_and_what_to_do(code: Code, tmp_path: Path) -> None:
    [located] = linted(code.bad, tmp_path)
    assert located.issue.message
    assert located.issue.proof
    assert located.issue.fix
    assert code.level in ("error", "warning", "note")


@every_code
def test_the_event_shows_it(code: Code, tmp_path: Path) -> None:
    [located] = linted(code.bad, tmp_path)
    event = located.issue.event
    if code.code in NO_EVENT or (code.code == "TS102" and not event):
        assert event == ""
    else:
        matched = compile(located.pattern).matches(event)
        assert matched is (code.code in MATCHED), event
    assert code.code in MATCHED | MISSED | NO_EVENT


def test_the_table_has_the_codes_that_checks_use() -> None:
    folder = ROOT / "src" / "trailsieve" / "rules" / "lint"
    used = {
        code for file in folder.glob("*.py") for code in re.findall(r'"(TS\d{3})"', file.read_text("utf-8"))
    }
    assert used == set(codes())


def test_pages_are_up_to_date() -> None:
    command = [sys.executable, "-m", "tools.write_docs", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_of_settings_is_about_toml_not_python() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert (
        re.findall(r".*\b(?:None|True|False|overwrites|completed|since 1970|Tls|Host:port)\b.*", page) == []
    )


def test_each_code_has_a_section() -> None:
    page = (ROOT / "docs" / "lint.md").read_text("utf-8")
    assert re.findall(r"^### (\w+)$", page, re.MULTILINE) == list(codes())


def test_the_catalogue_of_calls_is_that_of_the_service_models() -> None:
    """Of the version that it names; another one has other calls."""
    calls = (ROOT / "src/trailsieve/trail/catalogue/calls.txt").read_text("utf-8")
    if f"botocore {botocore.__version__}." in calls.splitlines()[0]:
        command = [sys.executable, str(ROOT / "tools" / "read_service_models.py"), "--check"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
