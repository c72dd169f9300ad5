"""Archives of any size for benchmarks, in CloudTrail's S3 layout, made from the records of a smaller archive.

Every record is one of the source's with a new eventID, so its rule hits are known: `truth.json` beside the
archive holds the number of matching records, found by the interpreter on the source's records.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from trailsieve import jsontext
from trailsieve.pattern import interpret
from trailsieve.pattern.nodes import JsonPattern
from trailsieve.rules.load import load_pack

HIT_SHARE = 0.03  # of the records; the rest match no rule


def make(out: Path, source: Path, size: int, files: int, seed: int = 1) -> None:
    """Writes an archive of about `size` bytes of JSON in `files` files."""
    rng = random.Random(seed)
    hits, quiet = sorted_by_hit(texts_of(source))
    written = matching = records = 0
    for number in range(files):
        body: list[bytes] = []
        length = 0
        while length < size // files:
            is_hit = rng.random() < HIT_SHARE
            record = renamed(rng.choice(hits if is_hit else quiet), rng)
            matching += is_hit
            length += len(record)
            body.append(record)
        records += len(body)
        written += _write(out, number, b'{"Records":[' + b",".join(body) + b"]}", rng)
    truth = {"files": files, "records": records, "uncompressed_bytes": written, "matching": matching}
    (out / "truth.json").write_text(json.dumps(truth))


def texts_of(source: Path) -> Iterator[bytes]:
    seen: set[bytes] = set()
    for path in sorted(source.rglob("*.json.gz")):
        if "_CloudTrail_" not in path.name:
            continue
        try:
            data = gzip.decompress(path.read_bytes())
        except (EOFError, OSError):
            continue
        for record in json.loads(data)["Records"]:
            text = json.dumps(record, separators=(",", ":")).encode()
            if text not in seen:
                seen.add(text)
                yield text


def sorted_by_hit(records: Iterator[bytes]) -> tuple[list[bytes], list[bytes]]:
    patterns = [rule.pattern.tree for rule in load_pack("cis-aws").rules]
    hits: list[bytes] = []
    quiet: list[bytes] = []
    for text in records:
        event = jsontext.decode_object(text)
        hit = any(
            interpret.matches_record(pattern, event)
            for pattern in patterns
            if isinstance(pattern, JsonPattern)
        )
        (hits if hit else quiet).append(text)
    return hits, quiet


def renamed(record: bytes, rng: random.Random) -> bytes:
    start = record.index(b'"eventID":"') + 11
    end = record.index(b'"', start)
    return record[:start] + str(UUID(int=rng.getrandbits(128), version=4)).encode() + record[end:]


def _write(out: Path, number: int, data: bytes, rng: random.Random) -> int:
    account = f"{111122223333 + number % 5}"
    name = f"{account}_CloudTrail_eu-west-1_20260314T{number // 60 % 24:02}{number % 60:02}Z_{rng.getrandbits(64):016X}"
    folder = out / f"AWSLogs/{account}/CloudTrail/eu-west-1/2026/03/{1 + number // 1440 % 28:02}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(data, 6, mtime=0))
    return len(data)
