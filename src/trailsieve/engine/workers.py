"""Worker processes that examine messages, with results in the order of the messages.

Each worker has one job at a time and a pipe of its own, so a worker that dies is known with its job: its
messages are tried once more, one by one; one that kills its worker again is given up with a problem. Only a
few jobs are ever under way, so memory does not grow with the archive.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import msgspec

from trailsieve.engine.processor import Findings
from trailsieve.model import Message, Problem

_JOB_BYTES = 128 * 2**10  # payload of a job: small files share one, so that the pipe is not the bottleneck
_JOB_MESSAGES = 64
_JOBS_A_WORKER = 3  # under way or waiting for their turn in the order of results

Examine = Callable[[Message], Findings]

_encode = msgspec.msgpack.Encoder().encode
_decode_messages = msgspec.msgpack.Decoder(list[Message]).decode
_decode_findings = msgspec.msgpack.Decoder(list[Findings]).decode


@dataclass(slots=True)
class _Job:
    """Messages that a worker examines together, and where their findings go."""

    messages: list[Message]
    findings: list[Findings | None] = field(init=False)

    def __post_init__(self) -> None:
        self.findings = [None] * len(self.messages)


@dataclass(slots=True)
class _Part:
    """What one worker has in hand: a job, or after a death one message of it."""

    job: _Job
    places: range
    alone: bool = False

    @property
    def messages(self) -> list[Message]:
        return self.job.messages[self.places.start : self.places.stop]


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    part: _Part | None = None


@dataclass(slots=True)
class WorkerPool:
    """`size` processes that run `examine`.

    Attributes:
        report: told, as one line, when a worker died.
    """

    examine: Examine
    size: int
    report: Callable[[str], None]
    _workers: list[_Worker] = field(default_factory=list)

    def run(self, polled: Iterable[Sequence[Message]]) -> Iterator[tuple[Sequence[Message], Findings]]:
        """Each message, an epoch of its own, with its findings, in order. An empty poll is an empty epoch."""
        waiting = _jobs(polled)
        again: deque[_Part] = deque()
        under_way: deque[_Job] = deque()
        self._workers = [self._start() for _ in range(self.size)]
        try:
            while True:
                self._assign(again, waiting, under_way)
                if not under_way:
                    return
                while under_way and None not in under_way[0].findings:
                    job = under_way.popleft()
                    for message, found in zip(job.messages, job.findings, strict=True):
                        assert found is not None
                        yield (message,), found
                    if not job.messages:
                        yield (), Findings()
                self._collect(again)
        finally:
            self._stop()

    def _assign(self, again: deque[_Part], waiting: Iterator[_Job], under_way: deque[_Job]) -> None:
        for worker in self._workers:
            if worker.part is None and again:
                self._send(worker, again.popleft())
            elif worker.part is None and len(under_way) < self.size * _JOBS_A_WORKER:
                job = next(waiting, None)
                if job is not None:
                    under_way.append(job)
                    if not job.messages:
                        return  # nothing there now: look after what is under way before asking again
                    self._send(worker, _Part(job, range(len(job.messages))))

    @staticmethod
    def _send(worker: _Worker, part: _Part) -> None:
        worker.part = part
        try:
            worker.connection.send_bytes(_encode(part.messages))
        except (BrokenPipeError, ConnectionResetError):
            return  # it is dead: `_collect` sees that too

    def _collect(self, again: deque[_Part]) -> None:
        """Takes at least one result, when any worker is busy."""
        busy = {worker.connection.fileno(): worker for worker in self._workers if worker.part is not None}
        for ready in wait(list(busy)) if busy else ():
            worker = busy[ready]  # type: ignore[index]
            part, worker.part = worker.part, None
            assert part is not None
            try:
                found = _decode_findings(worker.connection.recv_bytes())
            except (EOFError, OSError):  # it died before its answer, or in the middle of it
                self._replace(worker)
                self._after_death(part, worker.process.exitcode, again)
            else:
                part.job.findings[part.places.start : part.places.stop] = found

    def _after_death(self, part: _Part, code: int | None, again: deque[_Part]) -> None:
        """Each message is tried once more, alone; the one that kills its worker then is given up."""
        names = ", ".join(message.name for message in part.messages)
        self.report(f"a worker process died ({_cause(code)}) while it read {names}")
        if not part.alone:
            again.extend(_Part(part.job, range(place, place + 1), alone=True) for place in part.places)
            return
        (message,) = part.messages
        problem = Problem(
            message.name, f"a worker process died twice on it ({_cause(code)})", text=message.payload
        )
        part.job.findings[part.places.start] = Findings([], [problem], 1, 0, 0)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        inherited = [worker.connection for worker in self._workers] + [ours]
        process = context.Process(target=_work, args=(theirs, self.examine, inherited), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _replace(self, dead: _Worker) -> None:
        dead.connection.close()
        dead.process.join()
        self._workers.remove(dead)
        self._workers.append(self._start())

    def _stop(self) -> None:
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.process.terminate()
            worker.process.join()


def _jobs(polled: Iterable[Sequence[Message]]) -> Iterator[_Job]:
    """Jobs of a fair size; an empty poll ends a job, and is an empty job when there is none."""
    together: list[Message] = []
    size = 0
    for messages in polled:
        for message in messages:
            together.append(message)
            size += len(message.payload)
            if size >= _JOB_BYTES or len(together) >= _JOB_MESSAGES:
                yield _Job(together)
                together, size = [], 0
        if not messages:
            yield _Job(together)
            together, size = [], 0
    if together:
        yield _Job(together)


def _work(connection: Connection, examine: Examine, inherited: list[Connection]) -> None:
    """A worker's life: until its pipe is closed, which the parent's death does too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    for other in inherited:
        other.close()
    while True:
        try:
            messages = _decode_messages(connection.recv_bytes())
        except (EOFError, OSError):
            return
        answer = _encode([examine(message) for message in messages])
        try:
            connection.send_bytes(answer)
        except OSError:
            return


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
