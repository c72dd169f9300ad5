"""The native format: one JSON object per alert, with the exact text of original records."""

from __future__ import annotations

import msgspec
import orjson

from trailsieve.formats import alert_fields
from trailsieve.model import Alert

MAX_RECORDS = 10  # per alert; the others are only counted
_ONLY_IF_SET = ("provisional", "replaces", "confirms")
_BREAKS = bytes.maketrans(b"\r\n", b"  ")


def encode(alert: Alert) -> bytes:
    """The alert as one line of JSON, without a newline; its fields are those of `Alert`, in that order.

    What tells how a provisional alert was settled is there only where it applies.
    """
    shown = msgspec.structs.asdict(alert)
    for name in _ONLY_IF_SET:
        if not shown[name]:
            del shown[name]
    shown["targets"] = alert_fields.targets(alert)
    shown["records"] = [orjson.Fragment(one_line(text)) for text in alert.records[:MAX_RECORDS]]
    shown["records_omitted"] = max(0, alert.count - len(shown["records"]))
    return orjson.dumps(shown, default=msgspec.to_builtins)


def one_line(text: bytes) -> bytes:
    """JSON text on one line of valid UTF-8: outside strings, line breaks are whitespace."""
    line = text.translate(_BREAKS) if b"\n" in text or b"\r" in text else text
    return line if line.isascii() else line.decode("utf-8", "replace").encode()
