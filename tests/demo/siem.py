"""`make demo-siem`: the sample archive into real receivers on this machine, and what they then find.

It runs the service three times: once, once more with its checkpoint, and once more after the checkpoint is
lost. Then all alerts are sent again, under the same ids: OpenSearch holds each once; syslog, which has no
documents, shows it as lines of the same id.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers import opensearch, syslog
from tests.servers.unavailable import UnavailableError

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Siem:
    """A receiver: its `[[sink]]` table, and the ids of alerts that a query finds, with their rules."""

    name: str
    table: str
    found: Callable[[], list[tuple[str, str]]]


@contextlib.contextmanager
def rsyslog() -> Iterator[Siem]:
    """Over TLS."""
    with syslog.running("rsyslog") as server:
        table = f'kind = "syslog"\nhost = "localhost"\nport = {server.tls}\nca_file = "{server.ca}"\nmax_bytes = 60000'
        yield Siem(
            f"rsyslog (TLS, port {server.tls})",
            table,
            lambda: [
                (_value(message["sd"], "id"), _value(message["sd"], "rule")) for message in server.messages()
            ],
        )


def _value(structured: str, name: str) -> str:
    return structured.partition(f' {name}="')[2].partition('"')[0]


@contextlib.contextmanager
def search() -> Iterator[Siem]:
    """One node, and the data stream that the index template makes."""
    with opensearch.opensearch() as node:
        from trailsieve.ports import RunContext
        from trailsieve.sinks.opensearch import Config, open_sink

        open_sink(Config(url=node.url), RunContext()).install_template()
        yield Siem(
            f"OpenSearch ({node.url})",
            f'kind = "opensearch"\nurl = "{node.url}"',
            lambda: [
                (found["_id"], found["_source"]["rule"]["id"])
                for found in node.documents("trailsieve-alerts")
            ],
        )


def main() -> int:
    """Prints what each receiver finds after each run; 1 when an alert is missing or there twice."""
    with contextlib.ExitStack() as stack:
        siems = []
        for opened in (rsyslog, search):
            try:
                siems.append(stack.enter_context(opened()))
            except UnavailableError as error:
                print(f"left out: {error}")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trailsieve-demo-")))
        config = _configuration(folder, siems)
        raised = _expected()
        print(f"the archive raises {len(raised)} alerts\n")
        good = bool(siems)
        for title in ("first run", "second run", "third run, its checkpoint lost"):
            if "lost" in title:
                (folder / "state.db").unlink()
            print(title)
            command = [str(Path(sys.executable).with_name("trailsieve")), "run", "--until-idle", str(config)]
            subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL, env=dict(os.environ))
            shown = [_show(siem, raised) for siem in siems]
            good = good and all(shown)
        for siem in siems:
            print(f"\n{siem.name}, alerts by rule")
            rules = Counter(rule for _, rule in set(siem.found()))
            print("\n".join(f"  {rule:14}{count:>4}" for rule, count in sorted(rules.items())))
    return 0 if good else 1


def _configuration(folder: Path, siems: list[Siem]) -> Path:
    sinks = "".join(f"[[sink]]\n{siem.table}\n" for siem in siems)
    path = folder / "trailsieve.toml"
    path.write_text(f"""
[source]
kind = "files"
paths = ["samples/archive"]
{sinks}
[[rules]]
pack = "cis-aws"
[checkpoint]
path = "{folder}/state.db"
[dead_letters]
path = "{folder}/dead-letters.jsonl"
""")
    return path


def _expected() -> set[str]:
    """The ids that a replay raises."""
    import json

    program = str(Path(sys.executable).with_name("trailsieve"))
    command = [program, "replay", "samples/archive", "--format", "jsonl"]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    return {json.loads(line)["id"] for line in out.splitlines()}


def _show(siem: Siem, raised: set[str]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not raised <= {identity for identity, _ in siem.found()} and time.monotonic() < deadline:
        time.sleep(0.1)
    ids = [identity for identity, _ in siem.found()]
    different = set(ids)
    print(
        f"  {siem.name}: {len(ids)} found, {len(different)} different alerts, {len(raised - different)} missing"
    )
    return different == raised and (siem.name.startswith("rsyslog") or len(ids) == len(raised))


if __name__ == "__main__":
    sys.exit(main())
