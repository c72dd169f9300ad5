"""Google SecOps: native alerts as raw logs of a custom log type, through the Chronicle API's `logs:import`.

cloud.google.com/chronicle/docs/reference/rest/v1alpha/projects.locations.instances.logTypes.logs/import .
A successful response is an empty JSON object. Rate limits apply over five minutes and are reported as 429.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from trailsieve.errors import SinkError, shorten
from trailsieve.formats import alert_fields, native
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.secret import forget, hide
from trailsieve.sinks.acknowledgement import require_json
from trailsieve.sinks.batching import Batch, Encoded, probe, send_batches, send_request
from trailsieve.wire.http import Client, HttpConfig, HttpResponse, HttpUrl, UnreachableError

_MAX_BYTES = 1_000_000  # per request; the limit is not documented, this is the older API's
_MAX_LOG = 700_000  # bytes before base64
_MAX_COUNT = 1000
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Config(HttpConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        project: the Google Cloud project.
        location: of the instance, such as us or europe.
        instance: the SecOps instance id.
        log_type: a custom log type, with a parser for trailsieve's native format.
        forwarder: the id of a forwarder of the instance.
        credentials_file: the key of a service account with chronicle.logs.import; the default is Google's
            application default credentials.
        url: the API, if it is not the location's own.
    """

    project: str
    location: str
    instance: str
    log_type: str
    forwarder: str
    credentials_file: str | None = None
    url: HttpUrl | None = None


class SecOpsSink:
    """Sends batches of logs."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        instance = f"projects/{config.project}/locations/{config.location}/instances/{config.instance}"
        self._client = Client(config.url or f"https://{config.location}-chronicle.googleapis.com", config)
        self._name = f"secops {self._client.host}"
        self._log_type = f"/v1alpha/{instance}/logTypes/{config.log_type}"
        self._forwarder = f"{instance}/forwarders/{config.forwarder}"
        self._credentials = _credentials(config)
        self._config = config

    def deliver(self, alerts: Sequence[Alert]) -> None:
        send_batches(map(_encoded, alerts), self._send, _MAX_BYTES - 1000, _MAX_COUNT)

    def check(self) -> str:
        probe(self._name, lambda: self._client.get(self._log_type, self._headers()))
        return f"{self._client.host} has the log type {self._config.log_type}"

    def close(self) -> None:
        self._client.close()

    def _send(self, batch: Batch) -> None:
        logs = b",".join(log.body for log in batch)
        forwarder = orjson.dumps(self._forwarder)
        body = b'{"inlineSource":{"forwarder":%s,"logs":[%s]}}' % (forwarder, logs)
        send_request(self._name, batch, lambda: self._posted(body), require_json)

    def _posted(self, body: bytes) -> HttpResponse:
        path = f"{self._log_type}/logs:import"
        response = self._client.post(path, body, self._headers())
        if response.status == 401:  # the token may have been revoked: try once with a new one
            self._credentials.token = None
            response = self._client.post(path, body, self._headers())
        return response

    def _headers(self) -> dict[str, str]:
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.auth.transport.urllib3 import Request

        try:
            if not self._credentials.valid:
                forget(self._credentials.token or "")
                with self._client.deadline():
                    self._credentials.refresh(Request(self._client.pool))  # type: ignore[no-untyped-call]
                hide(self._credentials.token, "(access_token)")
        except TransportError as error:
            raise UnreachableError(f"no token: {shorten(str(error), 200)}") from None
        except GoogleAuthError as error:
            if getattr(error, "retryable", False):
                raise UnreachableError(f"no token: {shorten(str(error), 200)}") from None
            raise SinkError(f"{self._name} gives no token: {shorten(str(error), 200)}") from None
        return {"Authorization": f"Bearer {self._credentials.token}", "Content-Type": "application/json"}


def _credentials(config: Config) -> Any:
    try:
        import google.auth
        from google.oauth2 import service_account
    except ImportError:
        raise SinkError("secops needs the package google-auth: pip install 'trailsieve[secops]'") from None
    try:
        if config.credentials_file:
            load = service_account.Credentials.from_service_account_file
            return load(config.credentials_file, scopes=[_SCOPE])  # type: ignore[no-untyped-call]
        return google.auth.default(scopes=[_SCOPE])[0]
    except (OSError, ValueError, google.auth.exceptions.GoogleAuthError) as error:
        raise SinkError(f"secops: no credentials: {shorten(str(error), 200)}") from None


def _encoded(alert: Alert) -> Encoded:
    now = alert_fields.rfc3339(datetime.now(UTC))
    log = {
        "data": base64.b64encode(encode_within(alert, native.encode, _MAX_LOG)).decode(),
        "logEntryTime": alert_fields.rfc3339(alert_fields.event_time(alert)),
        "collectionTime": now,
        "labels": {"alert_id": {"value": alert.id}, "rule": {"value": shorten(alert.rule, 200)}},
    }
    return Encoded(alert.id, orjson.dumps(log))


def open_sink(config: Config, context: RunContext) -> SecOpsSink:
    """Google SecOps as a sink."""
    return SecOpsSink(config)
