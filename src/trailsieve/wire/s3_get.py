"""GetObject at a fraction of boto3's cost, for the good case: an object that is there and may be read.

boto3 makes the first request to each bucket. What it found out (endpoint, region, addressing, certificates)
serves for the next ones, which are signed here and use boto3's connections. Whatever is not `200 OK` is left
to boto3: it repeats the request, follows redirects, slows down and says what is wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from urllib3.exceptions import HTTPError

from trailsieve.wire.aws import REQUEST_SECONDS
from trailsieve.wire.deadline import begin

_NO_BODY = hashlib.sha256(b"").hexdigest()
_SAFE = "/~"  # characters of keys that botocore leaves as they are


def expected_owner(account: str) -> dict[str, str]:
    """The option of S3 requests that refuses a bucket of another account.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    return {"ExpectedBucketOwner": account} if account else {}


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What boto3 found out about a bucket.

    Attributes:
        path: what precedes a key in the path of a URL: "/", or "/bucket/".
        connections: urllib3's pool of connections to the endpoint.
        credentials: boto3's, which renew themselves.
    """

    path: str
    host: str
    region: str
    user_agent: str
    connections: Any
    credentials: Any


class ObjectGetter:
    """Reads objects of S3 with a boto3 client and its connections; for several threads.

    Args:
        limit: bytes that an object may have.
        within: seconds for a request and its body.
    """

    def __init__(self, client: Any, limit: int, within: float = REQUEST_SECONDS) -> None:
        self._client = client
        self._limit = limit
        self._within = within
        self._buckets: dict[str, _Bucket] = {}
        self._thread = threading.local()
        self._signing_key = _SigningKey()
        client.meta.events.register("before-sign.s3.GetObject", self._about_to_sign)

    def get(self, bucket: str, key: str, owner: str = "") -> bytes:
        """The bytes of an object.

        Args:
            owner: the account that must own the bucket; "" for any.

        Raises:
            ObjectTooBigError: it has more bytes than the limit.
            BotoCoreError, ClientError: as boto3's `get_object`.
        """
        known = self._buckets.get(bucket)
        body = self._get(known, key, owner) if known else None
        return self._get_by_boto(bucket, key, owner) if body is None else body

    def _get(self, bucket: _Bucket, key: str, owner: str) -> bytes | None:
        """The object, or None where boto3 has to decide."""
        path = bucket.path + quote(key, safe=_SAFE)
        headers = self._signed(bucket.credentials.get_frozen_credentials(), bucket, path, owner)
        begin(self._within)
        try:
            response = bucket.connections.urlopen(
                "GET",
                path,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                size = int(response.headers.get("Content-Length", -1))
                if response.status == 200 and 0 <= size <= self._limit:
                    body: bytes = response.read()
                    return body
                response.drain_conn()
            finally:
                response.release_conn()
        except (HTTPError, OSError, ValueError):
            pass
        return None

    def _get_by_boto(self, bucket: str, key: str, owner: str) -> bytes:
        self._thread.request = None
        got = self._client.get_object(Bucket=bucket, Key=key, **expected_owner(owner))
        with got["Body"] as body:
            if got["ContentLength"] > self._limit:
                raise ObjectTooBigError(got["ContentLength"])
            content: bytes = body.read()
        if self._thread.request:
            self._learn(bucket, key, *self._thread.request)
        return content

    def _about_to_sign(self, request: Any, region_name: str, signature_version: str, **_: Any) -> None:
        usual = signature_version == "s3v4" and not request.params
        self._thread.request = (request.url, region_name, request.headers) if usual else None

    def _learn(self, bucket: str, key: str, url: str, region: str, headers: Any) -> None:
        """Notes how to reach a bucket without boto3, unless that is unusual.

        botocore has no public way to its connections; a version that keeps them elsewhere reads all objects.
        """
        try:
            http, credentials = self._client._endpoint.http_session, self._client._request_signer._credentials
            has_proxy = http._proxy_config.proxy_url_for(url)
            connections = http._manager.connection_from_url(url)
        except AttributeError:
            return
        parts = urlsplit(url)
        path, quoted = parts.path, quote(key, safe=_SAFE)
        if credentials and not has_proxy and path.endswith(f"/{quoted}") and not parts.query:
            agent, start = headers.get("User-Agent", ""), path.removesuffix(quoted)
            self._buckets[bucket] = _Bucket(start, parts.netloc, region, agent, connections, credentials)

    def _signed(self, credentials: Any, bucket: _Bucket, path: str, owner: str) -> dict[str, str]:
        """The headers of a request with Signature Version 4.

        Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
        """
        now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        signed = {"host": bucket.host, "x-amz-content-sha256": _NO_BODY, "x-amz-date": now}
        if owner:
            signed["x-amz-expected-bucket-owner"] = owner
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        names = ";".join(signed)
        lines = "\n".join(f"{name}:{value}" for name, value in signed.items())
        request = f"GET\n{path}\n\n{lines}\n\n{names}\n{_NO_BODY}"
        scope = f"{now[:8]}/{bucket.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(
            self._signing_key.of(credentials.secret_key, now[:8], bucket.region), text.encode(), "sha256"
        ).hex()
        return {
            **signed,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}",
            "User-Agent": bucket.user_agent,
            "Accept-Encoding": "identity",
        }


class ObjectTooBigError(Exception):
    """An object has more bytes than the limit."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size:,} bytes")
        self.size = size


class _SigningKey:
    """The key that signs the requests of a day, which is derived in four steps."""

    def __init__(self) -> None:
        self._last: tuple[tuple[str, str, str], bytes] | None = None

    def of(self, secret: str, day: str, region: str) -> bytes:
        last = self._last
        if last and last[0] == (secret, day, region):
            return last[1]
        key = f"AWS4{secret}".encode()
        for part in (day, region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._last = (secret, day, region), key
        return key
