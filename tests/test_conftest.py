"""The rule that CI skips nothing, and what the shared fixtures give."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

def test_passes(root):
    assert root.is_dir()

def test_wants_what_is_not_there(shared):
    pass

@pytest.mark.skip(reason="no time")
def test_marked():
    pass

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, root: Path) -> pytest.Pytester:
    """A project with this repository's conftest and a few tests."""
    folder = pytester.mkdir("tests")
    (folder / "conftest.py").write_text((root / "tests" / "conftest.py").read_text("utf-8"), "utf-8")
    (folder / "test_some.py").write_text(TESTS, "utf-8")
    return pytester


def test_skips_are_skips_on_a_desk(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = suite.runpytest_subprocess("-rs")
    result.assert_outcomes(passed=1, skipped=2, xfailed=1)
    result.stdout.fnmatch_lines(["*no ../shared folder*"])
    assert result.ret == pytest.ExitCode.OK


def test_a_skip_fails_in_ci_and_says_why(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_subprocess("-rf")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 1
    assert outcomes["xfailed"] == 1
    assert "skipped" not in outcomes
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 2
    result.stdout.fnmatch_lines_random(["*skipped in CI: *no ../shared folder*", "*skipped in CI: *no time*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
