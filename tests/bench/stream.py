"""`make bench-stream`: messages a second from a real Kafka, and the time from event to alert.

The floor is a loop that only polls, with the same client and options; ours decodes, matches the CIS pack, writes
alerts to a file, keeps the checkpoint and commits. Both run in turn, each in a process of its own, from their
first message to their last. Wall times of different runs are not comparable, ratios within one run are.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench import archive
from tests.servers.kafka import Kafka, kafka

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ("confluent", "kafka-python")
LOOPS = {"confluent": "confluent", "confluent-batches": "confluent", "kafka-python": "kafka-python"}
TOPIC = "trail"
CONFIG = """
[source]
kind = "kafka"
bootstrap_servers = ["{server}"]
client = "{client}"
topics = ["{topic}"]
group = "{group}"
[[sink]]
kind = "files"
path = "{folder}/alerts.jsonl"
[[rules]]
pack = "cis-aws"
[checkpoint]
path = "{folder}/state.db"
[dead_letters]
path = "{folder}/dead-letters.jsonl"
"""


def records(count: int) -> Iterator[bytes]:
    """CloudTrail records made from those of the samples, 3 % of which match a rule."""
    rng = random.Random(1)
    hits, quiet = archive.sorted_by_hit(archive.texts_of(ROOT / "samples" / "archive"))
    for _ in range(count):
        yield archive.renamed(rng.choice(hits if rng.random() < archive.HIT_SHARE else quiet), rng)


class Stopwatch:
    """From the first message to the last of `count`."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._began = 0.0
        self.seconds = 0.0

    def saw(self, messages: Sequence[Any]) -> None:
        """Counts messages when they are had."""
        if messages and not self._began:
            self._began = time.perf_counter()
        self._left -= len(messages)

    def done(self) -> bool:
        """Whether all were seen, and what was seen is finished."""
        if self._left > 0:
            return False
        self.seconds = self.seconds or time.perf_counter() - self._began
        return True


def floor(loop: str, server: str, group: str, count: int) -> float:
    """Seconds of a bare loop."""
    watch = Stopwatch(count)
    for messages in {"confluent": _polls, "confluent-batches": _batches, "kafka-python": _python}[loop](
        server, group
    ):
        watch.saw(messages)
        if watch.done():
            return watch.seconds
    return 0.0


def _polls(server: str, group: str) -> Iterator[Sequence[Any]]:
    """confluent-kafka as its documentation shows it: message by message, options as they come."""
    from confluent_kafka import Consumer

    options = {"bootstrap.servers": server, "group.id": group}
    consumer = Consumer({**options, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([TOPIC])
    while True:
        message = consumer.poll(1.0)
        if message is not None:
            yield (message,)


def _batches(server: str, group: str) -> Iterator[Sequence[Any]]:
    """The same by thousands, with the options that we set: the fastest there is."""
    from trailsieve.sources.kafka.config import Config
    from trailsieve.sources.kafka.confluent import ConfluentConsumer

    consumer = ConfluentConsumer(Config(bootstrap_servers=[server], topics=[TOPIC], group=group))._consumer
    consumer.subscribe([TOPIC])
    while True:
        yield consumer.consume(10_000, 0.02)


def _python(server: str, group: str) -> Iterator[Sequence[Any]]:
    """kafka-python: batches are its only way."""
    from kafka import KafkaConsumer

    options = {"bootstrap_servers": server, "group_id": group, "enable_auto_commit": False}
    consumer = KafkaConsumer(TOPIC, auto_offset_reset="earliest", **options)
    while True:
        yield from consumer.poll(1000).values()


def ours(client: str, server: str, group: str, count: int, profile: str = "") -> float:
    """Seconds of `trailsieve run`, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        watch = Stopwatch(count)
        service = _service(server, client, group, Path(folder), watch.done)
        poll = service.source.poll

        def watched() -> Sequence[Any]:
            messages: Sequence[Any] = poll()
            watch.saw(messages)
            return messages

        service.source.poll = watched
        if profile:
            import cProfile

            cProfile.runctx("service.pipeline.run()", {}, {"service": service}, profile)
        else:
            service.pipeline.run()
        service.close()
        return watch.seconds


def _service(
    server: str, client: str, group: str, folder: Path, done: Callable[[], bool], topic: str = TOPIC
) -> Any:
    from trailsieve.app import build
    from trailsieve.app.load import load_config
    from trailsieve.ports import RunContext

    path = folder / "bench.toml"
    path.write_text(CONFIG.format(server=server, client=client, group=group, folder=folder, topic=topic))
    return build.service(load_config(path), RunContext(), done, lambda problem: None)


def latencies(cluster: Kafka, client: str, count: int) -> list[float]:
    """Seconds from the moment an event is produced to that in which its alert stands in the file."""
    from confluent_kafka import Producer

    topic = f"idle-{client}"
    cluster.create_topic(topic)
    hits, _ = archive.sorted_by_hit(archive.texts_of(ROOT / "samples" / "archive"))
    found: list[float] = []
    ended = threading.Event()

    def events(alerts: Path) -> None:
        rng = random.Random(2)
        producer = Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 0})
        for number in range(count + 1):
            size = alerts.stat().st_size
            began = time.perf_counter()
            producer.produce(topic, archive.renamed(rng.choice(hits), rng))
            producer.flush()
            while alerts.stat().st_size == size and not ended.is_set():
                time.sleep(0.0005)
            if number:  # the first waits for the group to form
                found.append(time.perf_counter() - began)
            time.sleep(rng.uniform(0.02, 0.2))
        ended.set()

    with tempfile.TemporaryDirectory() as folder:
        service = _service(cluster.servers[0], client, "idle", Path(folder), ended.is_set, topic)
        producing = threading.Thread(target=events, args=(Path(folder) / "alerts.jsonl",), daemon=True)
        producing.start()
        try:
            service.pipeline.run()
        finally:
            ended.set()
            producing.join()
            service.close()
    return found


def _one(kind: str, which: str, server: str, group: str, count: int) -> float:
    """Records a second, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.stream", "--one", kind, which, server, group, str(count)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return count / float(done.stdout)


def main() -> None:
    """Prints a line a client."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stream")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=200, help="of the measurement of latency")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        kind, which, server, group, count = given.one
        print((floor if kind == "floor" else ours)(which, server, group, int(count)))
        return
    with kafka() as cluster:
        cluster.create_topic(TOPIC)
        print(f"{given.records:,} records on one partition, {given.rounds} rounds, medians", flush=True)
        cluster.produce(TOPIC, records(given.records))
        figures = _rates(cluster.servers[0], given.records, given.rounds)
        for client in CLIENTS:
            waits = sorted(latencies(cluster, client, given.events))
            p50, p99 = (1000 * waits[int(len(waits) * share)] for share in (0.5, 0.99))
            figures[client] |= {"latency_p50_ms": p50, "latency_p99_ms": p99}
            print(f"{client:>18}: event to alert p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")


def _rates(server: str, count: int, rounds: int) -> dict[str, dict[str, float]]:
    runs = [("ours", client) for client in CLIENTS] + [("floor", loop) for loop in LOOPS]
    rates: dict[tuple[str, str], list[float]] = {run: [] for run in runs}
    for number in range(rounds):
        for kind, which in runs:
            rates[kind, which].append(_one(kind, which, server, f"{kind}-{which}-{number}", count))
    figures: dict[str, dict[str, float]] = {}
    for loop, client in LOOPS.items():
        mine, bare = rates["ours", client], rates["floor", loop]
        ratios = sorted(a / b for a, b in zip(mine, bare, strict=True))
        ratio = statistics.median(ratios)
        figures[loop] = {"ours": statistics.median(mine), "floor": statistics.median(bare), "ratio": ratio}
        print(
            f"{loop:>18}: bare loop {figures[loop]['floor']:,.0f}/s, trailsieve {figures[loop]['ours']:,.0f}/s, "
            f"ratio {ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            flush=True,
        )
    return figures


if __name__ == "__main__":
    main()
