"""`trailsieve run` as a process of its own: started, killed, stopped, and its alerts read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any

from tests.servers.patience import stretched, until

TRAILSIEVE = Path(sys.executable).with_name("trailsieve")
KILLS = int(os.environ.get("CHAOS_KILLS", "5"))  # of each source
SAMPLE_RECORDS = 442  # in samples/archive
DEADLINE = 60.0  # seconds for what must come to pass


@dataclass
class Service:
    """One configuration in one folder; its state and its alerts outlive its processes."""

    folder: Path
    config: str
    environment: Mapping[str, str]
    rules: str = 'pack = "cis-aws"'
    program: Sequence[str | Path] = (TRAILSIEVE,)
    process: subprocess.Popen[bytes] | None = field(default=None)

    def __post_init__(self) -> None:
        text = f"""{self.config}
[run]
workers = 1
[[rules]]
{self.rules}
[[sink]]
kind = "files"
path = "{self.folder}/alerts.jsonl"
confirmations = true
[checkpoint]
path = "{self.folder}/state.db"
[dead_letters]
path = "{self.folder}/dead.jsonl"
"""
        (self.folder / "service.toml").write_text(text)

    def start(self, *options: str, stdout: int | IO[bytes] = subprocess.DEVNULL, stderr: int = 0) -> None:
        with (self.folder / "stderr.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, "run", *options, self.folder / "service.toml"],
                env={**os.environ, **self.environment},
                stdout=stdout,
                stderr=stderr or log,
            )

    def started(self) -> None:
        """Started, and so far that it has taken its signals over."""
        before = self.said.count("running ")
        self.start()
        until(lambda: self.said.count("running ") > before, "the service ran")

    def killed_at_random(self, random: Random) -> None:
        """Started and killed at some moment of its work."""
        self.started()
        threading.Event().wait(random.uniform(0, 0.6))
        self.kill()

    def kill(self) -> None:
        """As a machine that loses its power does."""
        assert self.process
        self.process.kill()
        self.process.wait(stretched(DEADLINE))

    def stop(self) -> int:
        """As systemd stops a service; the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(stretched(DEADLINE))

    def pause(self) -> None:
        """Stops the process, as a laptop does that is closed, until `go_on`."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Goes on after a pause."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def failed(self) -> bool:
        """Whether it ended by itself, with an error."""
        return self.process is not None and (self.process.poll() or 0) > 0

    @property
    def said(self) -> str:
        file = self.folder / "stderr.txt"
        return file.read_text() if file.exists() else ""

    @property
    def alerts(self) -> list[str]:
        """The ids of the alerts that were delivered, repeated ones as often as they came."""
        return [alert["id"] for alert in self.delivered]

    @property
    def delivered(self) -> list[dict[str, Any]]:
        """The alerts in the order of their delivery."""
        return [json.loads(line) for line in _lines(self.folder / "alerts.jsonl")]

    @property
    def dead_letters(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in _lines(self.folder / "dead.jsonl")]


def _lines(path: Path) -> list[bytes]:
    """The whole lines of a file; one that a kill cut short is not there."""
    whole = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [line for line in whole if _is_json(line)]


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def expected(archive: Path) -> list[str]:
    """The ids of the alerts that a replay of a local archive raises, sorted."""
    done = subprocess.run([TRAILSIEVE, "replay", archive], check=True, capture_output=True)
    return sorted(json.loads(line)["id"] for line in done.stdout.splitlines())
