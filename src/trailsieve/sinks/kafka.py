"""Alerts in a Kafka topic, in the native format, with the alert's id as the key.

The producer is idempotent, so its own retries write no duplicates. After a longer outage an alert may be
written again; a compacted topic keeps one per key. Every record's acknowledgement is awaited: an empty
buffer does not mean that records were written.
Source: kafka-python.readthedocs.io/en/master/apidoc/KafkaProducer.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from trailsieve.errors import DeliveryError, SinkError, counted, shorten
from trailsieve.formats import native
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.wire.kafka import KafkaConfig, python_options

_OVERHEAD = 1024  # bytes of a request besides the alert


class Config(KafkaConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        topic: an existing topic.
        max_bytes: of one alert, at most the broker's message.max.bytes; a larger one loses its records.
        timeout: seconds until all in-sync replicas must have acknowledged an alert.
        compression: of batches.
    """

    topic: str
    max_bytes: int = 1_000_000
    timeout: float = 30.0
    compression: Literal["gzip"] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.client == "confluent":
            raise ValueError("the Kafka sink always uses kafka-python: remove `client`")


class KafkaSink:
    """Writes alerts and awaits every acknowledgement."""

    overwrites = True

    def __init__(self, config: Config) -> None:
        self._config = config
        self._name = f"kafka {config.bootstrap_servers[0]} topic {config.topic}"
        self._producer: Any = None

    def deliver(self, alerts: Sequence[Alert]) -> None:
        failed = self._write(alerts)
        suspects = [alert for alert in alerts if isinstance(failed.get(alert.id), _too_large())]
        if suspects and len(alerts) > 1:
            # A record that is too large makes the broker refuse its whole batch, and the producer fails every
            # later record. So each one is sent alone, with a new producer after each failure.
            self._forget()
            for alert in suspects:
                del failed[alert.id]
                if alone := self._write([alert]):
                    failed |= alone
                    self._forget()
        if failed:
            self._raise_failed(failed)

    def _write(self, alerts: Sequence[Alert]) -> dict[str, Exception]:
        """Writes alerts and returns, by id, the error of each that was not acknowledged."""
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
            raise SinkError(f"{self._name}: the topic does not exist; create it first")
        return f"{self._name} has {counted(len(partitions), 'partition')}"

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=self._config.timeout)
            self._producer = None

    def _opened(self) -> Any:
        """The producer, created on first use: a broker that is down does not keep the run from starting."""
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
            self._forget()  # after a failure its sequence numbers may never match the broker's again
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
    """Headers to route by without decoding the alert."""
    return [("rule", alert.rule.encode()), ("severity", alert.severity.encode())]


def open_sink(config: Config, context: RunContext) -> KafkaSink:
    """A Kafka topic as a sink."""
    return KafkaSink(config)
