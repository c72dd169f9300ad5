"""Alarms through outages, pauses, kills, rebalances and wrong clocks: exactly those of a replay.

`make chaos` runs a hundred of them and more: CAMPAIGNS=500 make chaos.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.alarms.campaigns import Campaign
from tests.ledger import compare, settle

CAMPAIGNS = int(os.environ.get("CAMPAIGNS", "12"))


@pytest.mark.parametrize("seed", range(CAMPAIGNS))
def test_campaign_raises_the_final_alerts_of_a_replay(seed: int, tmp_path: Path) -> None:
    campaign = Campaign(seed)
    expected = [alert.id for alert in campaign.replayed()]
    raised = [
        {"id": alert.id, "provisional": alert.provisional, "replaces": alert.replaces}
        for alert in campaign.streamed(tmp_path)
    ]
    settle(compare("simulated", campaign.plan.name, expected, raised))
