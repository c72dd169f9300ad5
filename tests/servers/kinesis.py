"""Kinesis on this machine: kinesis-mock, run by Node.js.

    python -m tests.servers.kinesis          starts one, says where, and runs until Ctrl-C

The package is fetched by npm once and kept in ~/.cache/trailsieve.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.patience import Deadline
from tests.servers.ports import free_ports
from tests.servers.unavailable import UnavailableError

_VERSION = "0.6.2"
_CACHE = Path.home() / ".cache" / "trailsieve" / f"kinesis-local-{_VERSION}"
_PACKAGE = _CACHE / "node_modules" / "kinesis-local"
_PATIENCE = 60.0  # seconds until a server must answer
_SHORT = ("CREATE_STREAM", "DELETE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS", "UPDATE_SHARD_COUNT")


@dataclass(frozen=True)
class Kinesis:
    """A running server; any credentials will do."""

    url: str
    region: str = "us-east-1"

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "kinesis",
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@dataclass
class Stream:
    """A stream, and what tests do to it."""

    client: Any
    name: str

    def shards(self) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = self.client.list_shards(StreamName=self.name)["Shards"]
        return shards

    def open_shards(self) -> list[dict[str, Any]]:
        return [
            shard for shard in self.shards() if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
        ]

    def put(self, payloads: list[bytes], key: str = "") -> None:
        """Puts records, spread over the shards unless they have one key."""
        for start in range(0, len(payloads), 500):
            records = [
                {"Data": payload, "PartitionKey": key or str(number)}
                for number, payload in enumerate(payloads[start : start + 500], start)
            ]
            assert self.client.put_records(StreamName=self.name, Records=records)["FailedRecordCount"] == 0

    def split(self, number: int = 0) -> None:
        """Splits an open shard in two halves."""
        shard = self.open_shards()[number]
        low, high = (int(shard["HashKeyRange"][f"{end}HashKey"]) for end in ("Starting", "Ending"))
        self.client.split_shard(
            StreamName=self.name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2 + 1)
        )
        self.wait()

    def merge(self) -> None:
        """Merges the first two open shards."""
        by_range = sorted(self.open_shards(), key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
        first, second = (shard["ShardId"] for shard in by_range[:2])
        self.client.merge_shards(StreamName=self.name, ShardToMerge=first, AdjacentShardToMerge=second)
        self.wait()

    def wait(self) -> None:
        """Returns once the stream is active."""
        deadline = Deadline(_PATIENCE)
        while self._status() != "ACTIVE":
            assert not deadline.passed, f"stream {self.name} does not become active"
            time.sleep(0.02)

    def _status(self) -> Any:
        return self.client.describe_stream_summary(StreamName=self.name)["StreamDescriptionSummary"][
            "StreamStatus"
        ]


def create(server: Kinesis, name: str, shards: int = 1) -> Stream:
    """A new stream."""
    stream = Stream(server.client(), name)
    stream.client.create_stream(StreamName=name, ShardCount=shards)
    stream.wait()
    return stream


@contextmanager
def running() -> Iterator[Kinesis]:
    """A server of its own.

    Raises:
        UnavailableError: there is no Node.js, or npm cannot fetch the package.
    """
    _fetch()
    port, tls_port = free_ports(2)
    environment = {
        **os.environ,
        "KINESIS_MOCK_PLAIN_PORT": str(port),
        "KINESIS_MOCK_TLS_PORT": str(tls_port),
        "SHARD_LIMIT": "1000",
        "LOG_LEVEL": "ERROR",
        **{f"{name}_DURATION": "20ms" for name in _SHORT},
    }
    # It reads server.json, its certificate, from the folder that it is started in.
    process = subprocess.Popen(
        ["node", "main.js"],
        cwd=_PACKAGE,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        server = Kinesis(f"http://127.0.0.1:{port}")
        _wait(server, process)
        yield server
    finally:
        process.kill()  # asked kindly, it waits half a minute for connections that are kept alive
        process.wait()


def _fetch() -> None:
    if not shutil.which("node") or not shutil.which("npm"):
        raise UnavailableError("Kinesis for tests needs Node.js and npm")
    if (_PACKAGE / "main.js").exists():
        return
    _CACHE.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(_CACHE), "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(
        [*command, f"kinesis-local@{_VERSION}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UnavailableError(f"npm cannot fetch kinesis-local {_VERSION}: {done.stderr.strip()[-200:]}")


def _wait(server: Kinesis, process: subprocess.Popen[bytes]) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    client, deadline = server.client(), Deadline(_PATIENCE)
    while True:
        try:
            client.list_streams()
            return
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or deadline.passed:
                raise UnavailableError(f"kinesis-mock does not answer: {error}") from None
            time.sleep(0.05)


if __name__ == "__main__":
    with running() as started:
        print(f"Kinesis answers at {started.url}, region {started.region}; Ctrl-C ends it", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print()
