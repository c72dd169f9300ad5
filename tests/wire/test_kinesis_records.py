"""Records of Kinesis that are parsed fast are those that botocore reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from trailsieve.wire.kinesis_records import read_records_fast


class Body:
    """The stream below a response of urllib3."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content


class Kinesis:
    """A client whose every request gets the same answer."""

    def __init__(self, fast: bool) -> None:
        self.client = boto3.client(
            "kinesis", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.client.meta.events.register("before-send.kinesis", self._answer)
        if fast:
            read_records_fast(self.client)
        self.status, self.body = 200, b""

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        return AWSResponse(request.url, self.status, {}, Body(self.body))

    def records(self, body: bytes, status: int = 200) -> dict[str, Any]:
        self.body, self.status = body, status
        response: dict[str, Any] = self.client.get_records(ShardIterator="i")
        del response["ResponseMetadata"]
        for record in response["Records"]:
            record.pop("PartitionKey", None)
            record.pop("EncryptionType", None)
        return response


@cache
def both() -> tuple[Kinesis, Kinesis]:
    return Kinesis(fast=True), Kinesis(fast=False)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
sent_records = st.lists(
    st.fixed_dictionaries(
        {
            "SequenceNumber": texts,
            "Data": st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode()),
            "PartitionKey": texts,
        },
        optional={
            "ApproximateArrivalTimestamp": st.integers(0, 2**31) | st.floats(0, 2**31),
            "EncryptionType": st.just("KMS"),
        },
    ),
    max_size=5,
)


@given(sent_records, st.none() | texts, st.integers(0, 10**9))
def test_a_response_is_what_botocore_reads(
    records: list[dict[str, Any]], iterator: str | None, behind: int
) -> None:
    shards = [
        {
            "ShardId": "s",
            "ParentShards": ["p"],
            "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "9"},
        }
    ]
    answer = {
        "Records": records,
        "NextShardIterator": iterator,
        "MillisBehindLatest": behind,
        "ChildShards": shards,
    }
    fast, slow = (client.records(json.dumps(answer).encode()) for client in both())
    assert fast == slow


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"__type":"ExpiredIteratorException","message":"too old"}'),
        (400, b'{"__type":"ProvisionedThroughputExceededException"}'),
    ],
)
def test_errors_stay_those_of_botocore(status: int, body: bytes) -> None:
    raised = []
    for kinesis in both():
        with pytest.raises((ClientError, BotoCoreError)) as error:
            kinesis.records(body, status)
        raised.append((type(error.value), str(error.value).partition(" (reached")[0]))
    assert raised[0] == raised[1]
