"""Pages of ListObjectsV2 that are parsed fast mean what botocore makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from trailsieve.wire.s3_pages import read_pages_fast

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult{}><Name>trail</Name><EncodingType>url</EncodingType>'


class Body:
    """The stream below a response of urllib3."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content


class S3:
    """A client whose every request gets the same answer."""

    def __init__(self, fast: bool) -> None:
        self.client = boto3.client(
            "s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.client.meta.events.register("before-send.s3", self._answer)
        if fast:
            read_pages_fast(self.client)
        self.status, self.body = 200, b""

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        return AWSResponse(request.url, self.status, {}, Body(self.body))

    def page(self, body: bytes, status: int = 200) -> dict[str, Any]:
        self.body, self.status = body, status
        page: dict[str, Any] = self.client.list_objects_v2(Bucket="trail")
        del page["ResponseMetadata"]
        for found in page.get("Contents", ()):
            for other in found.keys() - {"Key", "Size"}:
                del found[other]
        return page


@cache
def both() -> tuple[S3, S3]:
    return S3(fast=True), S3(fast=False)


def body_of(keys: list[str], folders: list[str], namespace: str, more: bool) -> bytes:
    objects = "".join(
        f"<Contents><Key>{quote(key)}</Key><LastModified>2026-03-14T00:00:00.000Z</LastModified><ETag>&quot;0&quot;</ETag>"
        f"<Size>{size}</Size><Owner><ID>1</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
        for size, key in enumerate(keys)
    )
    prefixes = "".join(
        f"<CommonPrefixes><Prefix>{quote(name)}/</Prefix></CommonPrefixes>" for name in folders
    )
    token = (
        "<IsTruncated>true</IsTruncated><NextContinuationToken>1/&amp;=</NextContinuationToken>"
        if more
        else ""
    )
    return f"{HEAD.format(namespace)}{token}{objects}{prefixes}</ListBucketResult>".encode()


@given(
    keys=st.lists(st.text(min_size=1), max_size=5),
    folders=st.lists(st.text(min_size=1), max_size=3),
    namespace=st.sampled_from(["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"']),
    more=st.booleans(),
)
def test_a_page_is_what_botocore_reads(
    keys: list[str], folders: list[str], namespace: str, more: bool
) -> None:
    fast, slow = both()
    body = body_of(keys, folders, namespace, more)
    assert fast.page(body) == slow.page(body)
    assert [found["Key"] for found in fast.page(body).get("Contents", [])] == keys


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
        (200, b"<Error><Code>InternalError</Code><Message>sorry</Message></Error>"),
        (200, b"<ListBucketResult><Contents>"),
    ],
)
def test_errors_stay_those_of_botocore(status: int, body: bytes) -> None:
    raised = []
    for client in both():
        client.client.meta.config.retries = {"total_max_attempts": 1}
        with pytest.raises((ClientError, BotoCoreError)) as error:
            client.page(body, status)
        raised.append(str(error.value))
    assert raised[0] == raised[1]
