r"""Common Event Format, version 0: by ArcSight, accepted by most SIEMs over syslog.

`CEF:0|vendor|product|version|rule|title|severity|key=value key=value…`. In the header `\` and `|` are
escaped, in values `\`, `=` and line breaks. Other unprintable characters become U+FFFD, so that no text can
end a line, change the text direction or pass for another field. Source: ArcSight Common Event
Format Implementation Standard, version 26; its length limits apply.
"""

from __future__ import annotations

from collections.abc import Iterator

from trailsieve.errors import visible
from trailsieve.formats import alert_fields
from trailsieve.model import Alert

_HEADER = str.maketrans({"\\": "\\\\", "|": "\\|"})
_VALUE = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})
_LONG, _CUSTOM, _NAME = 1023, 4000, 63  # characters


def encode(alert: Alert) -> bytes:
    """The alert as one line, without a newline."""
    severity = str(alert_fields.SEVERITY_OF_TEN[alert.severity])
    names = (
        alert_fields.PRODUCT,
        alert_fields.PRODUCT,
        alert_fields.FORMAT_VERSION,
        alert.rule,
        alert.title,
        severity,
    )
    header = "|".join(("CEF:0", *(_header(name) for name in names)))
    extension = " ".join(f"{key}={_value(text, limit)}" for key, text, limit in _extension(alert) if text)
    return f"{header}|{extension}".encode("utf-8", "replace")


def _extension(alert: Alert) -> Iterator[tuple[str, str | None, int]]:
    """Key, text and maximum length of every field."""
    time = alert_fields.epoch_milliseconds(alert_fields.event_time(alert))
    start = alert_fields.parse_time(alert.window.start) if alert.window else None
    end = alert_fields.parse_time(alert.window.end) if alert.window else None
    ip = alert_fields.source_ip(alert)
    yield "externalId", alert.id, 40
    yield "rt", str(time), 20
    yield "start", str(alert_fields.epoch_milliseconds(start) if start else time), 20
    yield "end", str(alert_fields.epoch_milliseconds(end) if end else time), 20
    yield "cat", alert.kind, _LONG
    yield "act", alert.event_name, _NAME
    yield "cnt", str(alert.count), 20
    yield "msg", alert_fields.summary(alert), _LONG
    yield "suid", alert.principal, _LONG
    yield "suser", alert_fields.user_name(alert.principal), _LONG
    if ip and ":" in ip:
        yield "c6a2", ip, 40
        yield "c6a2Label", "Source IPv6 Address", _LONG
    elif ip:
        yield "src", ip, 40
    else:
        yield "shost", alert.source_ip, _LONG
    yield "requestClientApplication", alert.user_agent, _LONG
    yield "sourceServiceName", alert.event_source, _LONG
    yield "duser", next(iter(alert_fields.target_users(alert)), None), _LONG
    for number, (label, text) in enumerate(
        (("targets", alert_fields.target_names(alert)), ("effect", alert.effect)), 1
    ):
        if text:
            yield f"flexString{number}", text, _LONG
            yield f"flexString{number}Label", label, 128
    yield "outcome", alert.state or ("failure" if alert.error_code else "success"), _NAME
    yield "reason", alert.error_code, _LONG
    customs = [
        ("account", alert.account),
        ("region", alert.region),
        ("tags", " ".join(alert.tags)),
        ("dimensions", ", ".join(f"{name}={value}" for name, value in sorted(alert.dimensions.items()))),
        ("reference", alert.references[0] if alert.references else None),
        ("certainty", " ".join(f"{name}={text}" for name, text in alert_fields.certainty(alert).items())),
    ]
    for number, (label, text) in enumerate(customs, 1):
        if text:
            yield f"cs{number}", text, _CUSTOM
            yield f"cs{number}Label", label, _LONG


def _header(text: str) -> str:
    return visible(text).translate(_HEADER)


def _value(text: str, limit: int) -> str:
    """`text` escaped, line breaks included."""
    shown = "".join(c if c.isprintable() or c in "\r\n" else visible(c) for c in text[:limit])
    return shown.translate(_VALUE)
