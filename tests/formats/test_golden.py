"""Each format of each kind of alert, in files to read. After a wanted change: python -m tests.formats.test_golden"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.formats.alerts import KINDS
from trailsieve.formats import encoder, pagerduty
from trailsieve.model import Alert

GOLDEN = Path(__file__).with_name("golden")
ENCODERS: dict[str, Callable[[Alert], bytes]] = {
    **{name: encoder(name) for name in ("native", "ecs", "ocsf", "asff", "cef", "leef", "slack", "teams")},
    "pagerduty": lambda alert: pagerduty.encode(alert, "R0UTINGKEY"),
}
LINES = {"cef", "leef"}
cells = [(name, kind) for name in ENCODERS for kind in KINDS]


def shown(name: str, kind: str) -> str:
    """The alert in a format, JSON indented."""
    encoded = ENCODERS[name](KINDS[kind])
    assert b"\n" not in encoded
    if name in LINES:
        return encoded.decode() + "\n"
    return json.dumps(json.loads(encoded), indent=2, ensure_ascii=False) + "\n"


def path(name: str, kind: str) -> Path:
    return GOLDEN / f"{kind}.{name}.{'txt' if name in LINES else 'json'}"


@pytest.mark.parametrize(("name", "kind"), cells)
def test_golden(name: str, kind: str) -> None:
    assert shown(name, kind) == path(name, kind).read_text("utf-8")


def main() -> None:
    """Writes the files anew."""
    for name, kind in cells:
        path(name, kind).write_text(shown(name, kind), "utf-8")


if __name__ == "__main__":
    main()
