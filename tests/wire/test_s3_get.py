"""Objects that are read without boto3: signed as botocore signs, and boto3's as soon as anything is unusual."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from tests.servers import latent_s3
from tests.servers.moto import ENVIRONMENT
from trailsieve.wire import s3_get
from trailsieve.wire.aws import AwsConfig, client
from trailsieve.wire.s3_get import ObjectGetter, ObjectTooBigError

NOW = datetime(2026, 3, 14, 2, 57, 25, tzinfo=UTC)
KEYS = ["AWSLogs/a b+c&d=é%20.json.gz", "plain", "deep/../up//twice", "tilde~(x)'!*"]
LIMIT = 5_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[latent_s3.LatentS3]:
    folder = tmp_path_factory.mktemp("bucket")
    (folder / "sub").mkdir()
    for number in range(20):
        Path(folder, "sub", f"é {number}+.json").write_bytes(b"%d" % number * 100)
    Path(folder, "big").write_bytes(b"x" * (LIMIT + 1))
    with latent_s3.running("--folder", str(folder)) as running:
        yield running


@pytest.fixture
def s3(server: latent_s3.LatentS3, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return client("s3", AwsConfig(endpoint_url=server.url, region="us-east-1"))


def asked_of_boto(s3: Any) -> list[str]:
    keys: list[str] = []
    s3.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: keys.append(params["Key"])
    )
    return keys


def names() -> list[str]:
    return [f"sub/é {number}+.json" for number in range(20)]


@given(
    key=TEXTS | st.sampled_from(KEYS),
    token=st.none() | st.just("a/token=="),
    owner=st.sampled_from(["", "111122223333"]),
)
def test_a_request_is_signed_as_botocore_signs_it(key: str, token: str | None, owner: str) -> None:
    credentials = Credentials("AKIAEXAMPLE", "secret/key", token)
    bucket = s3_get._Bucket("/trail/", "s3.eu-west-1.amazonaws.com", "eu-west-1", "agent", None, credentials)
    path = bucket.path + quote(key, safe="/~")
    request = AWSRequest("GET", f"http://{bucket.host}{path}")
    if owner:
        request.headers["x-amz-expected-bucket-owner"] = owner
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        S3SigV4Auth(credentials, "s3", bucket.region).add_auth(request)
    reader = ObjectGetter(mock.MagicMock(), LIMIT)
    with mock.patch.object(s3_get, "datetime", mock.Mock(now=lambda _: NOW)):
        signed = reader._signed(credentials.get_frozen_credentials(), bucket, path, owner)
    assert signed["Authorization"] == request.headers["Authorization"]


def test_only_the_first_request_to_a_bucket_is_made_by_boto3(s3: Any) -> None:
    asked, reader = asked_of_boto(s3), ObjectGetter(s3, LIMIT)
    assert [reader.get("trail", name) for name in names()] == [b"%d" % number * 100 for number in range(20)]
    assert asked == names()[:1]


def test_an_object_that_is_gone_or_too_big_is_told_by_boto3(s3: Any) -> None:
    reader = ObjectGetter(s3, LIMIT)
    reader.get("trail", names()[0])
    with pytest.raises(ClientError, match="NoSuchKey"):
        reader.get("trail", "sub/nothing")
    with pytest.raises(ObjectTooBigError, match="5,001 bytes"):
        reader.get("trail", "big")
    assert reader.get("trail", names()[1])


def test_when_s3_asks_for_patience_boto3_tries_again(s3: Any, server: latent_s3.LatentS3) -> None:
    asked, reader = asked_of_boto(s3), ObjectGetter(s3, LIMIT)
    reader.get("trail", names()[0])
    server.counts()
    server.set(refuse_next=2)
    assert [reader.get("trail", name) for name in names()] == [b"%d" % number * 100 for number in range(20)]
    assert asked == [names()[0], names()[0]]
    assert server.counts()["503"] == 2


def test_proxies_are_left_to_boto3(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ObjectGetter(s3, LIMIT)
    monkeypatch.setattr(s3._endpoint.http_session._proxy_config, "proxy_url_for", lambda url: "http://proxy")
    reader._thread.request = ("http://127.0.0.1:1/trail/a", "us-east-1", {})
    reader._learn("trail", "a", *reader._thread.request)
    assert not reader._buckets


def test_a_botocore_that_keeps_its_connections_elsewhere_reads_all(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(s3._endpoint.http_session, "_manager")
    reader = ObjectGetter(s3, LIMIT)
    reader._learn("trail", "a", "http://127.0.0.1:1/trail/a", "us-east-1", {})
    assert not reader._buckets
