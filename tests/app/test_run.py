"""`trailsieve run`: how it ends, and how it goes on."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import denied, trailsieve
from tests.servers.patience import stretched, until
from tests.sources.service import Service


def line(number: int, **fields: Any) -> bytes:
    return json.dumps(denied(number, **fields)).encode() + b"\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(b"".join(line(number) for number in range(10)))
    return path


@pytest.fixture
def service(tmp_path: Path, log: Path) -> Iterator[Service]:
    made = Service(tmp_path, f'[source]\nkind = "follow"\npaths = ["{log}"]\n', {})
    yield made
    if made.running:
        made.kill()


def append(log: Path, *lines: bytes) -> None:
    with log.open("ab") as file:
        file.write(b"".join(lines))


def test_sigterm_ends_it_gracefully_and_the_next_goes_on(service: Service, log: Path) -> None:
    service.start()
    until(lambda: len(service.alerts) == 10, "all alerts came")
    assert service.stop() == 0
    assert "10 records, 10 alerts" in service.said
    append(log, line(10))
    service.start()
    until(lambda: len(service.alerts) > 10, "the new alert came")
    assert service.stop() == 0
    assert len(service.alerts) == len(set(service.alerts)) == 11


def test_what_is_delivered_twice_is_raised_once_and_counted_once(service: Service, log: Path) -> None:
    event = json.dumps(denied(3))
    subscribed = {"messageType": "DATA_MESSAGE", "logEvents": [{"message": event}, {"message": event}]}
    notice = {"messageType": "CONTROL_MESSAGE", "logEvents": []}
    append(log, line(3), json.dumps(subscribed).encode() + b"\n", json.dumps(notice).encode() + b"\n")
    service.start()
    until(lambda: len(service.alerts) >= 10, "the alerts came")
    assert service.stop() == 0
    service.start()  # and in another process
    append(log, line(5), line(11))
    until(lambda: len(service.alerts) >= 11, "the last alert came")
    assert service.stop() == 0
    assert len(service.alerts) == len(set(service.alerts)) == 11
    assert "13 records, 10 alerts, 3 duplicates, 0 unreadable, 1 control messages" in service.said


def test_eventbridge_is_warned_of_once(service: Service, log: Path) -> None:
    events = [
        {"detail-type": "AWS API Call via CloudTrail", "detail": denied(number, eventVersion="1.08")}
        for number in range(20, 25)
    ]
    append(log, *(json.dumps(event).encode() + b"\n" for event in events))
    service.start()
    until(lambda: len(service.alerts) == 15, "all alerts came")
    append(log, json.dumps(events[0]).encode() + b"\n", line(30))
    until(lambda: len(service.alerts) == 16, "the last alert came")
    assert service.stop() == 0
    assert service.said.count("read-only management events") == 1


def test_a_full_disk_at_the_checkpoint_ends_it_with_a_clear_error_and_nothing_is_lost(
    service: Service, log: Path
) -> None:
    """A limit on the size of files stands for the disk; standard output does not meet it."""
    append(log, *(line(number) for number in range(100, 2090)))
    config = (service.folder / "service.toml").read_text()
    full = service.folder / "full.toml"
    full.write_text(config.replace('kind = "files"\npath', 'kind = "stdout"\n# path'))

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000))

    done = subprocess.run(
        [Path(sys.executable).with_name("trailsieve"), "run", full],
        preexec_fn=small,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert "state.db cannot be written" in done.stderr
    assert "is the disk full" in done.stderr
    assert "Traceback" not in done.stderr
    service.start()
    until(lambda: len(set(service.alerts)) >= 2000, "all alerts came")
    assert service.stop() == 0
    assert len(set(service.alerts)) == 2000  # none was committed before, so all come again
    assert {json.loads(text)["id"] for text in done.stdout.splitlines()} <= set(service.alerts)


def test_two_thirds_garbage_is_reported_and_costs_no_alert(service: Service, log: Path) -> None:
    append(log, *(b"no JSON %d\n" % number for number in range(2000)), line(10))
    service.start()
    until(lambda: len(service.alerts) == 11, "all alerts came")
    assert service.stop() == 0
    assert service.said.count("messages cannot be read") == 1
    assert "2,000 of the last 2,011 messages cannot be read, the last one: " in service.said
    assert len(service.dead_letters) == 2000
    append(log, line(11))
    service.start()
    until(lambda: len(service.alerts) == 12, "the new alert came")
    assert service.stop() == 0
    assert len(service.dead_letters) == 2000


def test_a_run_ends_over_too_much_garbage_where_that_is_asked_for(service: Service, log: Path) -> None:
    config = service.folder / "service.toml"
    config.write_text(config.read_text().replace("[dead_letters]", "[dead_letters]\nmax_ratio = 0.5"))
    append(log, *(b"no JSON %d\n" % number for number in range(2000)))
    service.start()
    assert service.process
    assert service.process.wait(stretched(60)) == 3
    assert "messages cannot be read" in service.said
    assert "more than max_ratio = 0.5" in service.said
    assert "Traceback" not in service.said
    assert (len(service.alerts), len(service.dead_letters)) == (10, 2000)
    append(log, line(11))
    service.start()  # goes on behind what is in the letters
    until(lambda: len(service.alerts) == 11, "the new alert came")
    assert service.stop() == 0
    assert len(service.dead_letters) == 2000


def test_dead_letters_are_kept_with_their_reason_and_worked_on_again(service: Service, log: Path) -> None:
    append(log, b'{"unknown": 1}\n', b"no JSON\n", b"\xff\xfe\n", line(11))
    service.start()
    until(lambda: len(service.alerts) == 11, "all alerts came")
    assert service.stop() == 0
    letters = service.dead_letters
    assert [letter["reason"].partition(":")[0] for letter in letters] == [
        "unknown envelope",
        "neither JSON, gzip nor base64",
        "neither JSON, gzip nor base64",
    ]
    assert all(letter["object"].startswith(f"{log}@") for letter in letters)
    assert letters[0]["text"] == '{"unknown": 1}'
    assert letters[2]["base64"] == "//4="
    dead = service.folder / "dead.jsonl"
    # Somebody mends the second one; a crash has cut the last line off.
    letters[1]["text"] = line(12).decode()
    dead.write_bytes(b"".join(json.dumps(letter).encode() + b"\n" for letter in letters) + b'{"object": "cut')
    result = trailsieve("run", "--replay-dead-letters", service.folder / "service.toml")
    assert result.code == 0, result.err
    assert len(service.alerts) == len(set(service.alerts)) == 12
    assert len(service.dead_letters) == 3  # two as before, and the line that is cut off
    assert not dead.with_name("dead.jsonl.replaying").exists()


def test_two_on_one_checkpoint_is_told(service: Service) -> None:
    service.start()
    until(lambda: "running" in service.said, "it runs")
    result = trailsieve("run", service.folder / "service.toml")
    assert result.code == 3
    assert "is another trailsieve using it?" in result.err
    assert service.stop() == 0


def test_standard_input_to_its_end(tmp_path: Path, log: Path) -> None:
    service = Service(tmp_path, '[source]\nkind = "stdin"\n', {})
    done = subprocess.run(
        [Path(sys.executable).with_name("trailsieve"), "run", tmp_path / "service.toml"],
        input=log.read_bytes() + line(11).rstrip(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(service.alerts) == 11
