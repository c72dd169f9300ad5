"""Faults at random and together: receivers that fail in several ways, a log that cannot be written, kills.

`make chaos` runs a hundred of them.
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.app.test_faults import HTML, following, sink, unwritable
from tests.app.test_run import append, line
from tests.ledger import compare, settle
from tests.servers.http_receivers import Webhook
from tests.servers.patience import until
from tests.servers.receiver import Drip, Fault, Lost, Reset, Status
from tests.sources.service import Service, expected

CAMPAIGNS = int(os.environ.get("CAMPAIGNS", "1"))
CHUNKS, LINES = 4, 20
ENDS = (0, 3, -signal.SIGTERM)  # the last: before it took its signals over
FAULTS: list[Fault] = [
    Status(503),
    Status(429, {"Retry-After": "0"}),
    Status(200, HTML, b"<html>Please log in</html>"),
    Status(200, {}, b"<!DOCTYPE html>"),
    Drip(count=10**6),
    Drip(head=True, count=10**6),
    Reset(),
    Lost(),
]


def start(service: Service, random: Random, stack: ExitStack) -> None:
    """Starts it with a log that can be written, or one that cannot."""
    kind = random.choice(["a file", "a dead pipe", "a full disk"])
    service.start(stderr=0 if kind == "a file" else stack.enter_context(unwritable(kind)))


def end(service: Service, random: Random) -> None:
    """Kills or stops it, or leaves it alone."""
    match random.choice(["kill", "stop", "go on"]):
        case "kill":
            service.kill()
        case "stop":
            assert service.stop() in ENDS


@pytest.mark.parametrize("seed", range(CAMPAIGNS))
def test_a_campaign_of_faults_loses_and_invents_nothing(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    log = tmp_path / "trail.jsonl"
    log.touch()
    rate = random.choice([0.02, 0.1, 0.3])
    with Webhook() as receiver, ExitStack() as stack:
        assert isinstance(receiver, Webhook)
        receiver.faults.extend(
            random.choice(FAULTS) if random.random() < rate else None for _ in range(2 * CHUNKS * LINES)
        )
        service = stack.enter_context(following(log, sink(receiver, timeout=1.0)))
        for chunk in range(CHUNKS):
            append(log, *(line(chunk * LINES + number) for number in range(LINES)))
            if not service.running:
                start(service, random, stack)
            some = random.randrange((chunk + 1) * LINES)
            until(lambda some=some: len(set(receiver.accepted)) >= some, f"{some} alerts came")  # type: ignore[misc]
            end(service, random)
        if not service.running:
            start(service, random, stack)
        wanted = expected(log)
        until(lambda: set(receiver.accepted) >= set(wanted), "all alerts came")
        assert service.stop() in ENDS
        for name, ids in (("webhook", receiver.accepted), ("file", service.alerts)):
            settle(
                compare(
                    f"follow → {name}", "receivers that fail, dead logs", wanted, [{"id": i} for i in ids]
                )
            )
