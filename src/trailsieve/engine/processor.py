"""What is in one message: the part of an epoch that needs no order and no state, so any process can do it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.metric import Tally, sample_of
from trailsieve.engine.alerts import alert_of
from trailsieve.engine.decode import Decoded, Decoder
from trailsieve.engine.matcher import Matcher
from trailsieve.model import Alert, Match, Message, Problem
from trailsieve.rules.rule import Rule
from trailsieve.times import seconds_of


class Findings(Struct):
    """What a message held.

    Attributes:
        alerts: of matches of rules without an alarm.
        samples: what matches of rules with one add to their metrics.
        misses: by rule with a `metric.default` and start of a period, records that did not match.
        newest: the newest event time in seconds, when any rule has an alarm.
        excepted: by rule and reason, matches that an exception hides.
        expired: the same for exceptions that no longer apply; these matches count.
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
    samples: list[Sample] = []
    misses: dict[str, dict[int, int]] = {}
    newest: int | None = None
    excepted: dict[str, dict[str, int]] = {}
    expired: dict[str, dict[str, int]] = {}


class Examiner:
    """Decodes and matches messages."""

    def __init__(self, decoder: Decoder, matcher: Matcher) -> None:
        self._decoder = decoder
        self._matcher = matcher
        alarmed = [rule for rule in matcher.rules if rule.alarm]
        self._timed = bool(alarmed)
        self._with_default = [rule for rule in alarmed if rule.metric.default is not None]

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
        findings = Findings(files=int(decoded.lines <= 1), size=size)
        tally = Tally(self._with_default) if self._timed else None
        for found in self._matcher.match(decoded, tally.saw if tally else None):
            if isinstance(found, Problem):
                findings.problems.append(found)
            else:
                self._take(found, findings, tally)
        findings.problems += decoded.problems
        findings.records = decoded.records
        if tally:
            findings.newest = tally.newest
            for rule in self._with_default:
                assert rule.alarm is not None
                findings.misses[rule.id] = tally.misses(rule.id, rule.alarm.period)
        return findings

    @staticmethod
    def _take(match: Match, findings: Findings, tally: Tally | None) -> None:
        """An alert, or a sample, or nothing when an exception hides it."""
        rule: Rule = match.rule
        alert = alert_of(match)
        if tally:
            tally.hit(rule.id, alert.time)
        seconds = seconds_of(alert.time)
        if rule.exceptions and _is_excepted(match, seconds, findings):
            return
        if rule.alarm is None:
            findings.alerts.append(alert)
        elif seconds is None:
            reason = f"a record without a time of its own: the alarm of rule {rule.id} cannot count it"
            findings.problems.append(Problem(alert.position, reason, text=match.record.text, warning=True))
        else:
            findings.samples.append(sample_of(match, alert, seconds))


def _is_excepted(match: Match, seconds: int | None, findings: Findings) -> bool:
    """Whether an exception hides a match. Its expiry is about event time, so a replay says the same."""
    rule: Rule = match.rule
    for exception in rule.exceptions:
        if exception.pattern.matches(match.record.text):
            applies = exception.expires is None or (seconds is not None and seconds < exception.expires)
            counts = (findings.excepted if applies else findings.expired).setdefault(rule.id, {})
            counts[exception.reason] = counts.get(exception.reason, 0) + 1
            if applies:
                return True
    return False
