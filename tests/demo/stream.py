"""`make demo-stream`: the sample archive through a real Kafka, and its alerts as they arrive.

In the middle the service is killed and started again: at the end there are just the alerts that a replay of the
archive raises, with the same ids.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.servers.kafka import VERSION, Kafka, kafka
from tests.servers.unavailable import UnavailableError
from trailsieve.engine.decode import Decoder
from trailsieve.model import Message, Position
from trailsieve.sources.files import list_files

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "samples" / "kafka.toml"
TOPIC = "cloudtrail"
PATIENCE = 60.0  # seconds
_COLORS = {"critical": "31;1", "high": "31", "medium": "33", "low": "36"}


class Service:
    """`trailsieve run samples/kafka.toml`, and the alerts that it printed, as often as they came."""

    def __init__(self, cluster: Kafka, folder: Path) -> None:
        self.ids: Counter[str] = Counter()
        self._folder = folder
        self._environment = {**os.environ, "TRAIL_KAFKA": cluster.servers[0], "HOSTNAME": "demo"}
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Starts it; what it prints is shown by a thread."""
        command = [str(Path(sys.executable).with_name("trailsieve")), "run", str(CONFIG)]
        self._process = subprocess.Popen(
            command, cwd=self._folder, env=self._environment, stdout=subprocess.PIPE
        )
        self._reader = threading.Thread(target=self._show)
        self._reader.start()

    def end(self, number: signal.Signals) -> int:
        """Sends a signal; the exit code."""
        assert self._process
        assert self._reader
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE)
        self._reader.join()
        return code

    def wait(self, wanted: set[str]) -> None:
        """Until these alerts were printed, or patience ends."""
        deadline = time.monotonic() + PATIENCE
        while not wanted <= set(self.ids) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _show(self) -> None:
        assert self._process
        assert self._process.stdout
        for line in self._process.stdout:
            alert = json.loads(line)
            self.ids[alert["id"]] += 1
            print(_row(alert), flush=True)


def _row(alert: dict[str, str | None]) -> str:
    severity = str(alert["severity"])
    color = _COLORS.get(severity, "")
    who = str(alert["principal"] or "-").rpartition(":")[2]
    event = f"{alert['event_name'] or '-'} {alert['error_code'] or ''}"
    text = f"  {str(alert['time'])[:19]}  {severity:<8}  {alert['rule']:<12}  {event:<46.46}  {who:.36}"
    return f"\033[{color}m{text}\033[0m" if color and sys.stdout.isatty() else text


def _files() -> list[list[bytes]]:
    """The records of each file of the archive, those of the damaged one as far as they go."""
    decoder = Decoder()
    found = []
    for listed in list_files([str(ROOT / "samples" / "archive")]):
        if "_CloudTrail_" in listed.path:
            message = Message(Path(listed.path).read_bytes(), Position("", 0), listed.name)
            found.append([text for _, text in decoder.decode(message).texts()])
    return found


def main() -> int:
    """Prints each step; 1 when the alerts are not those of a replay."""
    expected = {json.loads(line)["id"] for line in (ROOT / "samples/expected-alerts.jsonl").open()}
    folder = Path(tempfile.mkdtemp(prefix="trailsieve-demo-"))
    try:
        print(f"1. Starting Apache Kafka {VERSION} (its jars are fetched once)", flush=True)
        with kafka() as cluster:
            return _through(cluster, Service(cluster, folder), expected)
    except UnavailableError as error:
        print(f"Kafka cannot be had here: {error}", file=sys.stderr)
        return 3
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _through(cluster: Kafka, service: Service, expected: set[str]) -> int:
    cluster.create_topic(TOPIC)
    files = _files()
    half = len(files) // 2
    print(f"2. trailsieve run {CONFIG.relative_to(ROOT)}", flush=True)
    service.start()
    print(
        f"3. Producing {half} of the archive's {len(files)} files to topic {TOPIC}, a record a message",
        flush=True,
    )
    for records in files[:half]:
        cluster.produce(TOPIC, records)
    deadline = time.monotonic() + PATIENCE
    while not service.ids and time.monotonic() < deadline:
        time.sleep(0.05)
    print("4. kill -9, the other files while it is down, and start it again", flush=True)
    service.end(signal.SIGKILL)
    for records in files[half:]:
        cluster.produce(TOPIC, records)
    service.start()
    service.wait(expected)
    code = service.end(signal.SIGTERM)
    print(f"5. SIGTERM: it ended with {code}; Kafka is stopped", flush=True)
    found = set(service.ids)
    again = service.ids.total() - len(found)
    good = found == expected and code == 0
    verdict = (
        "the same ids as `trailsieve replay samples/archive`"
        if good
        else f"but {len(expected)} were expected"
    )
    print(f"   {len(found)} alerts, {verdict}; {again} of them came twice, {len(expected - found)} are lost")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
