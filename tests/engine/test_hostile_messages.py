"""One bad message costs one message: whatever unpacks from it, the others are read and the memory lasts."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.engine.plain import processor, rules
from trailsieve.engine.dead_letters import FileDeadLetters, UnreadableShare
from trailsieve.engine.delivery import DirectDelivery
from trailsieve.engine.pipeline import Pipeline, per_batch
from trailsieve.engine.processor import BatchResult, joined
from trailsieve.errors import DeadLetterError
from trailsieve.model import Message, Position, Problem
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

PROCESSOR = processor(rules(stop='{ $.eventName = "StopLogging" }'))


def stop(number: int, **more: str) -> bytes:
    """A record that matches, as CloudTrail writes it."""
    fields = {"eventVersion": "1.08", "eventName": "StopLogging", "eventID": f"e{number}", **more}
    return json.dumps(fields, separators=(",", ":")).encode()


def messages(payloads: Iterable[bytes]) -> list[Message]:
    return [
        Message(payload, Position("t/0", number), f"t/0@{number}") for number, payload in enumerate(payloads)
    ]


def examine(*payloads: bytes) -> BatchResult:
    return joined([result for _, result in PROCESSOR.process_poll(messages(payloads))])


MANY_PARTS = {
    "gzip of objects": gzip.compress(b'{"a":1}' * 400_000),
    "objects": b'{"a":1}' * 2000,
    "lines": b'{"an unknown envelope":1}\n' * 20_000,
    "values that are no records": b'{"Records":[' + b"1," * 20_000 + b"1]}",
    "log events": json.dumps(
        {"messageType": "DATA_MESSAGE", "logEvents": [{"message": "no JSON"}] * 2000}
    ).encode(),
}


@pytest.mark.parametrize("bad", MANY_PARTS.values(), ids=MANY_PARTS)
def test_a_message_of_many_bad_parts_is_one_message_and_one_letter(bad: bytes) -> None:
    result = examine(stop(1), bad, stop(2))
    assert len(result.alerts) == 2
    assert (result.messages, result.lost) == (3, 1)
    (problem,) = result.problems
    assert (problem.origin, problem.text) == ("t/0@1", bad)
    assert "too much" in problem.reason or "parts cannot be read" in problem.reason


def test_good_records_between_many_bad_ones_are_found() -> None:
    bad = b'{"an unknown envelope":1}'
    result = examine(b"\n".join([stop(1), *[bad] * 500, stop(2)]))
    assert len(result.alerts) == 2
    assert (result.messages, result.lost, len(result.problems)) == (1, 0, 1)


def test_a_small_message_is_not_a_large_letter() -> None:
    bomb = gzip.compress(b'{"unknown":"' + b" " * 5_000_000 + b'"}')
    (problem,) = examine(bomb).problems
    assert problem.text == bomb


def test_few_bad_parts_are_letters_of_their_own() -> None:
    result = examine(b"\n".join([stop(1), b'{"odd":1}', b'{"odd":2}']))
    assert [problem.text for problem in result.problems] == [b'{"odd":1}', b'{"odd":2}']


def test_many_bad_records_of_an_object_are_one_letter() -> None:
    payload = gzip.compress(b'{"Records":[' + b"1," * 1000 + stop(1) + b"]}")
    result = PROCESSOR.process(Message(payload, Position("s", 0), "x.json.gz"))
    assert (len(result.alerts), result.unreadable_records, result.lost) == (1, 1000, 0)
    (problem,) = result.problems
    assert (problem.index, problem.text) == (1, payload)
    assert problem.reason.endswith("this is a number; 999 more parts cannot be read")


@pytest.mark.parametrize("joint", [b"\n", b"", b" \r\n"])
@pytest.mark.parametrize("last", [stop(3), b'{"eventName":"StopLogging","eventID":"e3"}'])
def test_several_records_in_a_message_that_begins_like_one(joint: bytes, last: bytes) -> None:
    several = joint.join([stop(1), stop(2), last])
    result = examine(stop(0), several, stop(4))
    assert (result.records, result.problems, result.lost) == (5, [], 0)
    assert [alert.position for alert in result.alerts] == [
        "t/0@0#1",
        "t/0@1#1",
        "t/0@1#2",
        "t/0@1#3",
        "t/0@2#1",
    ]


def test_a_record_that_is_cut_short_is_one_letter() -> None:
    result = examine(stop(1), b'{"eventVersion":"1.08","eventName":}', stop(2))
    assert len(result.alerts) == 2
    assert (result.records, result.unreadable_records, result.lost) == (2, 1, 1)
    assert [problem.origin for problem in result.problems] == ["t/0@1"]


def share(most: float, info: list[str] | None = None) -> UnreadableShare:
    return UnreadableShare(most, 10, (info if info is not None else []).append)


def test_the_share_is_reported_once_while_it_lasts_and_ends_nothing() -> None:
    info: list[str] = []
    watched = share(1, info)
    for lost in (2, 6, 9, 1, 7):
        watched.add(10, lost, [Problem("t/0@7", "empty")])
    assert [line.partition(", the last")[0] for line in info] == [
        "6 of the last 10 messages cannot be read",
        "7 of the last 10 messages cannot be read",
    ]


def test_a_team_may_ask_that_the_run_ends() -> None:
    watched = share(0.5)
    watched.add(10, 5)
    watched.add(9, 9)
    with pytest.raises(DeadLetterError, match=r"9 of the last 10 messages .* max_ratio = 0.5"):
        watched.add(1, 0, [Problem("t/0@7", "empty")])


def run(
    payloads: Sequence[bytes], letters: Path, unreadable: UnreadableShare | None = None
) -> tuple[MemorySource, MemorySink]:
    source, sink = MemorySource(messages(payloads), 10), MemorySink()
    file = FileDeadLetters(letters)
    try:
        Pipeline(
            source,
            per_batch(PROCESSOR),
            DirectDelivery([sink]),
            [file.add],
            unreadable=unreadable or share(1),
        ).run()
    except DeadLetterError:
        pass
    finally:
        file.close()
    return source, sink


def test_a_run_that_ends_has_delivered_and_committed_what_it_read(tmp_path: Path) -> None:
    payloads = [stop(number) if number % 3 == 0 else b"garbage" for number in range(20)]
    source, sink = run(payloads, tmp_path / "letters", unreadable=share(0.5))
    assert [alert.position for alert in sink.alerts] == [f"t/0@{number}#1" for number in (0, 3, 6, 9)]
    assert source.committed == {"t/0": 9}


def test_letters_of_messages_that_are_read_again_are_not_written_again(tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    payloads = [b"garbage", b"\xff\xfe", b"garbage"]
    run(payloads, letters)
    assert len(letters.read_bytes().splitlines()) == 3
    run([*payloads, b"other"], letters)  # as after a crash before the commit
    assert len(letters.read_bytes().splitlines()) == 4
    with letters.open("ab") as file:
        file.write(b'{"object": "cut')
    run([*payloads, b"last"], letters)
    assert [json.loads(line)["text"] for line in letters.read_bytes().splitlines()[5:]] == ["last"]


BOMBS = """
import gzip, resource, sys
from tests.engine.test_hostile_messages import *
from trailsieve.sinks.stream import StreamSink

pad = b" " * 30_000_000
bombs = [
    gzip.compress(b'{"eventName":"StopLogging","eventID":"x","pad":"' + pad + b'"}', 1),
    gzip.compress(pad, 1),
    gzip.compress(b'{"Records":[' + b",".join([stop(0)] * 50_000) + b"]}", 1),
]
bombs = [bombs[number % 3] for number in range(60)]
resource.setrlimit(resource.RLIMIT_AS, (2**20 * 700,) * 2)
source = MemorySource(messages([stop(1), *bombs, stop(2)]), 1000)
sink = DirectDelivery([StreamSink(open(sys.argv[1], "wb"), lambda alert: alert.id.encode())])
print(Pipeline(source, per_batch(PROCESSOR), sink, []).run().as_dict()["alerts"])
"""


def test_a_poll_of_bombs_runs_in_bounded_memory(tmp_path: Path) -> None:
    """1.2 GB unwrap from a few megabytes; the limit is that of a process, Python and its libraries included."""
    done = subprocess.run(
        [sys.executable, "-c", BOMBS, tmp_path / "alerts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "{'stop': 4}\n"
