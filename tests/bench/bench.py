"""`make bench`: trailsieve, the floor and the peers over the same archive, in turn; ratios within one run.

Wall times of different runs are not comparable (machines breathe), ratios within one run are.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHARED = ROOT.parent / "shared" / "data"
TRAILSIEVE = str(Path(sys.executable).with_name("trailsieve"))
NEEDS = {"floor": "simdjson", "gzip-orjson": "orjson", "duckdb-1": "duckdb", "duckdb-2": "duckdb"}


@dataclass
class Tool:
    """A command to measure; FOLDER and OUT are replaced."""

    name: str
    command: list[str]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    matches: int = 0


def tools() -> list[Tool]:
    """Ours, and the peers that are installed."""
    found = [
        Tool(f"trailsieve --workers {n}", [TRAILSIEVE, "replay", "FOLDER", "--workers", n, "--output", "OUT"])
        for n in "12"
    ]
    for name, module in NEEDS.items():
        if importlib.util.find_spec(module):
            found.append(Tool(name, [sys.executable, str(HERE / "peers.py"), name, "FOLDER", "OUT"]))
    if shutil.which("jq"):
        found.append(Tool("jq", [sys.executable, str(HERE / "peers.py"), "jq", "FOLDER", "OUT"]))
    return found


def archive(folder: Path, size: int, files: int) -> None:
    """Makes an archive unless it is there: from real events when they are at hand, else from the samples."""
    if (folder / "truth.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if (SHARED / "make_archive.py").exists() and importlib.util.find_spec("orjson"):
        command = [sys.executable, str(SHARED / "make_archive.py"), "--events", str(SHARED / "events")]
        options = ["--out", str(folder), "--size", str(size), "--files", str(files), "--no-truth-ids"]
        subprocess.run(command + options, check=True, stdout=subprocess.DEVNULL)
    else:
        from tests.bench.archive import make

        make(folder, ROOT / "samples" / "archive", size, files)


def run(tool: Tool, folder: Path) -> None:
    """Measures one run, and counts the matching events."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        replaced = {"FOLDER": str(folder), "OUT": str(out)}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(
            [replaced.get(word, word) for word in tool.command], check=True, stderr=subprocess.DEVNULL
        )
        tool.seconds.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        tool.cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        tool.matches = count(out)


def count(out: Path) -> int:
    """Different events in an output: lines of events, or alerts that hold them."""
    ids = set()
    for line in out.read_bytes().splitlines():
        event = json.loads(line)
        event = event["records"][0] if "records" in event else event
        ids.add(event.get("eventID") or line)
    return len(ids)


def measure(folder: Path, chosen: list[Tool], rounds: int) -> None:
    """All tools in turn, so that slow minutes of the machine hit them alike; one round to warm up."""
    for number in range(rounds + 1):
        for tool in chosen:
            run(tool, folder)
            if number == 0:
                tool.seconds.clear()
                tool.cpu.clear()


def show(console: Console, title: str, chosen: list[Tool], records: int) -> None:
    """The table of one archive."""
    floor = next((statistics.median(tool.seconds) for tool in chosen if tool.name == "floor"), None)
    ours = {tool.name: statistics.median(tool.seconds) for tool in chosen}
    table = Table(title=title, title_justify="left", box=None)
    for column in (
        "tool",
        "wall s",
        "CPU s",
        "events/s",
        "× floor",
        "--workers 1 takes",
        "--workers 2 takes",
        "matches",
    ):
        table.add_column(column, justify="left" if column == "tool" else "right")
    for tool in chosen:
        wall = statistics.median(tool.seconds)
        table.add_row(
            tool.name,
            f"{wall:.2f}",
            f"{statistics.median(tool.cpu):.2f}",
            f"{records / wall:,.0f}",
            f"{wall / floor:.2f}" if floor else "-",
            f"{ours['trailsieve --workers 1'] / wall:.2f} ×",
            f"{ours['trailsieve --workers 2'] / wall:.2f} ×",
            f"{tool.matches:,}" if tool.name != "floor" else "-",
        )
    console.print(table)
    counts = {tool.matches for tool in chosen if tool.name != "floor"}
    console.print(
        "all tools found the same number of events" if len(counts) == 1 else f"COUNTS DIFFER: {counts}"
    )
    console.print()


def show_parts(console: Console, folder: Path) -> None:
    """The figures of single parts, measured in this process."""
    from tests.bench.parts import figures

    table = Table(title="single parts (medians)", title_justify="left", box=None)
    table.add_column("part")
    table.add_column("takes", justify="right")
    for name, figure in figures(folder).items():
        table.add_row(Text(name), figure)
    console.print(table)


def main() -> None:
    """The benchmark of the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=250, help="MB of JSON")
    parser.add_argument("--only", default="", help="tools whose names hold this text")
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "trailsieve-bench")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    for files in (100, 4000):
        folder = options.archives / f"{options.size}mb-{files}"
        archive(folder, options.size * 1_000_000, files)
        truth = json.loads((folder / "truth.json").read_text())
        chosen = [
            tool for tool in tools() if options.only in tool.name or tool.name.startswith(("trail", "floor"))
        ]
        measure(folder, chosen, options.rounds)
        megabytes = truth["uncompressed_bytes"] / 1e6
        title = f"{truth['records']:,} events, {megabytes:,.0f} MB of JSON, {files:,} files, {os.cpu_count()} processors"
        show(console, title, chosen, truth["records"])
    show_parts(console, folder)


if __name__ == "__main__":
    main()
