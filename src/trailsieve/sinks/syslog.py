"""Alerts as syslog messages (RFC 5424) over UDP (RFC 5426), TCP (RFC 6587, octets counted) or TLS (RFC 5425).

Syslog has no acknowledgements: messages in flight are lost when a connection breaks. So the messages of the
last `replay` seconds are sent again on the next connection, under the same ids. Only messages written just
before this machine itself crashes can still be lost.
"""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from trailsieve.errors import DeliveryError, counted, visible
from trailsieve.formats import cef, leef, native
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert, Severity
from trailsieve.ports import RunContext
from trailsieve.sinks.syslog_transport import SyslogTransport, TransportConfig

_FORMATS: dict[str, Callable[[Alert], bytes]] = {
    "native": native.encode,
    "cef": cef.encode,
    "leef": leef.encode,
}
# RFC 5424, table 2
_LEVELS: dict[Severity, int] = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ESCAPED = re.compile(r'(["\\\]])')
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # without the tab, which separates LEEF fields
# 32473 is the enterprise number that RFC 5612 reserves for examples.
_SD_ID = "trailsieve@32473"
_SD_LONGEST = 256  # characters of one value


class Config(TransportConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        format: the format of the message: native (JSON), cef or leef.
        facility: 0 to 23; 13 is the audit log, 16 to 23 are local0 to local7.
        hostname: the host name in the header; the default is this machine's.
        max_bytes: of one message. Receivers must accept 2,048 and should accept 8,192 (RFC 5425); rsyslog
            truncates at its maxMessageSize, 8k. A longer alert is sent without records, then with cut texts.
        replay: seconds of messages to send again after a broken connection.
    """

    format: Literal["native", "cef", "leef"] = "native"
    facility: int = 13
    hostname: str = ""
    max_bytes: int = 8192
    replay: float = 30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.facility <= 23:
            raise ValueError("`facility` must be between 0 and 23")
        if self.max_bytes < 480:
            raise ValueError("`max_bytes` must be at least 480, which every receiver accepts (RFC 5424)")


class _Sent(Struct):
    at: float
    frame: bytes


class SyslogSink:
    """Sends messages over one connection, which is opened on first use and reopened when it breaks."""

    overwrites = False

    def __init__(self, config: Config, context: RunContext) -> None:
        self._config = config
        self._context = context
        self._connection = SyslogTransport(config)
        self._host = _token(config.hostname or socket.gethostname(), 255)
        self._recent: deque[_Sent] = deque(maxlen=10_000)

    def deliver(self, alerts: Sequence[Alert]) -> None:
        refused: dict[str, str] = {}
        frames = []
        for alert in alerts:
            message = self.message(alert)
            if len(message) <= self._config.max_bytes:
                frames.append(self._frame(message))
            else:
                refused[alert.id] = f"even shortened it has {len(message):,} bytes: raise `max_bytes`"
        if frames:
            self._send(frames, alerts, refused)
        if refused:
            raise DeliveryError(next(iter(refused.values())), frozenset(), refused)

    def check(self) -> str:
        return self._connection.check()

    def close(self) -> None:
        self._connection.close()
        self._recent.clear()  # after an orderly close nothing is in flight

    def message(self, alert: Alert) -> bytes:
        """The whole message: header, structured data and payload, without control characters."""
        header = self._header(alert)
        room = self._config.max_bytes - len(header)
        body = encode_within(alert, self._encode, room)
        return header + (body if len(body) <= room else self._encode(_minimal(alert)))

    def _encode(self, alert: Alert) -> bytes:
        """The payload without control characters, which some relays treat as line ends."""
        body = _FORMATS[self._config.format](alert)
        if self._config.format == "native":
            return body.replace(b"\x7f", b"\\u007f")  # JSON escapes all others already
        return _CONTROLS.sub(b" ", body)

    def _header(self, alert: Alert) -> bytes:
        priority = self._config.facility * 8 + _LEVELS[alert.severity]
        time = alert.time if alert.time and _TIME.fullmatch(alert.time) else "-"
        values = {"id": alert.id, "rule": alert.rule, "severity": alert.severity, "account": alert.account}
        data = "".join(f' {name}="{_value(text)}"' for name, text in values.items() if text)
        head = f"<{priority}>1 {time} {self._host} trailsieve - {_token(alert.kind, 32)} [{_SD_ID}{data}] "
        return head.encode("utf-8", "replace")

    def _frame(self, message: bytes) -> bytes:
        return message if self._config.transport == "udp" else b"%d %b" % (len(message), message)

    def _send(self, frames: Sequence[bytes], alerts: Sequence[Alert], refused: dict[str, str]) -> None:
        everything = frozenset(alert.id for alert in alerts) - refused.keys()
        connection = self._connection
        try:
            if not connection.is_alive() and self._recent and connection.stream:
                again = [sent.frame for sent in self._recent]
                connection.send(again)
                self._context.info(
                    f"syslog {connection.name}: the connection broke; "
                    f"sent {counted(len(again), 'message')} of the last {self._config.replay:g} s again"
                )
            connection.send(frames)
        except OSError as error:
            connection.close()
            reason = f"syslog {connection.name}: {error.strerror or error}"
            raise DeliveryError(reason, everything, refused) from None
        now = connection.now()
        self._recent.extend(_Sent(now, frame) for frame in frames)
        while self._recent and self._recent[0].at < now - self._config.replay:
            self._recent.popleft()


def _token(text: str, longest: int) -> str:
    """A header field: printable ASCII without spaces, `-` if nothing is left."""
    return "".join(c for c in text if "!" <= c <= "~")[:longest] or "-"


def _value(text: str) -> str:
    """A structured data value, escaped (RFC 5424, 6.3.3); unprintable characters are replaced."""
    return _ESCAPED.sub(r"\\\1", visible(text[:_SD_LONGEST]))


def _minimal(alert: Alert) -> Alert:
    """The alert with only its essential fields, each at most 64 characters long."""
    from msgspec.structs import replace

    few = {
        name: visible(str(text))[:64]
        for name in ("title", "principal", "source_ip", "user_agent", "event_name", "event_source")
        if (text := getattr(alert, name))
    }
    return replace(
        alert, **few, summary="", records=(), tags=(), references=(), dimensions={}, context=None, position=""
    )


def open_sink(config: Config, context: RunContext) -> SyslogSink:
    """A syslog receiver as a sink."""
    return SyslogSink(config, context)
