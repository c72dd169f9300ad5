"""The time from the third event of an alarm to its alert, with the defaults: three in five minutes.

    python -m tests.bench.alarm_latency --alarms 40

Each alarm is about a caller of its own, whose first two events came before. The clock starts when the third is
handed to the source's system, and stops when the alert stands in the file of the sink.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.servers import kinesis as kinesis_server
from tests.servers import moto as moto_server
from tests.servers.kafka import kafka
from tests.servers.moto import ENVIRONMENT

TRAILSIEVE = str(Path(sys.executable).with_name("trailsieve"))
RULES = """
[[rule]]
id = "denied"
pattern = '{ $.errorCode = "AccessDenied" }'
alarm = { threshold = 3, period = "5m", by = ["$.userIdentity.arn"] }
"""
CONFIG = """
{source}
[run]
workers = 1
[[sink]]
kind = "files"
path = "{folder}/alerts.jsonl"
[[rules]]
path = "{folder}/rules.toml"
[checkpoint]
path = "{folder}/state.db"
[dead_letters]
path = "{folder}/dead.jsonl"
"""
Put = Callable[[bytes], None]


def event(who: str) -> bytes:
    """A denied call, now."""
    return json.dumps(
        {
            "eventVersion": "1.11",
            "eventID": str(uuid.uuid4()),
            "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "eventName": "ListUsers",
            "errorCode": "AccessDenied",
            "userIdentity": {"arn": f"arn:aws:iam::111122223333:user/{who}"},
        }
    ).encode()


@contextmanager
def follow(folder: Path) -> Iterator[tuple[str, Put]]:
    path = folder / "trail.jsonl"
    with path.open("ab", buffering=0) as file:
        yield f'[source]\nkind = "follow"\npaths = ["{path}"]', lambda text: _ignore(file.write(text + b"\n"))


@contextmanager
def kafka_topic(client: str) -> Iterator[tuple[str, Put]]:
    from confluent_kafka import Producer

    with kafka() as cluster:
        cluster.create_topic("trail", 2)
        producer = Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 0, "log_level": 0})

        def put(text: bytes) -> None:
            producer.produce("trail", text, key=str(hash(text)))
            producer.flush()

        servers = f'bootstrap_servers = ["{cluster.servers[0]}"]\ntopics = ["trail"]\ngroup = "bench"'
        yield f'[source]\nkind = "kafka"\nclient = "{client}"\n{servers}', put


@contextmanager
def kinesis(folder: Path) -> Iterator[tuple[str, Put]]:
    with kinesis_server.running() as server:
        stream = kinesis_server.create(server, "trail", 2)
        endpoint = stream.client.meta.endpoint_url
        source = (
            f'[source]\nkind = "kinesis"\nstream = "trail"\nregion = "us-east-1"\nendpoint_url = "{endpoint}"'
        )
        yield source, lambda text: stream.put([text])


@contextmanager
def sqs(folder: Path) -> Iterator[tuple[str, Put]]:
    with moto_server.running() as server:
        bucket, queue = server.bucket(), server.queue()

        def put(text: bytes) -> None:
            now = datetime.now(UTC)
            name = f"111122223333_CloudTrail_us-east-1_{now:%Y%m%dT%H%MZ}_{uuid.uuid4().hex[:16]}.json.gz"
            key = f"AWSLogs/111122223333/CloudTrail/us-east-1/{now:%Y/%m/%d}/{name}"
            bucket.put(key, gzip.compress(b'{"Records":[' + text + b"]}"))
            queue.tell(bucket, [key])

        yield (
            f'[source]\nkind = "sqs"\nqueue_url = "{queue.url}"\n'
            f'buckets = ["{bucket.name}"]\nendpoint_url = "{server.url}"',
            put,
        )


def _ignore(_: object) -> None:
    """The result of a write is of no interest."""


def latencies(source: str, put: Put, folder: Path, count: int) -> list[float]:
    """Seconds from each third event to its alert."""
    (folder / "rules.toml").write_text(RULES)
    config = folder / "service.toml"
    config.write_text(CONFIG.format(source=source, folder=folder))
    alerts = folder / "alerts.jsonl"
    environment = {**os.environ, **ENVIRONMENT}
    service = subprocess.Popen([TRAILSIEVE, "run", config], env=environment, stderr=subprocess.DEVNULL)
    rng, found = random.Random(3), list[float]()
    try:
        for number in range(count + 1):
            who = f"user-{number}"
            put(event(who))
            put(event(who))
            time.sleep(rng.uniform(0.3, 1.3))
            began = time.perf_counter()
            put(event(who))
            while not (alerts.exists() and f"user/{who}".encode() in alerts.read_bytes()):
                time.sleep(0.002)
            if number:  # the first waits for the service to start
                found.append(time.perf_counter() - began)
    finally:
        service.terminate()
        service.wait()
    return sorted(found)


def main() -> None:
    """Prints a line a source."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.alarm_latency")
    parser.add_argument("--alarms", type=int, default=40)
    given = parser.parse_args()
    print(f"third event of an alarm to its alert, {given.alarms} alarms for each source", flush=True)
    for name in ("follow", "kafka-python", "confluent", "kinesis", "sqs"):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            kinds = {"follow": follow, "kinesis": kinesis, "sqs": sqs}
            opened = kinds[name](folder) if name in kinds else kafka_topic(name)
            with opened as (source, put):
                waits = latencies(source, put, folder, given.alarms)
            p50, p99 = (waits[int(len(waits) * share)] for share in (0.5, 0.99))
            print(f"{name:>18}: p50 {p50:.2f} s, p99 {p99:.2f} s", flush=True)


if __name__ == "__main__":
    main()
