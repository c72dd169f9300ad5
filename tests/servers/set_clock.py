"""trailsieve by a clock that a test sets: `CLOCK=FILE python -m tests.servers.set_clock run CONFIG.toml`.

The file holds `=SECONDS`, the time of day, which is trusted at once; or `+SECONDS`, an error that is added to
the time of day of the machine, for all libraries too.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from trailsieve import clock
from trailsieve.cli.main import main

_real = time.time


def set_clock(path: Path, text: str) -> None:
    """Writes the file as a whole."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def _now() -> float:
    text = Path(os.environ["CLOCK"]).read_text()
    return float(text[1:]) + (0 if text.startswith("=") else _real())


if __name__ == "__main__":
    if Path(os.environ["CLOCK"]).read_text().startswith("="):
        clock.TrustedClock.__init__.__defaults__ = (_now, time.monotonic, 0.0)
    else:
        time.time = _now
        clock.TrustedClock.__init__.__defaults__ = (_now, time.monotonic, clock.SETTLE)
    main()
