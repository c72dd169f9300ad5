"""Compares the conformance vectors with the results of AWS.

Replays grammar/vectors/*.jsonl with TestMetricFilter of CloudWatch Logs and prints each vector whose result on
AWS differs. With --record, the results of AWS are written into the files as `expect` and `extracted`, and `status`
becomes `recorded`.

Needs boto3 and credentials with the permission logs:TestMetricFilter; no log group is read or written.
Exit codes: 0 no differences (or everything was recorded), 1 differences, 2 wrong use, 3 the call to AWS failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

VECTORS = Path(__file__).with_name("vectors")
MAX_MESSAGES = 50  # per call (rule 6)
REFUSALS = {"InvalidParameterException", "ValidationException"}

Vector = dict[str, Any]
Pause = Callable[[float], None]


class Client(Protocol):
    """The method of boto3's `logs` client that is used."""

    def test_metric_filter(self, *, filterPattern: str, logEventMessages: list[str]) -> dict[str, Any]:  # noqa: N803
        """Returns AWS's response, or raises botocore's ClientError."""


@dataclass(frozen=True)
class Result:
    """The result of AWS for one vector."""

    expect: str
    extracted: dict[str, str] | None
    reason: str = ""


def batches(vectors: Iterable[Vector]) -> Iterator[list[Vector]]:
    """Batches of vectors with the same pattern, at most `MAX_MESSAGES` each."""
    by_pattern: dict[str, list[Vector]] = {}
    for vector in vectors:
        by_pattern.setdefault(vector["pattern"], []).append(vector)
    for group in by_pattern.values():
        rest = iter(group)
        while batch := list(islice(rest, MAX_MESSAGES)):
            yield batch


def ask(client: Client, batch: Sequence[Vector]) -> list[Result]:
    """The results of AWS for vectors that share a pattern."""
    messages = [vector["message"] for vector in batch]
    try:
        response = client.test_metric_filter(filterPattern=batch[0]["pattern"], logEventMessages=messages)
    except Exception as error:  # botocore's ClientError, known by its response
        details = getattr(error, "response", {}).get("Error", {})
        if details.get("Code") not in REFUSALS:
            raise
        return [Result("invalid", None, details.get("Message", ""))] * len(batch)
    matches = {match["eventNumber"]: match for match in response["matches"]}
    return [
        Result("match", matches[number].get("extractedValues", {}))
        if number in matches
        else Result("no_match", None)
        for number in range(1, len(batch) + 1)
    ]


def replay(
    client: Client, vectors: Sequence[Vector], *, rate: float, pause: Pause = time.sleep
) -> Iterator[tuple[Vector, Result]]:
    """Each vector with AWS's answer, at most `rate` calls a second."""
    for number, batch in enumerate(batches(vectors)):
        if number:
            pause(1 / rate)
        yield from zip(batch, ask(client, batch), strict=True)


def difference(vector: Vector, answer: Result) -> str:
    """What AWS says otherwise than the vector, or ""."""
    if (vector["expect"], vector["extracted"]) == (answer.expect, answer.extracted):
        return ""
    ours = _verdict(vector["expect"], vector["extracted"])
    theirs = _verdict(answer.expect, answer.extracted) + (f" ({answer.reason})" if answer.reason else "")
    return (
        f"{vector['id']} (rule {vector['rule']}, {vector['status']}): here {ours}, AWS {theirs}\n"
        f"    pattern {vector['pattern']!r}\n    message {vector['message']!r}"
    )


def _verdict(expect: str, extracted: dict[str, str] | None) -> str:
    return f"{expect} {json.dumps(extracted, ensure_ascii=False)}" if extracted else expect


def read(path: Path) -> list[Vector]:
    """The vectors of a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write(path: Path, vectors: Iterable[Vector]) -> None:
    """Puts vectors into a file, one a line."""
    path.write_text("".join(json.dumps(vector, ensure_ascii=False) + "\n" for vector in vectors), "utf-8")


def record(vector: Vector, answer: Result) -> None:
    """Makes AWS's answer the vector's own."""
    vector.update(expect=answer.expect, extracted=answer.extracted, status="recorded")


def run(client: Client, options: argparse.Namespace, pause: Pause = time.sleep) -> int:
    """Replays the chosen files; returns the exit code."""
    asked = differences = 0
    for path in options.files:
        vectors = read(path)
        chosen = [vector for vector in vectors if not options.rule or vector["rule"] in options.rule]
        try:
            for vector, answer in replay(client, chosen, rate=options.rate, pause=pause):
                asked += 1
                text = difference(vector, answer)
                if text:
                    differences += 1
                    print(text)
                if options.record:
                    record(vector, answer)
        finally:  # what was answered stays, also when the next call fails
            if options.record:
                write(path, vectors)
    print(f"{asked} vectors asked, {differences} differences", file=sys.stderr)
    return 1 if differences and not options.record else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        "ask_aws.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "files", nargs="*", type=Path, help="files of vectors (default: all of grammar/vectors)"
    )
    made.add_argument("--record", action="store_true", help="write AWS's answers into the files")
    made.add_argument("--rule", type=int, action="append", help="ask only for this rule; may be repeated")
    made.add_argument("--rate", type=_rate, default=2.0, help="calls a second (default: 2; AWS allows 5)")
    made.add_argument("--region", help="AWS region (default: that of your AWS configuration)")
    made.add_argument("--profile", help="profile of your AWS configuration")
    return made


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 5:
        raise argparse.ArgumentTypeError("from above 0 to 5")
    return rate


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line, makes a client, asks."""
    options = parser().parse_args(arguments)
    options.files = options.files or sorted(VECTORS.glob("*.jsonl"))
    missing = [str(path) for path in options.files if not path.is_file()]
    if missing:
        print(f"no such file: {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        print("boto3 is not installed: pip install boto3", file=sys.stderr)
        return 2
    try:
        session = boto3.Session(profile_name=options.profile, region_name=options.region)
        client = session.client("logs", config=Config(retries={"mode": "standard", "max_attempts": 8}))
        return run(client, options)
    except (BotoCoreError, ClientError) as error:
        print(f"cannot ask AWS: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
