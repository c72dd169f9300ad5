"""One line per alert, in columns, for terminals."""

from __future__ import annotations

from collections.abc import Sequence

from trailsieve import arn
from trailsieve.errors import shorten, tail
from trailsieve.formats import alert_fields
from trailsieve.model import Alert

_GAP = "  "
_TITLES = ("TIME", "SEVERITY", "RULE", "EVENT", "PRINCIPAL", "SOURCE", "ERROR")
WIDTHS = (20, 8, 20, 30, 44, 16, 40)  # on a wide terminal
# Columns that shrink, in this order, and their smallest width; 0 drops the column.
_NARROW = ((4, 20), (6, 14), (3, 18), (2, 14), (6, 0), (5, 0), (1, 0))
_EVENT, _PRINCIPAL, _ERROR = 3, 4, 6
_SENTENCE = 3  # the first column that an alarm's sentence replaces


def header(widths: tuple[int, ...] = WIDTHS) -> bytes:
    """The header line."""
    return _joined(_TITLES, widths)


def encode(alert: Alert, widths: tuple[int, ...] = WIDTHS) -> bytes:
    """Time, severity, rule, event, principal, source and error in columns; for an alarm, its sentence."""
    severity = "info" if alert.severity == "informational" else alert.severity
    first = (alert.time or "-", severity, alert.rule)
    if alert.kind == "alarm":
        rest = sum(widths[_SENTENCE:]) + len(_GAP) * sum(width > 0 for width in widths[_SENTENCE + 1 :])
        return _joined((*first, alert_fields.summary(alert)), (*widths[:_SENTENCE], rest))
    principal = tail(_short_principal(alert.principal or "-"), widths[_PRINCIPAL])
    failed = " ✗" if alert.error_code and not widths[_ERROR] else ""
    event = shorten(alert.event_name or "-", max(1, widths[_EVENT] - len(failed))) + failed
    last = (event, principal, alert.source_ip or "-", alert.error_code or "")
    return _joined((*first, *last), widths)


def column_widths(width: int) -> tuple[int, ...]:
    """Column widths for lines of at most `width` cells; 0 means no such column."""
    widths = list(WIDTHS)
    for column, least in _NARROW:
        missing = _total(widths) - width
        if missing > 0:
            widths[column] = max(least, widths[column] - missing) if least else 0
    for column in (_PRINCIPAL, _EVENT):  # share what is left
        widths[column] += max(0, min(width - _total(widths), WIDTHS[column] - widths[column]))
    return tuple(widths)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (sum(width > 0 for width in widths) - 1)


def _short_principal(principal: str) -> str:
    """An ARN without its prefix: `111122223333:user/mia`."""
    parts = arn.parse(principal)
    return f"{parts.account}:{parts.resource}" if parts.resource else principal


def _joined(cells: tuple[str, ...], widths: tuple[int, ...]) -> bytes:
    padded = (shorten(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True) if width)
    return _GAP.join(padded).rstrip().encode("utf-8", "replace")
