"""`make bench-size`: time and peak memory of a replay with two workers, as the archive grows."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.bench import TRAILSIEVE, archive

FILE = 2_500_000  # bytes of JSON in a file, on average


def tree_memory(pid: int) -> int:
    """Resident bytes of a process and its children; shared pages count for each (Linux)."""
    total = 0
    pids = [pid]
    while pids:
        current = pids.pop()
        try:
            status = Path(f"/proc/{current}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Pss:"))
            pids += map(int, Path(f"/proc/{current}/task/{current}/children").read_text().split())
        except (OSError, StopIteration):
            continue
    return total * 1024


def replay(folder: Path) -> tuple[float, int]:
    """Seconds and peak bytes of one replay."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [TRAILSIEVE, "replay", str(folder), "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, tree_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    done.set()
    watcher.join()
    return time.perf_counter() - start, peak


def main() -> None:
    """Prints growth and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000], help="MB of JSON")
    options = parser.parse_args()
    table = Table(title="replay --workers 2, CIS pack", title_justify="left", box=None)
    for column in ("MB of JSON", "files", "events", "wall s", "events/s", "peak MB"):
        table.add_column(column, justify="right")
    for size in options.sizes:
        folder = Path(tempfile.gettempdir()) / "trailsieve-bench" / f"size-{size}mb"
        archive(folder, size * 1_000_000, max(1, size * 1_000_000 // FILE))
        truth = json.loads((folder / "truth.json").read_text())
        seconds, peak = replay(folder)
        table.add_row(
            f"{truth['uncompressed_bytes'] / 1e6:,.0f}",
            f"{truth['files']:,}",
            f"{truth['records']:,}",
            f"{seconds:.1f}",
            f"{truth['records'] / seconds:,.0f}",
            f"{peak / 1e6:,.0f}",
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table)


if __name__ == "__main__":
    main()
