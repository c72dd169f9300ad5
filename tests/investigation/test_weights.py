"""The page on investigations explains every kind of act, with its points."""

from __future__ import annotations

import re
from pathlib import Path

from trailsieve.investigation import weights
from trailsieve.investigation.acts import table


def test_the_page_has_the_points_of_every_act(root: Path) -> None:
    page = (root / "docs" / "investigate.md").read_text("utf-8")
    rows = {
        kind: int(points)
        for kind, points in re.findall(r"^\| ([\w -]+): .* \| (\d+) \|$", page, re.MULTILINE)
    }
    assert rows == weights.ACT


def test_every_act_has_points() -> None:
    made_by_code = {"rights for itself", "rights for another", "key for itself", "clean-up"}
    assert {row["kind"] for row in table()["act"]} | made_by_code == set(weights.ACT)
