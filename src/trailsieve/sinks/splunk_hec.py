"""Splunk HTTP Event Collector.

A batch is concatenated JSON objects; `time` is the event time. Sources: help.splunk.com, "Troubleshoot HTTP
Event Collector" (codes) and "About HTTP Event Collector Indexer Acknowledgment".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any, Literal

import orjson

from trailsieve.errors import DeliveryError, SinkError, shorten
from trailsieve.formats import alert_fields, encoder
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.secret import Secret
from trailsieve.sinks.acknowledgement import NotAcknowledgedError, require_json, succeeded
from trailsieve.sinks.batching import Batch, Encoded, RefusedError, probe, send_batches, send_request
from trailsieve.toml_file import AtLeastOne
from trailsieve.wire.http import Client, HttpConfig, HttpResponse, HttpUrl, UnreachableError

_EVENT, _ACK, _HEALTH = "/services/collector/event", "/services/collector/ack", "/services/collector/health"
_MAX_COUNT = 5000
_POLL = 0.5  # seconds between two polls for an acknowledgement
_STOP = {1, 2, 3, 4, 7, 10, 11, 14, 16}  # token, index, channel or acknowledgement are misconfigured
_ONE_IS_BAD = {6, 12, 13, 15}  # the response has `invalid-event-number`
_JSON = {"Content-Type": "application/json"}


class Config(HttpConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        url: scheme, host and port, such as https://splunk.example:8088.
        token: an HTTP Event Collector token.
        index: the index, if it is not the token's default.
        host: the `host` of the events.
        source: the `source` of the events.
        sourcetype: the `sourcetype` of the events.
        format: the format of `event`.
        ack: whether to wait for indexer acknowledgement, which must be enabled for the token. Splunk Cloud
            supports it for Firehose only.
        ack_timeout: seconds after which a batch without acknowledgement is sent again.
        max_bytes: of a batch before compression; at most the server's `max_content_length`.
    """

    url: HttpUrl
    token: Secret
    index: str | None = None
    host: str | None = None
    source: str = "trailsieve"
    sourcetype: str = "trailsieve:alert"
    format: Literal["native", "ecs", "ocsf"] = "native"
    ack: bool = False
    ack_timeout: float = 60.0
    max_bytes: AtLeastOne = 1_000_000


class SplunkSink:
    """Sends batches; with `ack`, a delivery ends when the indexers have acknowledged it."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._encode = encoder(config.format)
        # Acknowledgements belong to a channel, so no other client may share ours.
        self._channel = {"X-Splunk-Request-Channel": str(uuid.uuid4())} if config.ack else {}
        self._client = Client(
            config.url, config, {"Authorization": f"Splunk {config.token}", **self._channel}
        )
        self._name = f"splunk_hec {self._client.host}"

    def deliver(self, alerts: Sequence[Alert]) -> None:
        send_batches(map(self._encoded, alerts), self._send, self._config.max_bytes, _MAX_COUNT)

    def check(self) -> str:
        """Checks the health endpoint, then posts no data: code 5, "No data", means a valid token."""
        probe(self._name, lambda: self._client.get(_HEALTH))
        try:
            response = self._client.post(_EVENT, b"")
        except UnreachableError as error:
            raise SinkError(f"{self._name}: {error}") from None
        if _code(response) not in (0, 5):
            raise SinkError(f"{self._name} {response.describe()}")
        return f"{self._client.host} is healthy and accepts the token"

    def close(self) -> None:
        self._client.close()

    def _encoded(self, alert: Alert) -> Encoded:
        event = encode_within(alert, self._encode, self._config.max_bytes - 2000)
        envelope = {
            "time": orjson.Fragment(
                f"{alert_fields.epoch_milliseconds(alert_fields.event_time(alert)) / 1000:.3f}".encode()
            ),
            "host": self._config.host,
            "source": self._config.source,
            "sourcetype": self._config.sourcetype,
            "index": self._config.index,
            "fields": {"alert_id": alert.id, "rule": shorten(alert.rule, 200), "severity": alert.severity},
        }
        known = {key: value for key, value in envelope.items() if value is not None}
        return Encoded(alert.id, orjson.dumps({**known, "event": orjson.Fragment(event)}))

    def _send(self, batch: Batch) -> None:
        body = b"\n".join(alert.body for alert in batch)
        response = send_request(
            self._name,
            batch,
            lambda: self._client.post(_EVENT, body, _JSON),
            lambda response: self._check_response(batch, response),
        )
        if self._config.ack:
            self._await_ack(batch, response.json().get("ackId"))

    def _check_response(self, batch: Batch, response: HttpResponse) -> None:
        """Raises what Splunk's codes mean; without a code, `send_request` goes by the HTTP status."""
        code = _code(response)
        if succeeded(response) and code != 0:
            raise NotAcknowledgedError('an HTTP Event Collector answers {"text": "Success", "code": 0}')
        if code in _STOP:
            raise SinkError(f"{self._name} {response.describe()}")
        number = response.json().get("invalid-event-number")
        if code in _ONE_IS_BAD and isinstance(number, int) and 0 <= number < len(batch):
            # It is not documented whether the events before it are stored, so all others are sent again.
            raise RefusedError(f"{self._name} {response.describe()}", batch[number].id)
        if code in _ONE_IS_BAD:
            raise RefusedError(f"{self._name} {response.describe()}")

    def _await_ack(self, batch: Batch, number: Any) -> None:
        """Polls until the batch is acknowledged: only `true` is final, `false` may mean "not yet"."""
        if not isinstance(number, int):
            raise SinkError(
                f"{self._name} returned no ackId: enable acknowledgement for the token, or set `ack = false`"
            )
        deadline = time.monotonic() + self._config.ack_timeout
        body = orjson.dumps({"acks": [number]})
        path = f"{_ACK}?channel={self._channel['X-Splunk-Request-Channel']}"
        while time.monotonic() < deadline:
            response = send_request(self._name, batch, lambda: self._client.post(path, body), require_json)
            if response.json().get("acks", {}).get(str(number)) is True:
                return
            time.sleep(_POLL)
        raise DeliveryError(
            f"{self._name}: not acknowledged in {self._config.ack_timeout:g} seconds",
            frozenset(alert.id for alert in batch),
        )


def _code(response: HttpResponse) -> int | None:
    code = response.json().get("code")
    return code if isinstance(code, int) else None


def open_sink(config: Config, context: RunContext) -> SplunkSink:
    """Splunk as a sink."""
    return SplunkSink(config)
