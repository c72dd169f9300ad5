"""Datadog logs: 5 MB and 1,000 logs per request, 1 MB per log (docs.datadoghq.com/api/latest/logs).

Datadog truncates logs over 1 MB and may drop logs older than 18 hours, both without an error: alerts are
shortened to fit, and the log warns about old ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import orjson

from trailsieve.errors import SinkError
from trailsieve.formats import alert_fields, native
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.secret import Secret
from trailsieve.sinks.acknowledgement import require_status
from trailsieve.sinks.batching import Batch, Encoded, send_batches, send_request
from trailsieve.wire.http import Client, HttpConfig, HttpUrl, UnreachableError

_PATH = "/api/v2/logs"
_MAX_BYTES, _MAX_COUNT, _MAX_LOG = 5_000_000 - 2, 1000, 1_000_000
_OLDEST = timedelta(hours=18)
_STATUS = {
    "informational": "info",
    "low": "notice",
    "medium": "warning",
    "high": "error",
    "critical": "critical",
}


class Config(HttpConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        api_key: an API key of the organisation.
        site: datadoghq.com, datadoghq.eu, us3.datadoghq.com and so on.
        url: the log intake, if it is not the site's own.
        service: the `service` of the logs.
        tags: added to every log, such as `["env:prod"]`.
    """

    api_key: Secret
    site: str = "datadoghq.com"
    url: HttpUrl | None = None
    service: str = "trailsieve"
    tags: tuple[str, ...] = ()


class DatadogSink:
    """Sends alerts as arrays of logs."""

    overwrites = False

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self._config = config
        self._say = say
        self._warned = False
        headers = {"DD-API-KEY": config.api_key, "Content-Type": "application/json"}
        self._client = Client(config.url or f"https://http-intake.logs.{config.site}", config, headers)
        self._name = f"datadog {self._client.host}"

    def deliver(self, alerts: Sequence[Alert]) -> None:
        send_batches(map(self._encoded, alerts), self._send, _MAX_BYTES, _MAX_COUNT)

    def check(self) -> str:
        """Sends an empty array: the response is 202 or 400 if the key is valid, else 403."""
        try:
            response = self._client.post(_PATH, b"[]")
        except UnreachableError as error:
            raise SinkError(f"{self._name}: {error}") from None
        if response.status not in (200, 202, 400):
            raise SinkError(f"{self._name} {response.describe()}; is `api_key` one of `site`?")
        return f"{self._client.host} accepts the key"

    def close(self) -> None:
        self._client.close()

    def _encoded(self, alert: Alert) -> Encoded:
        return Encoded(alert.id, encode_within(alert, self._log, _MAX_LOG))

    def _log(self, alert: Alert) -> bytes:
        time = alert_fields.event_time(alert)
        if not self._warned and datetime.now(UTC) - time > _OLDEST:
            self._warned = True
            self._say(f"{self._name}: Datadog may drop alerts older than 18 hours, such as {alert.id}")
        tags = [*self._config.tags, f"rule:{alert.rule}", f"severity:{alert.severity}", f"kind:{alert.kind}"]
        return orjson.dumps(
            {
                "ddsource": "trailsieve",
                "ddtags": ",".join(tag.replace(",", "_") for tag in tags),
                "hostname": alert.account or "trailsieve",
                "service": self._config.service,
                "status": _STATUS[alert.severity],
                "timestamp": alert_fields.epoch_milliseconds(time),
                "message": alert_fields.summary(alert),
                "trailsieve": orjson.Fragment(native.encode(alert)),
            }
        )

    def _send(self, batch: Batch) -> None:
        body = b"[" + b",".join(log.body for log in batch) + b"]"
        send_request(self._name, batch, lambda: self._client.post(_PATH, body), partial(require_status, 202))


def open_sink(config: Config, context: RunContext) -> DatadogSink:
    """Datadog as a sink."""
    return DatadogSink(config, context.info)
