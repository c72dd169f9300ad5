"""What is in one message: the part of an epoch that needs no order and no state, so any process can do it."""

from __future__ import annotations

from msgspec import Struct

from trailsieve.flow.alert import alert_of
from trailsieve.flow.decode import Decoder
from trailsieve.flow.matcher import Matcher
from trailsieve.model import Alert, Message, Problem


class Findings(Struct):
    """What a message held.

    Attributes:
        files: 1 for an object or the first block of a file of lines, 0 for its other blocks.
        records: how many records there were, those that could not be read included.
        size: bytes after decompression.
    """

    alerts: list[Alert]
    problems: list[Problem]
    files: int
    records: int
    size: int


class Examiner:
    """Decodes and matches messages."""

    def __init__(self, decoder: Decoder, matcher: Matcher) -> None:
        self._decoder = decoder
        self._matcher = matcher

    def examine(self, message: Message) -> Findings:
        """All alerts and problems of one message; never raises for what it holds."""
        decoded = self._decoder.decode(message)
        alerts: list[Alert] = []
        problems: list[Problem] = []
        for found in self._matcher.match(decoded):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                alerts.append(alert_of(found))
        problems += decoded.problems
        return Findings(alerts, problems, int(decoded.lines <= 1), decoded.records, len(decoded.data))
