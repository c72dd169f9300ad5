"""S3, SQS, SNS and STS on this machine: moto's server in a process of its own.

    python -m tests.servers.moto --port 5000 --archive samples/archive

What it lacks of AWS: it checks no permission unless asked to, sends no EventBridge notification to a queue by
itself, and knows no 12-hour limit of a message. Tests of those write the messages, or answer for AWS.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from tests.servers.patience import Deadline
from tests.servers.ports import free_ports

_START = 60.0  # seconds until it must answer
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Moto:
    """A running server; `url` is the endpoint of all services."""

    url: str

    def client(self, service: str, **more: Any) -> Any:
        """A client of one service."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=more.pop("key", "testing"),
            aws_secret_access_key="testing",
            **more,
        )

    def bucket(self, objects: Mapping[str, bytes] | None = None) -> Bucket:
        """A new bucket with these objects."""
        s3 = self.client("s3")
        made = Bucket(s3, f"trail-{uuid.uuid4().hex[:12]}")
        s3.create_bucket(Bucket=made.name)
        made.fill(objects or {})
        return made

    def queue(self, visibility: int = 30) -> Queue:
        """A new queue."""
        sqs = self.client("sqs")
        name = f"notifications-{uuid.uuid4().hex[:12]}"
        made = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(visibility)})
        return Queue(sqs, made["QueueUrl"])


@dataclass(frozen=True)
class Bucket:
    """A bucket of one test."""

    s3: Any
    name: str

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def fill(self, objects: Mapping[str, bytes]) -> None:
        for key, body in objects.items():
            self.put(key, body)

    def names(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]


@dataclass(frozen=True)
class Queue:
    """A queue of one test."""

    sqs: Any
    url: str

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def counts(self) -> tuple[int, int]:
        """How many messages can be received now, and how many are in somebody's hands."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(got[names[0]]), int(got[names[1]])

    def tell(self, bucket: Bucket, keys: list[str]) -> None:
        """One message of S3 for each key."""
        for key in keys:
            self.send(s3_notification(bucket.name, key))


def archive(folder: Path, prefix: str = "") -> dict[str, bytes]:
    """The files of a local archive by their keys."""
    return {
        prefix + path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def s3_notification(bucket: str, *keys: str, name: str = "ObjectCreated:Put") -> str:
    """What S3 sends when objects were made; their keys are form-encoded.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-03-14T03:00:00.000Z",
            "eventName": name,
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                "object": {"key": quote_plus(key, safe="/"), "size": 1024, "sequencer": "0055AED6DCD90281E5"},
            },
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


@contextlib.contextmanager
def running(port: int = 0, **environment: str) -> Iterator[Moto]:
    """A server until the end of the block; on a free port unless one is given."""
    port = port or free_ports(1)[0]
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, **ENVIRONMENT, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            moto = Moto(f"http://127.0.0.1:{port}")
            _wait_until_ready(moto.url, process)
            yield moto
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = Deadline(_START)
    while not deadline.passed:
        if process.poll() is not None:
            raise RuntimeError(f"moto's server ended with code {process.returncode}")
        try:
            urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"moto's server did not answer at {url} in time")


def main() -> None:
    """Runs until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--archive", type=Path, help="fill the bucket `trail` from this folder")
    options = parser.parse_args()
    with running(options.port) as moto:
        if options.archive:
            s3 = moto.client("s3")
            s3.create_bucket(Bucket="trail")
            Bucket(s3, "trail").fill(archive(options.archive))
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": moto.url}.items():
            print(f"export {name}={value}")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
