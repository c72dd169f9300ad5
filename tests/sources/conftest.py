"""Prints what became of the alerts of services that were killed."""

from __future__ import annotations

import pytest

from tests.sources.kill_report import ROWS
from tests.sources.kill_report import lines as report_lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the kills cost."""
    if ROWS:
        terminalreporter.section("alerts of services that were killed")
        terminalreporter.write("\n".join(report_lines()) + "\n")
