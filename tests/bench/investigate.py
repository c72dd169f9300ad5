"""`make bench-investigate`: processor time and memory of `investigate`, compared with `replay` of the same rules.

Both run in turn, so that slow minutes of the machine hit them alike.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import tempfile
import threading
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.bench import TRAILSIEVE, archive
from tests.bench.size import FILE, tree_memory

PACKS = ["--rules", "cis-aws", "--rules", "aws-threats"]


def measured(command: str, folder: Path, workers: int) -> tuple[float, int, int]:
    """Seconds of processor time, and peak bytes of the parent and of all processes together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [TRAILSIEVE, command, str(folder), *PACKS, "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    parent = tree = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal parent, tree
        while not done.wait(0.1):
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            parent = max(parent, pages * resource.getpagesize())
            tree = max(tree, tree_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, parent, tree


def main() -> None:
    """Prints the ratio and the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="MB of JSON")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "trailsieve-bench" / f"size-{options.size}mb"
    archive(folder, options.size * 1_000_000, max(1, options.size * 1_000_000 // FILE))
    table = Table(title=f"{options.size} MB of JSON, two packs", title_justify="left", box=None)
    for column in ("workers", "replay CPU s", "investigate CPU s", "ratio", "parent MB", "all MB"):
        table.add_column(column, justify="right")
    for workers in (1, 2):
        rounds = [
            (measured("replay", folder, workers), measured("investigate", folder, workers))
            for _ in range(options.rounds)
        ]
        replay = statistics.median(one[0] for one, _ in rounds)
        investigate = statistics.median(one[0] for _, one in rounds)
        parent = max(one[1] for _, one in rounds)
        tree = max(one[2] for _, one in rounds)
        table.add_row(
            str(workers),
            f"{replay:.1f}",
            f"{investigate:.1f}",
            f"{investigate / replay:.2f}",
            f"{parent / 1e6:,.0f}",
            f"{tree / 1e6:,.0f}",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
