"""A read-only S3 on this machine that answers as late as a distant one, for measuring and for its faults.

    python -m tests.servers.latent_s3 --port 9900 --folder ARCHIVE --latency 20
    python -m tests.servers.latent_s3 --port 9900 --accounts 200 --days 1 --latency 20

moto is too slow to be measured against. This server answers GetObject, HeadObject and ListObjectsV2 after a latency
in milliseconds with a share of jitter; a share of its answers is `503 SlowDown`. It checks no signature.
`GET /_counts` returns what was asked of it and starts counting again; `GET /_set?latency=50` changes a setting.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
import urllib.request
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

from tests.servers.patience import Deadline
from tests.servers.ports import free_ports

BUCKET = "trail"
_START = 60.0  # seconds until it must answer
_REGIONS = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-west-2",
]
_FILES_A_DAY = 4
_PAGE = 1000
_LAST = "\U0010ffff"
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@dataclass
class Store:
    """The objects by their sorted keys, how the server behaves, and what was asked of it."""

    objects: dict[str, bytes]
    latency: float = 0.0
    jitter: float = 0.0
    slow_down: float = 0.0
    refuse_next: float = 0  # so many requests are answered with 503, whatever `slow_down` is
    counts: Counter[str] = field(default_factory=Counter)
    _keys: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._keys = sorted(self.objects)

    def delay(self) -> float:
        """Seconds until the next answer."""
        return self.latency / 1000 * (1 + self.jitter * (2 * random.random() - 1))

    def answer(self, method: str, target: str) -> tuple[int, bytes]:
        """The status and the body for a request."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path == "/_set":
            for name, value in query.items():
                setattr(self, name, float(value))
            return 200, b""
        if parts.path == "/_counts":
            counts, self.counts = self.counts, Counter()
            return 200, json.dumps(counts).encode()
        bucket, _, key = unquote(parts.path.lstrip("/")).partition("/")
        if bucket != BUCKET:
            return 404, b"<Error><Code>NoSuchBucket</Code></Error>"
        self.counts["GET" if key else "LIST"] += 1
        if self.refuse_next > 0 or random.random() < self.slow_down:
            self.refuse_next -= 1
            self.counts["503"] += 1
            return 503, _SLOW_DOWN
        if not key:
            return 200, b"" if method == "HEAD" else self._page(query).encode()
        body = self.objects.get(key)
        return (200, body) if body is not None else (404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _page(self, query: dict[str, str]) -> str:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        place = bisect_left(self._keys, prefix)
        if after := unquote(query.get("continuation-token", "")) or query.get("start-after"):
            place = max(place, bisect_right(self._keys, after))
        found: list[str] = []
        last = ""
        limit = min(_PAGE, int(query.get("max-keys", _PAGE)))
        while place < len(self._keys) and self._keys[place].startswith(prefix) and len(found) < limit:
            key = self._keys[place]
            folder, separator, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if separator:
                last = f"{prefix}{folder}{separator}{_LAST}"
                found.append(f"<CommonPrefixes><Prefix>{_xml(last[:-1])}</Prefix></CommonPrefixes>")
                place = bisect_left(self._keys, last)
            else:
                last = key
                found.append(
                    f"<Contents><Key>{_xml(key)}</Key><LastModified>2026-03-14T00:00:00.000Z</LastModified>"
                    f"<ETag>&#34;0&#34;</ETag><Size>{len(self.objects[key])}</Size>"
                    "<StorageClass>STANDARD</StorageClass></Contents>"
                )
                place += 1
        more = place < len(self._keys) and self._keys[place].startswith(prefix)
        token = f"<NextContinuationToken>{_xml(last)}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix>{_xml(prefix)}</Prefix><KeyCount>{len(found)}</KeyCount>"
            f"<MaxKeys>{limit}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{''.join(found)}</ListBucketResult>"
        )


def _xml(text: str) -> str:
    return escape(quote(text, safe="/"))


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with requests that have no body, one after another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._store.counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            if target.startswith("/_") or not self._store.latency:
                self._respond(method, target)
            else:
                asyncio.get_running_loop().call_later(self._store.delay(), self._respond, method, target)

    def _respond(self, method: str, target: str) -> None:
        status, body = self._store.answer(method, target)
        kind = "application/json" if "/" in target[1:] else "application/xml"
        head = (
            f"HTTP/1.1 {status} -\r\nx-amz-request-id: 0123456789ABCDEF\r\nServer: AmazonS3\r\n"
            f'Last-Modified: Sat, 14 Mar 2026 00:00:00 GMT\r\nETag: "0"\r\nContent-Type: {kind}\r\n'
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + (b"" if method == "HEAD" else body))


@dataclass(frozen=True)
class LatentS3:
    """A running server; `url` is its endpoint."""

    url: str

    def set(self, **settings: float) -> None:
        """Changes `latency`, `jitter`, `slow_down` or `refuse_next`."""
        urllib.request.urlopen(f"{self.url}/_set?{urlencode(settings)}", timeout=10).close()

    def counts(self) -> dict[str, int]:
        """The requests since the last call, by kind."""
        with urllib.request.urlopen(f"{self.url}/_counts", timeout=10) as response:
            found: dict[str, int] = json.load(response)
        return found


def of_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their keys."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def of_organization(accounts: int, days: int, body: bytes) -> dict[str, bytes]:
    """The keys of an organization in 17 regions, all with the same content."""
    return {
        f"AWSLogs/o-exampleorg1/{account}/CloudTrail/{region}/{time:%Y/%m/%d}/"
        f"{account}_CloudTrail_{region}_{time:%Y%m%dT%H%MZ}_{account:012x}{number:04d}.json.gz": body
        for account in range(100_000_000_000, 100_000_000_000 + 7919 * accounts, 7919)
        for region in _REGIONS
        for number in range(days * _FILES_A_DAY)
        for time in [datetime(2026, 3, 14, tzinfo=UTC) + timedelta(hours=number * 24 / _FILES_A_DAY)]
    }


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[LatentS3]:
    """A server in a process of its own until the end of the block."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tests.servers.latent_s3", "--port", str(port), *arguments]
    with subprocess.Popen(command) as process:
        try:
            server = LatentS3(f"http://127.0.0.1:{port}")
            _wait_until_ready(server, process)
            yield server
        finally:
            process.kill()


def _wait_until_ready(server: LatentS3, process: subprocess.Popen[bytes]) -> None:
    deadline = Deadline(_START)
    while not deadline.passed:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        try:
            server.counts()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"no answer at {server.url} in time")


async def _serve(store: Store, port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(store), "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Runs until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.latent_s3")
    parser.add_argument("--port", type=int, default=9900)
    parser.add_argument("--folder", type=Path, help="the objects are the files of this folder")
    parser.add_argument("--accounts", type=int, default=0, help="the objects of an organization of so many")
    parser.add_argument("--days", type=int, default=1, help="of an organization")
    parser.add_argument("--latency", type=float, default=0, help="milliseconds before an answer")
    parser.add_argument("--jitter", type=float, default=0, help="the share of the latency that varies")
    parser.add_argument(
        "--slow-down", type=float, default=0, help="the share of answers that are 503 SlowDown"
    )
    given = parser.parse_args()
    objects = of_organization(given.accounts, given.days, b'{"Records":[]}')
    if given.folder:
        objects |= of_folder(given.folder)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Store(objects, given.latency, given.jitter, given.slow_down), given.port))


if __name__ == "__main__":
    main()
