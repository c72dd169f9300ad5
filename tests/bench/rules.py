"""`make bench-rules`: how the time of a replay grows with the number of rules, 14 % of them unanchored.

Anchored rules ask for an `eventName`; unanchored ones have only wildcards, regexes or exclusions to offer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.bench import ROOT, TRAILSIEVE, Tool, archive, run

COUNTS = (15, 100, 1_000, 10_000)
UNANCHORED = 0.14
CIS = ROOT / "src" / "trailsieve" / "rules" / "packs" / "cis-aws.toml"


def unanchored(number: int) -> str:
    """A pattern without a fixed text to look for; seven kinds in turn."""
    kinds = (
        f'$.userAgent = "*exploit-kit-{number}*"',
        f'$.errorMessage = "*secret-{number} is denied*"',
        f'$.userIdentity.arn = "*:role/intruder-{number}*"',
        f'$.requestParameters.bucketName = "*-leak-{number}"',
        f'$.sourceIPAddress = "198.18.{number % 256}.*" && $.userAgent != "console*"',
        f"$.errorCode = %Custom[0-9]+Error{number}%",
        f'$.requestParameters.roleName = "breakglass-{number}-*" || $.userIdentity.userName = "ghost{number}*"',
    )
    return "{ " + kinds[number % len(kinds)] + " }"


def anchored(number: int) -> str:
    """A pattern that asks for an API call, as most rules do."""
    return f'{{ $.eventSource = "service{number % 300}.amazonaws.com" && $.eventName = "Call{number}" }}'


def write_rules(folder: Path, count: int) -> Path:
    """A rule file with `count` rules, the fifteen of the CIS pack among them."""
    path = folder / f"rules-{count}.toml"
    extra = count - 15
    patterns = [unanchored(n) if n * UNANCHORED % 1 < UNANCHORED else anchored(n) for n in range(extra)]
    tables = [f"[[rule]]\nid = 'extra-{n}'\npattern = '{pattern}'\n" for n, pattern in enumerate(patterns)]
    path.write_text(CIS.read_text() + "\n" + "\n".join(tables))
    return path


def main() -> None:
    """Prints the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=250, help="MB of JSON")
    options = parser.parse_args()
    archives = Path(tempfile.gettempdir()) / "trailsieve-bench"
    folder = archives / f"{options.size}mb-100"
    archive(folder, options.size * 1_000_000, 100)
    records = json.loads((folder / "truth.json").read_text())["records"]
    tools = []
    for count in COUNTS:
        rules = str(write_rules(archives, count))
        subprocess.run([TRAILSIEVE, "rules", "list", rules], check=True, stdout=subprocess.DEVNULL)
        command = [TRAILSIEVE, "replay", "FOLDER", "--rules", rules, "--workers", "1", "--output", "OUT"]
        tools.append(Tool(f"{count:,} rules", command))
    for _ in range(options.rounds):
        for tool in tools:
            run(tool, folder)
    table = Table(title=f"{records:,} events, --workers 1", title_justify="left", box=None)
    for column in ("rules", "wall s", "× 15 rules", "CPU s", "× 15 rules", "matches"):
        table.add_column(column, justify="right")
    base, base_cpu = statistics.median(tools[0].seconds), min(tools[0].cpu)
    for tool in tools:
        wall, cpu = statistics.median(tool.seconds), min(tool.cpu)
        ratios = (f"{wall:.2f}", f"{wall / base:.2f}", f"{cpu:.2f}", f"{cpu / base_cpu:.2f}")
        table.add_row(tool.name, *ratios, f"{tool.matches:,}")
    Console(width=None if sys.stdout.isatty() else 100).print(table)


if __name__ == "__main__":
    main()
