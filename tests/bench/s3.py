"""`replay s3://…` of many small objects behind a latency, against `aws s3 sync` and a local replay.

    python -m tests.bench.s3 --objects 20000 --latency 20 50

The bucket is `tests/servers/latent_s3.py`, which shares the processors with what is measured. All figures are
of one run, in turn; the alerts must be the same bytes on every way.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import archive
from tests.servers import latent_s3
from tests.servers.moto import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
_BYTES_AN_OBJECT = 38_000  # of JSON, some 6 kB compressed
_PEER_OBJECTS = 2_000  # that `aws s3 sync` gets at most: it is slow


@dataclass(frozen=True)
class Figures:
    """Seconds on the clock and of the processors, and the alerts."""

    seconds: float
    cpu: float
    alerts: bytes = b""


def measured(command: list[str], endpoint: str = "") -> Figures:
    """Runs a command to its end."""
    environment = {**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figures(seconds, cpu, done.stdout)


def replay(what: str, endpoint: str = "", *options: str) -> Figures:
    """A replay of a folder or a bucket; positions in alerts begin below it."""
    done = measured([str(BIN / "trailsieve"), "replay", what, "--format", "jsonl", *options], endpoint)
    return replace(done, alerts=done.alerts.replace(f"{what}/".encode(), b""))


def sync(folder: Path, endpoint: str) -> Figures:
    """The peer: what most people do, of a part of the bucket."""
    target = folder / "synced"
    shutil.rmtree(target, ignore_errors=True)
    done = measured(
        [str(BIN / "aws"), "s3", "sync", f"s3://{latent_s3.BUCKET}/peer/", str(target), "--only-show-errors"],
        endpoint,
    )
    local = replay(str(target))
    return Figures(done.seconds + local.seconds, done.cpu + local.cpu)


def row(name: str, figures: Figures, objects: int, base: Figures | None = None) -> None:
    """Prints one line."""
    rate, cpu = objects / figures.seconds, 1e6 * figures.cpu / objects
    ratio = f"  {rate / (objects / base.seconds):5.2f} of disk" if base else ""
    print(f"{name:>28}  {rate:8,.0f} objects/s  {cpu:7,.0f} µs of processor an object{ratio}", flush=True)


def listing(endpoint: latent_s3.LatentS3, latency: float) -> None:
    """How long an organization's day takes: 200 accounts in 17 regions."""
    endpoint.set(latency=latency)
    endpoint.counts()
    url = f"s3://{latent_s3.BUCKET}/"
    found = replay(url, endpoint.url, "--since", "2026-03-14", "--until", "2026-03-15")
    counts = endpoint.counts()
    print(
        f"{'an organization day':>28}  {counts['GET']:,} empty objects of 200 accounts in 17 regions listed with "
        f"{counts['LIST']:,} requests and read in {found.seconds:.1f} s at {latency:g} ms"
    )


def of_bucket(folder: Path, objects: int, latencies: list[float], server: latent_s3.LatentS3) -> None:
    """Every latency in turn, then the peer."""
    disk = replay(str(folder / "AWSLogs"))
    row("files on disk", disk, objects)
    for latency in latencies:
        server.set(latency=latency)
        server.counts()
        bucket = replay(f"s3://{latent_s3.BUCKET}/AWSLogs", server.url)
        row(f"bucket at {latency:g} ms", bucket, objects, disk)
        if bucket.alerts != disk.alerts:
            sys.exit("the alerts of the bucket are not those of the disk")
        if (BIN / "aws").exists():
            row(f"aws s3 sync at {latency:g} ms", sync(folder, server.url), _peer_files(folder))
    server.set(latency=0)


def _peer_files(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "peer").rglob("*"))


def _copy_for_the_peer(folder: Path, objects: int) -> None:
    files = sorted((folder / "AWSLogs").rglob("*.json.gz"))[: min(objects, _PEER_OBJECTS)]
    for path in files:
        target = folder / "peer" / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)


def main() -> None:
    """Prints a line a way."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.s3")
    parser.add_argument("--objects", type=int, default=20_000)
    parser.add_argument("--latency", type=float, nargs="+", default=[20, 50])
    given = parser.parse_args()
    parts: list[Callable[[], None]] = [lambda: _bucket(given.objects, given.latency), _organization]
    for part in parts:
        part()


def _bucket(objects: int, latencies: list[float]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive.make(folder, ROOT / "samples/archive", objects * _BYTES_AN_OBJECT, objects)
        _copy_for_the_peer(folder, objects)
        with latent_s3.running("--folder", str(folder), "--jitter", "0.1") as server:
            of_bucket(folder, objects, latencies, server)


def _organization() -> None:
    with latent_s3.running("--accounts", "200") as server:
        listing(server, 20)


if __name__ == "__main__":
    main()
