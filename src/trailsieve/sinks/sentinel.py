"""Microsoft Sentinel: rows for a stream of a data collection rule, through the Logs Ingestion API.

learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview : 1 MB per call, 204 on success.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from trailsieve.errors import DeliveryError, SinkError, shorten
from trailsieve.formats import alert_fields, native
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.secret import Secret, forget, hide
from trailsieve.sinks.acknowledgement import require_status
from trailsieve.sinks.batching import Batch, Encoded, RefusedError, send_batches, send_request
from trailsieve.wire.http import Client, HttpConfig, HttpResponse, HttpUrl, UnreachableError

_MAX_BYTES = 1_000_000  # before compression, safely below the limit of 1,048,576
_MAX_COUNT = 5000
_MAX_COLUMN = 60_000  # bytes; the service truncates values over 64 KB
_EARLIER = 300.0  # seconds before its expiry that a token is renewed


class Config(HttpConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        endpoint: logs ingestion endpoint of the rule, https://….ingest.monitor.azure.com.
        rule_id: immutable id of the data collection rule, dcr-….
        stream: a stream such as Custom-Trailsieve_CL; docs/sinks.md lists its columns.
        tenant_id: of the application, which needs the role Monitoring Metrics Publisher on the rule.
        client_id, client_secret: with which the application authenticates.
        authority: token issuer; national clouds have their own.
        scope: the scope to request tokens for.
    """

    endpoint: HttpUrl
    rule_id: str
    stream: str
    tenant_id: str
    client_id: str
    client_secret: Secret
    authority: HttpUrl = "https://login.microsoftonline.com"
    scope: str = "https://monitor.azure.com/.default"


class SentinelSink:
    """Sends rows with an OAuth token, which is renewed before it expires or when it is refused."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = Client(config.endpoint, config)
        self._name = f"sentinel {self._client.host}"
        self._tokens = _Tokens(config)
        rule, stream = quote(config.rule_id, safe=""), quote(config.stream, safe="")
        self._path = f"/dataCollectionRules/{rule}/streams/{stream}?api-version=2023-01-01"

    def deliver(self, alerts: Sequence[Alert]) -> None:
        send_batches(map(_encoded, alerts), self._send, _MAX_BYTES, _MAX_COUNT)

    def check(self) -> str:
        """Sends an empty array, for which the service still validates token, rule and stream."""
        try:
            self._send(())
        except (DeliveryError, RefusedError) as error:
            raise SinkError(str(error)) from None
        return f"{self._client.host} accepts rows of {self._config.stream}"

    def close(self) -> None:
        self._client.close()
        self._tokens.close()

    def _send(self, batch: Batch) -> None:
        body = b"[" + b",".join(row.body for row in batch) + b"]"
        send_request(self._name, batch, lambda: self._posted(body), partial(require_status, 204))

    def _posted(self, body: bytes) -> HttpResponse:
        response = self._client.post(self._path, body, self._tokens.headers())
        if response.status == 401:  # the token may have been revoked: try once with a new one
            self._tokens.forget()
            response = self._client.post(self._path, body, self._tokens.headers())
        return response


class _Tokens:
    """Tokens of an application: OAuth 2.0 client credentials flow (RFC 6749, 4.4)."""

    def __init__(self, config: Config) -> None:
        self._client = Client(config.authority, config)
        self._path = f"/{quote(config.tenant_id, safe='')}/oauth2/v2.0/token"
        self._form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": config.client_id,
                "client_secret": config.client_secret,
                "scope": config.scope,
            }
        ).encode()
        self._token, self._until = "", 0.0

    def headers(self) -> dict[str, str]:
        """Request headers with a valid token.

        Raises:
            UnreachableError: the authority does not respond, or responds with 429 or 5xx.
            SinkError: the authority issues no token.
        """
        if time.monotonic() >= self._until:
            self._renew()
        return {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}

    def forget(self) -> None:
        """Makes the next request use a new token."""
        self._until = 0.0

    def close(self) -> None:
        self._client.close()

    def _renew(self) -> None:
        try:
            response = self._client.post(
                self._path, self._form, {"Content-Type": "application/x-www-form-urlencoded"}
            )
        except UnreachableError as error:
            raise UnreachableError(f"{self._client.host}: {error}") from None
        content: dict[str, Any] = response.json()
        if response.status == 429 or response.status >= 500:
            raise UnreachableError(f"{self._client.host} answered {response.status}")
        if response.status == 200 and not response.is_json_object:
            raise UnreachableError(f"{self._client.host} {response.describe()}; a token is in a JSON object")
        if response.status != 200 or "access_token" not in content:
            reason = shorten(str(content.get("error_description") or content.get("error") or ""), 300)
            raise SinkError(
                f"{self._client.host} issued no token: {response.status} {reason}; "
                "check tenant_id, client_id and client_secret"
            )
        forget(self._token)
        self._token = content["access_token"]
        hide(self._token, "(access_token)")
        lifetime = float(content.get("expires_in", 3600))
        self._until = time.monotonic() + max(lifetime - _EARLIER, lifetime / 2)


def _encoded(alert: Alert) -> Encoded:
    return Encoded(alert.id, encode_within(alert, _row, _MAX_BYTES - 100))


def _row(alert: Alert) -> bytes:
    """One row; TimeGenerated is the event time, so that a backlog gets the right times."""
    records = native.encode(alert)
    row = {
        "TimeGenerated": alert_fields.rfc3339(alert_fields.event_time(alert)),
        "AlertId": alert.id,
        "RuleId": alert.rule,
        "Title": alert.title,
        "Severity": alert.severity,
        "Kind": alert.kind,
        "State": alert.state,
        "Summary": alert_fields.summary(alert),
        "AccountId": alert.account,
        "Region": alert.region,
        "Count": alert.count,
        "Principal": alert.principal,
        "SourceIp": alert.source_ip,
        "UserAgent": alert.user_agent,
        "EventName": alert.event_name,
        "EventSource": alert.event_source,
        "ErrorCode": alert.error_code,
        "Targets": alert_fields.targets(alert),
        "Effect": alert.effect,
        "Tags": list(alert.tags),
        "Alert": orjson.Fragment(records) if len(records) <= _MAX_COLUMN else None,
    }
    return orjson.dumps(row)


def open_sink(config: Config, context: RunContext) -> SentinelSink:
    """Microsoft Sentinel as a sink."""
    return SentinelSink(config)
