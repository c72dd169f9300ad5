"""Runs command lines inside the test's own process, with streams that may pretend to be a terminal."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from trailsieve.cli.main import run

Record = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What a command line answered."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.decode().splitlines()

    @property
    def objects(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class _Bytes(io.BytesIO):
    terminal = False

    def isatty(self) -> bool:
        return self.terminal


def trailsieve(*arguments: str | Path, stdin: bytes = b"", terminal: bool = False) -> Result:
    """The answer to a command line; with `terminal` its outputs are said to be one, without a progress bar."""
    out, err = _Bytes(), _Bytes()
    out.terminal = err.terminal = terminal
    streams: dict[str, Any] = {
        "stdin": io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))),
        "stdout": io.TextIOWrapper(out, "utf-8", write_through=True),
        "stderr": io.TextIOWrapper(err, "utf-8", write_through=True),
    }
    with mock.patch.multiple(sys, **streams), mock.patch.dict(os.environ, TERM="dumb"):
        code = run([str(argument) for argument in arguments])
    return Result(code, out.getvalue(), err.getvalue().decode())


def log_file(path: Path, records: Sequence[Record]) -> Path:
    """Writes a file as CloudTrail does, gzipped when its name says so."""
    data = json.dumps({"Records": records}, separators=(",", ":")).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def denied(number: int, **fields: Any) -> Record:
    """A record that cis-aws-4.1 matches."""
    return {
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "eventTime": f"2026-03-14T02:{number:02}:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.1",
        "errorCode": "AccessDenied",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/mia"},
        **fields,
    }
