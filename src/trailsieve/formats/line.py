"""One line an alert for a person's terminal."""

from __future__ import annotations

from trailsieve.errors import shorten
from trailsieve.model import Alert

_COLUMNS = (20, 8, 20, 30, 44, 16, 0)
_SENTENCE = 200


def header() -> bytes:
    """The line above the alerts."""
    return _joined(("TIME", "SEVERITY", "RULE", "EVENT", "PRINCIPAL", "SOURCE", "ERROR"))


def encode(alert: Alert) -> bytes:
    """Time, severity, rule, event, who, from where, and the error, in columns; of an alarm its sentence."""
    severity = "info" if alert.severity == "informational" else alert.severity
    if alert.kind == "alarm":
        return _joined((alert.time or "-", severity, alert.rule, alert.summary), (*_COLUMNS[:3], _SENTENCE))
    return _joined(
        (
            alert.time or "-",
            severity,
            alert.rule,
            alert.event_name or "-",
            _short_principal(alert.principal or "-"),
            alert.source_ip or "-",
            alert.error_code or "",
        )
    )


def _short_principal(principal: str) -> str:
    """An ARN without `arn:aws:iam::`, which says nothing: `111122223333:user/mia`."""
    parts = principal.split(":", 4)
    return parts[4] if len(parts) == 5 and parts[0] == "arn" else principal


def _joined(cells: tuple[str, ...], widths: tuple[int, ...] = _COLUMNS) -> bytes:
    padded = (shorten(cell, width or 40).ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip().encode("utf-8", "replace")
