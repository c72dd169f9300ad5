"""What the tests of alarms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import ledger
from trailsieve.alarms import packed_samples, rule_alarm


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the campaigns cost."""
    ledger.report(terminalreporter)


@pytest.fixture(autouse=True, scope="module")
def packed_early() -> Iterator[None]:
    """Packs samples and series that would stay as they are until there are many: no answer may change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_samples, "BLOCK_SAMPLES", 3)
        patch.setattr(rule_alarm, "MAX_SERIES", 2)
        yield
