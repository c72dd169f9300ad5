"""What the tests of alarms share."""

from __future__ import annotations

import pytest

from tests import ledger


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the campaigns cost."""
    ledger.report(terminalreporter)
