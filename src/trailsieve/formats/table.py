"""One line per alert, in columns, for terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trailsieve.formats import alert_fields
from trailsieve.formats.columns import Column, Layout, head, principal, whole
from trailsieve.model import Alert, Severity

FAILED = " ✗"


def event(text: str, width: int) -> str:
    """The name of an event, of which an ellipsis leaves the mark of a failure."""
    name = text.removesuffix(FAILED)
    return head(name, width) if name == text else head(name, width - len(FAILED)) + FAILED


# Rank 0: an alert without its time, severity or rule is of no use.
_TIME = Column("TIME", 20, 20)
_SEVERITY = Column("SEVERITY", 8, 8, fit=whole)
# What the sentence of an alarm stands in place of, each with what it shows of a match.
_OF_MATCHES: tuple[tuple[Column, Callable[[Alert], str | None]], ...] = (
    (Column("EVENT", 10, 30, 1, event, enough=18), lambda alert: alert.event_name),
    (Column("TARGET", 14, 40, 3, enough=16), alert_fields.target_names),
    (Column("PRINCIPAL", 10, 40, 2, principal, enough=14), lambda alert: alert.principal),
    (Column("SOURCE", 15, 16, 4), lambda alert: alert.source_ip),
    (Column("ERROR", 12, 28, 5), lambda alert: alert.error_code or ""),
)
_ID_CELLS = 32  # a longer id takes room from its own line only


class AlertTable:
    """Alerts on lines of at most `width` cells; without a width, as wide as the columns wish.

    Args:
        ids: the ids of the rules, which are never cut.
        paint: adds the colour of a severity to a text.
    """

    def __init__(
        self,
        width: int | None = None,
        ids: Iterable[str] = (),
        paint: Callable[[Severity, str], str] = lambda severity, text: text,
    ) -> None:
        longest = min(max(map(len, ids), default=0), _ID_CELLS)
        rule = Column("RULE", max(longest, 4), max(longest, 4), fit=whole)
        self._layout = Layout([_TIME, _SEVERITY, rule, *(column for column, _ in _OF_MATCHES)], width)
        self._shows_errors = self._layout.widths[-1] > 0
        self._paint = paint

    def header(self) -> bytes:
        """The titles of the columns."""
        return self._layout.header().encode()

    def encode(self, alert: Alert) -> bytes:
        """Time, severity, rule, event, target, principal, source and error; for an alarm its sentence."""
        severity = "info" if alert.severity == "informational" else alert.severity
        texts = [alert.time or "-", severity, alert.rule]
        if alert.kind == "alarm":
            texts.append(alert_fields.summary(alert))
        else:
            name, *others = (get(alert) for _, get in _OF_MATCHES)
            mark = FAILED if alert.error_code and not self._shows_errors else ""
            texts += [(name or "-") + mark, *("-" if text is None else text for text in others)]
        line = self._layout.line(texts, lambda n, cell: self._paint(alert.severity, cell) if n == 1 else cell)
        return line.encode("utf-8", "replace")
