"""Worker processes give the findings of one process, in order, whatever happens to them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from trailsieve.engine.dead_letters import FileDeadLetters
from trailsieve.engine.delivery import Delivery
from trailsieve.engine.pipeline import Pipeline
from trailsieve.engine.processor import BatchResult
from trailsieve.engine.sink_worker import SinkWorker
from trailsieve.engine.workers import WorkerPool
from trailsieve.model import Message, Position, Problem
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

BIG = bytes(200_000)  # a job of its own
SMALL = b"x"  # goes to a worker together with others


def messages(count: int, payload: bytes = BIG) -> list[Message]:
    return [Message(payload, Position(f"m{n}", n), f"m{n}") for n in range(count)]


def size_of(message: Message) -> BatchResult:
    """Stands for the examination: the findings tell which message they are of."""
    return BatchResult(
        [], [], 1, message.position.offset if isinstance(message.position.offset, int) else 0, 1
    )


def run(
    examine: Callable[[Message], BatchResult],
    size: int,
    given: Iterable[Message],
    report: Callable[[str], None] = pytest.fail,
) -> Iterator[tuple[Message, BatchResult]]:
    """Each message with its findings, as they come."""
    for (message,), findings in WorkerPool(examine, size, report).run([message] for message in given):
        yield message, findings


def names(found: list[tuple[Message, BatchResult]]) -> list[str]:
    return [message.name for message, _ in found]


def by_own_hand() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def by_exit() -> None:
    os._exit(3)


def by_error() -> None:
    raise MemoryError


DEATHS = [(by_own_hand, "signal SIGKILL"), (by_exit, "exit code 3"), (by_error, "exit code 1")]


@pytest.mark.parametrize("payload", [SMALL, BIG], ids=["together", "alone"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_all_messages_in_order(size: int, payload: bytes) -> None:
    given = messages(150, payload)
    found = list(run(size_of, size, given))
    assert found == [(message, size_of(message)) for message in given]


@pytest.mark.parametrize("size", [1, 3])
def test_nothing_to_do(size: int) -> None:
    assert list(WorkerPool(size_of, size, pytest.fail).run([])) == []


def test_a_slow_message_keeps_its_place() -> None:
    """The first message is done only after later ones were asked for."""
    done, asked = os.pipe()

    def examine(message: Message) -> BatchResult:
        if message.name == "m0":
            os.read(done, 1)
        return size_of(message)

    def coming() -> Iterator[Message]:
        for message in messages(20):
            if message.name == "m4":
                os.write(asked, b"!")
            yield message

    assert names(list(run(examine, 2, coming()))) == [f"m{n}" for n in range(20)]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_slow_consumer_holds_the_source_back(size: int) -> None:
    """Few results are ever in flight, however long the archive is."""
    taken = given = most = 0

    def coming() -> Iterator[Message]:
        nonlocal given
        for message in messages(100):
            given += 1
            yield message

    for _ in run(size_of, size, coming()):
        taken += 1
        most = max(most, given - taken)
    assert taken == given == 100
    assert size <= most <= 3 * size


@pytest.mark.parametrize("payload", [SMALL, BIG], ids=["together", "alone"])
@pytest.mark.parametrize(("die", "cause"), DEATHS)
def test_a_worker_that_dies_once_costs_nothing(
    die: Callable[[], None], cause: str, payload: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "died"

    def examine(message: Message) -> BatchResult:
        if message.name == "m7" and not mark.exists():
            mark.touch()
            die()
        return size_of(message)

    reports: list[str] = []
    given = messages(20, payload)
    assert list(run(examine, 2, given, reports.append)) == [(m, size_of(m)) for m in given]
    (report,) = reports
    assert report.startswith(f"a worker process died ({cause}) while it was reading ")
    assert "m7" in report


def test_a_worker_that_dies_in_the_middle_of_its_answer_costs_nothing() -> None:
    """The answer is longer than a pipe holds, so its worker stands still until somebody reads on."""
    (told, tell), (gone, go) = os.pipe(), os.pipe()

    def examine(message: Message) -> BatchResult:
        if message.name == "m1":
            os.read(gone, 1)
            os.write(tell, str(os.getpid()).encode())
        return BatchResult([], [Problem(message.name, "long", text=bytes(2**22))], 1, 1, 1)

    reports: list[str] = []
    results = run(examine, 2, messages(6), reports.append)
    found = [next(results)]
    os.write(go, b"!!")  # now, and when it is tried again
    pid = int(os.read(told, 20))
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R":
        os.sched_yield()
    os.kill(pid, signal.SIGKILL)
    found += results
    assert names(found) == [f"m{n}" for n in range(6)]
    assert [problem.origin for _, findings in found for problem in findings.problems] == names(found)
    assert reports == ["a worker process died (signal SIGKILL) while it was reading m1"]


@pytest.mark.parametrize("payload", [SMALL, BIG], ids=["together", "alone"])
@pytest.mark.parametrize(("die", "cause"), DEATHS)
def test_a_message_that_always_kills_is_tried_again_and_given_up(
    die: Callable[[], None], cause: str, payload: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"

    def examine(message: Message) -> BatchResult:
        with log.open("a") as file:
            file.write(f"{message.name}\n")
        if message.name == "m7":
            die()
        return size_of(message)

    reports: list[str] = []
    found = list(run(examine, 2, messages(20, payload), reports.append))
    assert names(found) == [f"m{n}" for n in range(20)]
    tries = log.read_text().split()
    assert tries.count("m7") == 3
    assert max(tries.count(name) for name in tries if name != "m7") <= 2
    assert reports[-1] == f"a worker process died ({cause}) while it was reading m7"
    assert len(reports) == 3
    for message, findings in found:
        if message.name != "m7":
            assert findings == size_of(message)
        else:
            (problem,) = findings.problems
            assert problem.reason == f"it killed 3 worker processes ({cause})"
            assert (problem.origin, problem.text, problem.warning) == ("m7", payload, False)


def test_when_every_message_kills_its_worker_each_is_named() -> None:
    reports: list[str] = []
    found = list(run(lambda message: os._exit(9), 2, messages(5), reports.append))
    assert [problem.origin for _, findings in found for problem in findings.problems] == names(found)
    assert len(reports) == 15


def test_a_pipeline_keeps_the_dead_letter_and_commits_the_rest(tmp_path: Path) -> None:
    source = MemorySource(messages(10, SMALL))
    letters = FileDeadLetters(tmp_path / "letters")
    pool = WorkerPool(
        lambda message: os._exit(9) if message.name == "m3" else size_of(message), 2, lambda line: None
    )
    stats = Pipeline(source, pool.run, Delivery([SinkWorker(MemorySink())]), [letters.add]).run()
    letters.close()
    assert (tmp_path / "letters").read_text() == (
        '{"object":"m3","reason":"it killed 3 worker processes (exit code 9)","text":"x"}\n'
    )
    assert stats.skipped == {"it killed 3 worker processes (exit code 9)": 1}
    assert stats.files == 10
    assert source.committed == {f"m{n}": n for n in range(10)}


@pytest.mark.parametrize("taken", [1, 5])
def test_who_stops_early_leaves_no_process_behind(taken: int) -> None:
    """As when the reader of the output goes away, or a sink fails."""
    pids: set[int] = set()

    def examine(message: Message) -> BatchResult:
        return BatchResult([], [], 1, os.getpid(), 1)

    results = run(examine, 3, messages(30))
    pids.update(next(results)[1].records for _ in range(taken))
    results.close()  # type: ignore[attr-defined]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
