"""Alerts in a Kafka topic, in the native format, each under its id as the key.

The producer is idempotent: its own retries write nothing twice. After a longer outage an alert may be written
again; a compacted topic keeps one a key. Each write is waited for: an empty buffer proves nothing.
Source: kafka-python.readthedocs.io/en/master/apidoc/KafkaProducer.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from trailsieve.errors import DeliveryError, SinkError, shorten
from trailsieve.formats import native
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.wire.kafka import KafkaConfig, python_options

_OVERHEAD = 1024  # bytes of a request beside the alert


class Config(KafkaConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        topic: where alerts are written; it must exist.
        max_bytes: of one alert; greater ones lose their records. The broker's message.max.bytes is as great.
        timeout: seconds until an alert must be acknowledged by all replicas in sync.
        compression: of batches, none when not given.
    """

    topic: str
    max_bytes: int = 1_000_000
    timeout: float = 30.0
    compression: Literal["gzip"] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.client == "confluent":
            raise ValueError("the sink writes with kafka-python: leave `client` out")


class KafkaSink:
    """Writes, and waits for each acknowledgement."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._name = f"kafka {config.bootstrap_servers[0]} topic {config.topic}"
        self._producer: Any = None

    def deliver(self, alerts: Sequence[Alert]) -> None:
        failed = self._write(alerts)
        suspects = [alert for alert in alerts if isinstance(failed.get(alert.id), _too_large())]
        if suspects and len(alerts) > 1:
            # For one alert that is too large a broker refuses its batch, and the client, from then on,
            # whatever follows: each by itself, then, and after a failure with a new client.
            self._forget()
            for alert in suspects:
                del failed[alert.id]
                if alone := self._write([alert]):
                    failed |= alone
                    self._forget()
        if failed:
            self._raise_failed(failed)

    def _write(self, alerts: Sequence[Alert]) -> dict[str, Exception]:
        """Writes all and waits; returns what became of those that are not acknowledged."""
        from kafka.errors import KafkaError

        written: list[tuple[Alert, Any]] = []
        failed: dict[str, Exception] = {}
        try:
            producer = self._opened()
            for alert in alerts:
                value = encode_within(alert, native.encode, self._config.max_bytes - _OVERHEAD)
                written.append(
                    (alert, producer.send(self._config.topic, value, alert.id.encode(), _headers(alert)))
                )
            producer.flush(self._config.timeout)
        except KafkaError as error:
            failed |= {alert.id: error for alert in alerts[len(written) :]}
        for alert, future in written:
            try:
                future.get(self._config.timeout)
            except KafkaError as error:
                failed[alert.id] = error
        return failed

    def check(self) -> str:
        from kafka.errors import KafkaError

        try:
            partitions = self._opened().partitions_for(self._config.topic)
        except KafkaError as error:
            raise SinkError(self._message_of(error)) from None
        if not partitions:
            raise SinkError(f"{self._name}: there is no such topic; make it first")
        return f"{self._name} has {len(partitions)} partitions"

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=self._config.timeout)
            self._producer = None

    def _opened(self) -> Any:
        """The producer; it is made when it is needed, for a broker that is down is no reason not to start."""
        if self._producer is None:
            from kafka import KafkaProducer

            limit = int(self._config.timeout * 1000)
            self._producer = KafkaProducer(
                **python_options(self._config),
                client_id="trailsieve",
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                bootstrap_timeout_ms=min(limit, 10_000),
                max_block_ms=limit,
                request_timeout_ms=min(limit, 10_000),
                delivery_timeout_ms=limit + 5,
                max_request_size=self._config.max_bytes + 64 * 1024,
                compression_type=self._config.compression,
            )
        return self._producer

    def _raise_failed(self, failed: dict[str, Exception]) -> None:
        from kafka import errors as known

        person = (
            known.AuthorizationError,
            known.SaslAuthenticationFailedError,
            known.InvalidTopicError,
        )
        refused = {
            i: self._message_of(error) for i, error in failed.items() if isinstance(error, _too_large())
        }
        again = frozenset(failed.keys() - refused.keys())
        error = next((failed[i] for i in again), None) or next(iter(failed.values()))
        if isinstance(error, person):
            raise SinkError(self._message_of(error))
        if again:
            self._forget()  # a producer that failed may never again be in order with the broker
        raise DeliveryError(self._message_of(error), again, refused)

    def _forget(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=0)
            self._producer = None

    def _message_of(self, error: Exception) -> str:
        return f"{self._name}: {type(error).__name__.removesuffix('Error')}: {shorten(str(error), 200)}"


def _too_large() -> tuple[type[Exception], ...]:
    from kafka import errors as known

    return known.MessageSizeTooLargeError, known.RecordListTooLargeError, known.InvalidRecordError


def _headers(alert: Alert) -> list[tuple[str, bytes]]:
    """What a consumer may sort by without reading the alert."""
    return [("rule", alert.rule.encode()), ("severity", alert.severity.encode())]


def open_sink(config: Config, context: RunContext) -> KafkaSink:
    """A topic as a sink."""
    return KafkaSink(config)
