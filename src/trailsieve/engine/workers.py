"""Worker processes for messages, with results in the order of the messages.

Each worker has its own pipe and one job at a time, or a few when it reads the messages itself and so can read
ahead. When a worker dies, the messages of its job are tried again, one at a time; a message whose workers
died three times becomes a problem. Only a few jobs are in progress, so memory does not grow with the archive.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from threading import Thread

import msgspec

from trailsieve.engine.processor import BatchResult
from trailsieve.engine.read_ahead import ReadAhead
from trailsieve.errors import SourceError
from trailsieve.model import Message, Problem
from trailsieve.ports import Reader

_JOB_BYTES = 128 * 2**10  # payload of a job: small files share one, or the pipe would be the bottleneck
_JOB_UNREAD_BYTES = 4 * 2**20  # of objects that the worker reads itself
_JOB_MESSAGES = 64
_OBSERVED = 16  # times as much in a job when it is observed: what was seen is folded by job
_JOBS_A_WORKER = 3  # in progress, or waiting for earlier results
_PARTS_TO_READ = 3  # that a worker has when it reads ahead; their names fit into its pipe
_MAX_DEATHS = 3  # workers that die over a message before it is given up; others may be killed by chance

Process = Callable[[Message], BatchResult]

_encode = msgspec.msgpack.Encoder().encode
_decode_messages = msgspec.msgpack.Decoder(list[Message]).decode


class _Answer(msgspec.Struct):
    """What a worker made of a part, or the error that ends the run."""

    results: list[BatchResult] = []
    error: str = ""


_decode_answer = msgspec.msgpack.Decoder(_Answer).decode


@dataclass(slots=True)
class _Job:
    """Messages that a worker processes in one go, and their results."""

    messages: list[Message]
    results: list[BatchResult | None] = field(init=False)

    def __post_init__(self) -> None:
        self.results = [None] * len(self.messages)


@dataclass(slots=True)
class _Part:
    """The work of one worker: a job, or one message of it after `deaths` workers died."""

    job: _Job
    places: range
    deaths: int = 0

    @property
    def messages(self) -> list[Message]:
        return self.job.messages[self.places.start : self.places.stop]


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    parts: deque[_Part] = field(default_factory=deque)


@dataclass(slots=True)
class WorkerPool:
    """Runs `process` in `size` processes.

    Attributes:
        info: shows the operator one line when a worker died.
        observed: returns what an observer collected in a worker since the last call.
        open_reader: opens in a worker what reads the messages that the source leaves unread.
        on_read: called with the bytes of each of these.
    """

    process: Process
    size: int
    info: Callable[[str], None]
    observed: Callable[[], list[bytes]] | None = None
    open_reader: Callable[[], Reader] | None = None
    on_read: Callable[[int], None] = lambda size: None
    _workers: list[_Worker] = field(default_factory=list)

    def run(self, polled: Iterable[Sequence[Message]]) -> Iterator[tuple[Sequence[Message], BatchResult]]:
        """Yields each message as an epoch of its own, in order; an empty poll is an empty epoch."""
        waiting = _jobs(polled, _OBSERVED if self.observed else 1)
        again: deque[_Part] = deque()
        under_way: deque[_Job] = deque()
        self._workers = [self._start() for _ in range(self.size)]
        try:
            while True:
                self._assign(again, waiting, under_way)
                if not under_way:
                    return
                while under_way and None not in under_way[0].results:
                    job = under_way.popleft()
                    for message, found in zip(job.messages, job.results, strict=True):
                        assert found is not None
                        if message.unread is not None:
                            self.on_read(message.unread)
                        yield (message,), found
                    if not job.messages:
                        yield (), BatchResult()
                self._collect(again)
        finally:
            self._stop()

    def _assign(self, again: deque[_Part], waiting: Iterator[_Job], under_way: deque[_Job]) -> None:
        most = _PARTS_TO_READ if self.open_reader else 1
        for worker in [worker for _ in range(most) for worker in self._workers]:
            if len(worker.parts) < most and again:
                self._send(worker, again.popleft())
            elif len(worker.parts) < most and len(under_way) < self.size * _JOBS_A_WORKER * most:
                job = next(waiting, None)
                if job is not None:
                    under_way.append(job)
                    if not job.messages:
                        return  # nothing arrived: collect results before polling again
                    self._send(worker, _Part(job, range(len(job.messages))))

    @staticmethod
    def _send(worker: _Worker, part: _Part) -> None:
        worker.parts.append(part)
        try:
            worker.connection.send_bytes(_encode(part.messages))
        except (BrokenPipeError, ConnectionResetError):
            return  # it died: `_collect` notices too

    def _collect(self, again: deque[_Part]) -> None:
        """Waits for at least one result, when any worker is busy."""
        busy = {worker.connection.fileno(): worker for worker in self._workers if worker.parts}
        for ready in wait(list(busy)) if busy else ():
            worker = busy[ready]  # type: ignore[index]
            part = worker.parts.popleft()
            try:
                answer = _decode_answer(worker.connection.recv_bytes())
            except (EOFError, OSError):  # it died before or while it answered
                self._replace(worker)
                again.extend(worker.parts)
                self._after_death(part, worker.process.exitcode, again)
                continue
            if answer.error:
                raise SourceError(answer.error)
            part.job.results[part.places.start : part.places.stop] = answer.results

    def _after_death(self, part: _Part, code: int | None, again: deque[_Part]) -> None:
        """Tries each message again, alone; one whose workers died too often becomes a problem."""
        names = ", ".join(message.name for message in part.messages)
        self.info(f"a worker process died ({_cause(code)}) while it was reading {names}")
        deaths = part.deaths + 1
        if deaths < _MAX_DEATHS:
            again.extend(_Part(part.job, range(place, place + 1), deaths) for place in part.places)
            return
        (message,) = part.messages
        reason = f"it killed {deaths} worker processes ({_cause(code)})"
        problem = Problem(message.name, reason, text=message.payload)
        part.job.results[part.places.start] = BatchResult(problems=[problem], messages=1, lost=1, files=1)

    def _answer(self, messages: Iterable[Message]) -> bytes:
        """Runs in a worker. What was observed comes with the job, so that a job that died counts once."""
        try:
            results = [self.process(message) for message in messages]
        except SourceError as error:
            return _encode(_Answer(error=str(error)))
        if results and self.observed:
            results[-1].observed = self.observed()
        return _encode(_Answer(results))

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        inherited = [worker.connection for worker in self._workers] + [ours]
        args = (theirs, self._answer, inherited, self.open_reader)
        started = context.Process(target=_work, args=args, daemon=True)
        started.start()
        theirs.close()
        return _Worker(started, ours)

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


def _jobs(polled: Iterable[Sequence[Message]], times: int = 1) -> Iterator[_Job]:
    """Jobs of similar size. An empty poll ends a job, or is an empty job when there is none."""
    pending: list[Message] = []
    size = unread = 0
    for messages in polled:
        for message in messages:
            pending.append(message)
            size += len(message.payload)
            unread += message.unread or 0
            full = size >= _JOB_BYTES * times or unread >= _JOB_UNREAD_BYTES
            if full or len(pending) >= _JOB_MESSAGES * times:
                yield _Job(pending)
                pending, size, unread = [], 0, 0
        if not messages:
            yield _Job(pending)
            pending, size, unread = [], 0, 0
    if pending:
        yield _Job(pending)


def _work(
    connection: Connection,
    answer: Callable[[Iterable[Message]], bytes],
    inherited: list[Connection],
    open_reader: Callable[[], Reader] | None,
) -> None:
    """Runs in the worker until its pipe closes, which the end of the parent does too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    for other in inherited:
        other.close()
    received = _received(connection)
    for messages in _read_ahead(received, open_reader) if open_reader else received:
        try:
            connection.send_bytes(answer(messages))
        except OSError:
            return


def _received(connection: Connection) -> Iterator[Iterable[Message]]:
    while True:
        try:
            yield _decode_messages(connection.recv_bytes())
        except (EOFError, OSError):
            return


def _read_ahead(
    jobs: Iterable[Iterable[Message]], open_reader: Callable[[], Reader]
) -> Iterator[Iterable[Message]]:
    """Yields jobs whose messages are read from the moment that they arrive."""
    ahead = ReadAhead(open_reader)
    counts: SimpleQueue[int] = SimpleQueue()

    def receive() -> None:
        for messages in jobs:
            counts.put(ahead.add(messages))
        counts.put(0)

    Thread(target=receive, daemon=True).start()
    while count := counts.get():
        yield (ahead.take() for _ in range(count))
    ahead.close()


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
