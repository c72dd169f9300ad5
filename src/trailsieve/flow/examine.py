"""What is in one message: the part of an epoch that needs no order and no state, so any process can do it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from trailsieve.flow.alert import alert_of
from trailsieve.flow.decode import Decoded, Decoder
from trailsieve.flow.matcher import Matcher
from trailsieve.model import Alert, Message, Problem


class Findings(Struct):
    """What a message held.

    Attributes:
        files: 1 for an object or the first block of a file of lines, 0 for its other blocks.
        records: how many records there were, those that could not be read included.
        size: bytes after decompression; of messages that were examined together, as they came.
        advice: what the person who runs this ought to know of what comes in; said once.
        notices: messages, or parts of them, that hold no record by design: health checks, test events.
    """

    alerts: list[Alert] = []
    problems: list[Problem] = []
    files: int = 0
    records: int = 0
    size: int = 0
    notices: int = 0
    advice: list[str] = []


class Examiner:
    """Decodes and matches messages."""

    def __init__(self, decoder: Decoder, matcher: Matcher) -> None:
        self._decoder = decoder
        self._matcher = matcher

    def examine(self, message: Message) -> Findings:
        """All alerts and problems of one message; never raises for what it holds."""
        if message.marker:
            return Findings()
        decoded = self._decoder.decode(message)
        return self._findings(decoded, len(decoded.data))

    def together(self, messages: Sequence[Message]) -> Findings:
        """The same for many small messages of a stream at once, in their order."""
        decoded = self._decoder.together(messages)
        findings = self._findings(decoded, decoded.size)
        findings.notices = decoded.notices
        findings.advice = sorted(decoded.advice)
        return findings

    def _findings(self, decoded: Decoded, size: int) -> Findings:
        alerts: list[Alert] = []
        problems: list[Problem] = []
        for found in self._matcher.match(decoded):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                alerts.append(alert_of(found))
        problems += decoded.problems
        return Findings(alerts, problems, int(decoded.lines <= 1), decoded.records, size)
