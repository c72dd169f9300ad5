"""Faults that a service must survive or report: receivers, readers and threads that fail, seen from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.app.test_run import append, line
from tests.servers.http_receivers import Webhook
from tests.servers.moto import ENVIRONMENT, Moto
from tests.servers.patience import stretched, until
from tests.servers.receiver import Drip, Relay, Status
from tests.sources.service import DEADLINE, Service

HTML = {"Content-Type": "text/html"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(b"".join(line(number) for number in range(10)))
    return path


@pytest.fixture
def receiver() -> Iterator[Webhook]:
    with Webhook() as opened:
        assert isinstance(opened, Webhook)
        yield opened


def sink(receiver: Webhook, name: str = "hook", **settings: object) -> str:
    more = "".join(f"{key} = {value}\n" for key, value in settings.items())
    return f'[[sink]]\nkind = "webhook"\nname = "{name}"\nurl = "{receiver.url}/hook"\n{more}'


@contextmanager
def following(log: Path, *sinks: str) -> Iterator[Service]:
    source = f'[source]\nkind = "follow"\npaths = ["{log}"]\n'
    service = Service(log.parent, source + "".join(sinks), {})
    try:
        yield service
    finally:
        if service.running:
            service.kill()


@contextmanager
def unwritable(kind: str) -> Iterator[int]:
    """A file descriptor: a pipe that nobody reads any more, or a file on a full disk."""
    if kind == "a full disk":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, descriptor = os.pipe()
        os.close(reading)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["a dead pipe", "a full disk"])
def test_a_log_that_cannot_be_written_stops_no_alert(kind: str, log: Path, receiver: Webhook) -> None:
    """The outage of the sink would be reported by its thread."""
    receiver.faults.extend([Status(503)] * 3)
    with following(log, sink(receiver)) as service, unwritable(kind) as stderr:
        service.start(stderr=stderr)
        until(lambda: len(receiver.accepted) == 10, "all alerts came")
        append(log, line(10))
        until(lambda: len(receiver.accepted) == 11, "the new alert came")
        assert service.stop() == 3, "what could not be reported shows in the exit code"


def test_a_queue_that_is_away_and_a_log_that_cannot_be_written(
    log: Path, receiver: Webhook, moto: Moto
) -> None:
    """Both threads of the queue report; neither dies."""
    bucket, queue = moto.bucket({"trail.jsonl": log.read_bytes()}), moto.queue()
    address = urlsplit(moto.url)
    with Relay(address.hostname or "", address.port or 0) as relay, unwritable("a dead pipe") as stderr:
        relay.faults.extend([Status(503)] * 12)
        queue_url = queue.url.replace(moto.url, relay.url)
        source = f'[source]\nkind = "sqs"\nqueue_url = "{queue_url}"\nendpoint_url = "{relay.url}"\n'
        source += f'buckets = ["{bucket.name}"]\nkey_layout = "any"\n'
        service = Service(log.parent, source + sink(receiver), ENVIRONMENT)
        service.start(stderr=stderr)
        queue.tell(bucket, ["trail.jsonl"])
        try:
            until(lambda: len(receiver.accepted) == 10, "all alerts came")
            until(lambda: queue.counts() == (0, 0), "the queue was empty")
            assert service.stop() == 3
        finally:
            service.kill()


_DIES = """
from trailsieve.cli import run
from trailsieve.cli.main import main
from trailsieve.engine.sink_worker import SinkWorker

def die(*_):
    raise {error}

{place} = die
main()
"""


@pytest.mark.parametrize(
    "error", ["RuntimeError('boom')", "MemoryError()", "SystemExit(0)", "KeyboardInterrupt()"]
)
@pytest.mark.parametrize(
    ("place", "thread"),
    [("SinkWorker._deliver", "sink files"), ("run._StatusReporter._run", "status")],
)
def test_a_thread_that_dies_ends_the_run_and_is_named(
    place: str, thread: str, error: str, log: Path, receiver: Webhook
) -> None:
    with following(log):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                _DIES.format(place=place, error=error),
                "run",
                log.parent / "service.toml",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=stretched(DEADLINE),
        )
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("trailsieve: ")
    assert thread in last
    assert error.partition("(")[0] in last


def test_a_service_whose_output_nobody_reads_ends_with_an_error(log: Path) -> None:
    with following(log, '[[sink]]\nkind = "stdout"\n') as service:
        head = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert head.stdin
        service.start(stdout=head.stdin)
        head.stdin.close()
        assert head.wait(stretched(DEADLINE)) == 0
        append(log, *(line(number) for number in range(10, 20)))
        assert service.process
        assert service.process.wait(stretched(DEADLINE)) == 3
        assert service.said.splitlines()[-1] == (
            "trailsieve: sink stdout: standard output cannot be written: its reader has ended"
        )
        assert "Exception ignored" not in service.said


def test_a_response_that_comes_byte_by_byte_is_reported_and_tried_again(log: Path, receiver: Webhook) -> None:
    receiver.faults.extend([Drip(head=True, count=10**6), Drip(count=10**6)])
    with following(log, sink(receiver, timeout=1.0)) as service:
        service.start()
        until(lambda: len(receiver.accepted) == 10, "all alerts came")
        assert service.stop() == 0
        assert "no answer in time" in service.said


def test_sigterm_does_not_wait_for_a_response_without_end(log: Path, receiver: Webhook) -> None:
    receiver.faults.extend([Drip(count=10**6)] * 100)
    with following(log, sink(receiver, timeout=3600.0)) as service:
        service.start()
        until(lambda: bool(receiver.requests), "the receiver was asked")
        assert service.stop() == 3
        assert "stopped while a sink was down or slow" in service.said
        receiver.faults.clear()
        service.start()
        until(lambda: len(receiver.accepted) == 10, "all alerts came")
        assert service.stop() == 0
        assert len(service.alerts) == 10, "the healthy sink got each of them once"


def test_a_web_page_is_reported_and_tried_again(log: Path, receiver: Webhook) -> None:
    receiver.faults.extend([Status(200, HTML, b"<html>Please log in</html>")] * 2)
    with following(log, sink(receiver)) as service:
        service.start()
        until(lambda: len(receiver.accepted) == 10, "all alerts came")
        assert service.stop() == 0
        assert "a web page is not an acknowledgement" in service.said


def test_restarts_over_a_sink_that_is_forbidden_repeat_nothing_in_the_others(log: Path) -> None:
    with Webhook() as good, Webhook() as bad:
        assert isinstance(good, Webhook)
        assert isinstance(bad, Webhook)
        with following(log, sink(good, "good"), sink(bad, "bad")) as service:
            for _ in range(4):
                bad.faults.append(Status(403))
                service.start()
                assert service.process
                assert service.process.wait(stretched(DEADLINE)) == 3
            assert service.said.count("answered 403") == 4
            service.start()
            until(lambda: len(bad.accepted) == 10, "all alerts came")
            assert service.stop() == 0
            assert len(good.accepted) == len(set(good.accepted)) == 10
            assert len(service.alerts) == len(set(service.alerts)) == 10
