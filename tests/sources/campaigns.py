"""Campaigns against the alarms of `trailsieve run` over real servers, compared with a replay of the same events.

The service has its time of day from a file, so event time passes as fast as events are made, and no busy
machine makes one late.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.alarms.worlds import event
from tests.conftest import ROOT
from tests.ledger import Row, compare
from tests.servers.patience import until
from tests.servers.set_clock import set_clock
from tests.sources.campaign_sources import OPENED, encoded
from tests.sources.service import TRAILSIEVE, Service
from trailsieve.times import rfc3339

RULES = ROOT / "tests" / "sources" / "campaign.toml"
START = 1_773_446_400.0  # 2026-03-14T00:00:00Z
LATENESS = 60  # seconds, that of all rules
STEP = 30.0  # seconds of event time
BACKLOG_STEP = 120.0  # the same in a backlog
QUIET = 600.0  # seconds between the last event and the end
CALLS = ("CreateUser", "CreateAccessKey", "ListUsers")


class Campaign:
    """A service over a source, the events that it should read, and what goes wrong.

    Attributes:
        now: the time of day of the service.
        real: whether the service goes by the machine's clock, and is to trust it by itself.
    """

    def __init__(self, source: str, folder: Path, seed: int, *, real: bool = False) -> None:
        self.source = source
        self.real = real
        self.chance = random.Random(seed)
        self.shards = OPENED[source](folder)
        self._clock = folder / "clock"
        self._ahead = 0.0
        self._records: list[dict[str, Any]] = []
        self._numbers = itertools.count()
        self._now = START
        program = (sys.executable, "-P", str(ROOT / "tests" / "servers" / "set_clock.py"))
        environment = {**self.shards.environment, "CLOCK": str(self._clock)}
        self.service = Service(folder, self.shards.config, environment, f'path = "{RULES}"', program)
        self._set()

    @property
    def now(self) -> float:
        return time.time() if self.real else self._now

    # --- events ---

    def backlog(self, hours: float) -> None:
        """Events of some hours, before the service reads them."""
        for _ in range(round(hours * 3600 / BACKLOG_STEP)):
            self._now += BACKLOG_STEP
            self.shards.put(self._events(), self.now)
        self._set()

    def live(self, steps: int, between: Callable[[], None] = lambda: None) -> None:
        """Events that come while the service reads; `between` is called after each step."""
        for _ in range(steps):
            self._now += STEP
            self.shards.put(self._events(), self.now)
            self._set()
            between()

    def _events(self) -> list[bytes]:
        """Some events up to now, late by less than the lateness and in any order."""
        quiet = self.chance.random() < 0.2
        made = [
            self._event() for _ in range(self.chance.choice([0, 1]) if quiet else self.chance.randint(3, 12))
        ]
        self._records += made
        return [encoded(record) for record in made]

    def _event(self) -> dict[str, Any]:
        most = (
            LATENESS / 2 if self.real else LATENESS - 1
        )  # by the machine's clock, time passes until it is read
        delay = self.chance.choice([0, 0, self.chance.uniform(0, most)])
        return self._record(
            self.now - delay,
            self.chance.choice(["mia", "tom", "eve"]),
            eventName=self.chance.choice(CALLS),
            sourceIPAddress=f"10.0.0.{self.chance.randrange(5)}",
            size=self.chance.randint(0, 3),
            **({"errorCode": "None"} if self.chance.random() < 0.4 else {}),
        )

    def _record(self, at: float, who: str = "mia", **fields: Any) -> dict[str, Any]:
        number = next(self._numbers)
        fields = {"eventVersion": "1.08", "eventSource": "iam.amazonaws.com", **fields}
        return {**event(number, 0, who, **fields), "eventTime": rfc3339(int(at)), "eventID": f"{number}"}

    # --- what goes wrong ---

    def start(self) -> None:
        self.service.started()

    def away(self, seconds: float, steps: int = 5) -> None:
        """The server cannot be reached for a while, and events go on."""
        assert self.shards.relay
        self.shards.relay.leave()
        self._while(seconds, steps)
        self.shards.relay.come_back()

    def slow(self, typical: float, rare: float = 0.0) -> None:
        """Requests take this long, and one of fifty the longer time."""
        assert self.shards.relay
        chance = random.Random(1)
        self.shards.relay.latency = lambda: rare if rare and chance.random() < 0.02 else typical

    def paused(self, seconds: float, steps: int = 5) -> None:
        """The process is stopped for a while, and events go on."""
        self.service.pause()
        self._while(seconds, steps)
        self.service.go_on()

    def killed(self, times: int = 1) -> None:
        """The process is killed at random moments of its work, and started again."""
        for _ in range(times):
            self.live(2)
            if self.service.running:
                _wait(self.chance.uniform(0, 0.3))
                self.service.kill()
            self.service.killed_at_random(self.chance)
        self.start()

    def killed_once(self) -> None:
        """The process is killed, and events come before it is started again."""
        self.service.kill()
        self.live(2)
        self.start()

    def restarted(self) -> None:
        """The process is stopped in good order and started again."""
        assert self.service.stop() == 0
        self.live(2)
        self.start()

    def clock_is_ahead(self, seconds: float, lasts: float) -> None:
        """The machine's clock is wrong for a while."""
        self._ahead = seconds
        self._set()
        self._while(lasts, 3)
        self._ahead = 0.0
        self._set()

    def real_time(self, seconds: float) -> None:
        """Events come for a while, each second."""
        self._while(seconds, max(1, round(seconds)))

    def _while(self, seconds: float, steps: int) -> None:
        self.live(steps, lambda: _wait(seconds / steps))

    # --- the end ---

    def finish(self, name: str) -> Row:
        """Waits until all alarms are closed, and compares them with those of a replay."""
        last = self.now
        self._now += QUIET
        end = last + QUIET
        record = self._record(end, eventName="CampaignEnd", errorCode="None")
        self._records.append(record)
        self._ahead, self._now = 2 * QUIET, end + QUIET
        self._set()
        self.shards.put_everywhere(encoded(record), end)
        until(self._is_over, f"the end was raised; {self.service.said[-2000:]}")
        assert self.service.stop() == 0
        assert "allowed_lateness" not in self.service.said, self.service.said
        cutoff = rfc3339(int(last) + LATENESS)
        raised = [alert for alert in self.service.delivered if alert["window"]["end"] <= cutoff]
        wanted = [alert["id"] for alert in self._replayed() if alert["window"]["end"] <= cutoff]
        return compare(self.source, name, wanted, raised)

    def _is_over(self) -> bool:
        assert self.service.running, self.service.said
        return any(
            alert["rule"] == "end" and not alert.get("provisional") for alert in self.service.delivered
        )

    def _replayed(self) -> list[dict[str, Any]]:
        file = self.service.folder / "replayed.json"
        file.write_text(json.dumps({"Records": self._records}))
        done = subprocess.run([TRAILSIEVE, "replay", file, "--rules", RULES], check=True, capture_output=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def close(self) -> None:
        """Ends the process, if it runs."""
        if self.service.running:
            self.service.go_on()
            self.service.kill()
        self.shards.close()

    def _set(self) -> None:
        set_clock(self._clock, f"+{self._ahead}" if self.real else f"={self._now}")


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
