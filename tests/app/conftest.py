"""Prints what became of alerts under faults."""

from __future__ import annotations

import pytest

from tests import ledger


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ledger.report(terminalreporter)
