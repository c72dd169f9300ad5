"""Rule files as tests of pytest, in a project of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RULES = """
[[rule]]
id = "root"
pattern = '{ $.userIdentity.type = "Root" }'
tests = { match = [{ userIdentity = { type = "Root" } }], ignore = [{ userIdentity = { type = "root" } }] }
[[rule]]
id = "bare"
pattern = 'x'
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "ours.rules.toml").write_text(RULES, "utf-8")
    (tmp_path / "other.toml").write_text("nothing = 'to do with rules'\n", "utf-8")
    return tmp_path


def test_each_entry_of_the_tests_is_a_test(project: Path) -> None:
    done = run(project)
    assert done.returncode == 0, done.stdout
    assert "PASSED ours.rules.toml::root[match number 1]" in done.stdout
    assert "PASSED ours.rules.toml::root[ignore number 1]" in done.stdout
    assert "the rule has no tests" in done.stdout
    assert "2 passed, 1 skipped" in done.stdout


def test_a_broken_rule_fails_with_place_event_and_explanation(project: Path) -> None:
    file = project / "ours.rules.toml"
    file.write_text(RULES.replace('"Root" }\'', '"Toor" }\''), "utf-8")
    done = run(project)
    assert done.returncode == 1
    assert f"{file}:2: rule root: match number 1" in done.stdout
    assert 'should match this event but does not: {"userIdentity":{"type":"Root"}}' in done.stdout
    assert '✗ $.userIdentity.type = "Toor"   ← "Root"' in done.stdout
    assert "Traceback" not in done.stdout


def test_the_project_names_its_rule_files(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\ntrailsieve_rules = detections/*.toml\n", "utf-8")
    (project / "detections").mkdir()
    (project / "detections" / "one.toml").write_text(RULES, "utf-8")
    done = run(project)
    assert "detections/one.toml::root[match number 1]" in done.stdout
    assert "ours.rules.toml" not in done.stdout


def test_mistakes_in_a_rule_file_are_an_error_of_collection(project: Path) -> None:
    (project / "ours.rules.toml").write_text("[[rule]]\nid = 'a'\n", "utf-8")
    done = run(project)
    assert done.returncode == 2
    assert "rule a: `pattern` is missing" in done.stdout
    assert "Traceback" not in done.stdout


def test_one_test_can_be_chosen(project: Path) -> None:
    done = run(project, "-k", "ignore")
    assert "1 passed, 2 deselected" in done.stdout
