"""Whether an alarm can go off when events match: threshold, statistic, missing data, M out of N."""

from __future__ import annotations

import math

from trailsieve.audit.model import Link
from trailsieve.rules.alarm import Alarm

MOST = 100_000  # matching events a minute; no account has so many denied calls


def threshold(alarm: Alarm, value: float | None, default: float | None, mend: str = "") -> Link:
    """The link between a metric and its alarm.

    Args:
        value: what each match counts, None when it is taken from the event.
        default: what each other event counts, None when nothing.
    """
    asked = f"{alarm.statistic} {alarm.comparison} {alarm.threshold:g} over {_span(alarm.period)}"
    wrong = _wrong(alarm, value, default)
    if wrong:
        return Link("threshold", "fail", f"{asked} cannot tell of a match: {wrong}", mend=mend)
    if value is None and alarm.statistic != "SampleCount":
        return Link(
            "threshold", "unknown", f"{asked}: the metric's value is taken from each event", mend=mend
        )
    return Link("threshold", "pass", f"{asked} goes off {_when(alarm, value or 1)}", _remarks(alarm))


def _wrong(alarm: Alarm, value: float | None, default: float | None) -> str:
    """Why it can never go off, or is always on; "" when neither is so."""
    if alarm.comparison in ("<", "<="):
        return "it goes off when there are few matches, not when there are some"
    if alarm.missing == "breaching" and default is None:
        return "missing data counts as breaching, so it is in ALARM before any match and stays there"
    if default is not None and _holds(alarm, default):
        return f"events that do not match count {default:g}, which is enough: it is always in ALARM"
    if default and default > 0 and alarm.statistic == "Sum":
        return f"events that do not match count {default:g} each, which adds up"
    if default is not None and alarm.statistic in ("SampleCount", "Average", "Minimum"):
        return f"events that do not match count too ({default:g} each), which {alarm.statistic} mixes in"
    if value is None:
        return ""
    return _unreachable(alarm, value)


def _unreachable(alarm: Alarm, value: float) -> str:
    if alarm.statistic == "Sum" and value <= 0 and not _holds(alarm, 0):
        return f"each match counts {value:g}, so the sum never rises"
    if alarm.statistic in ("Average", "Minimum", "Maximum") and not _holds(alarm, value):
        return f"each match counts {value:g}, and {alarm.statistic} never exceeds that"
    if alarm.statistic in ("Sum", "SampleCount") and _needed(alarm, value) > MOST * max(1, alarm.period / 60):
        return f"it takes {_needed(alarm, value):,} matches in one period"
    return ""


def _holds(alarm: Alarm, value: float) -> bool:
    return value >= alarm.threshold if alarm.comparison == ">=" else value > alarm.threshold


def _needed(alarm: Alarm, value: float) -> int:
    """Matches in one period that make a datapoint breach."""
    if alarm.statistic not in ("Sum", "SampleCount"):
        return 1
    step = 1 if alarm.statistic == "SampleCount" else value
    if step <= 0:
        return 1
    exact = alarm.threshold / step
    return max(1, math.ceil(exact) if alarm.comparison == ">=" else math.floor(exact) + 1)


def _when(alarm: Alarm, value: float) -> str:
    needed = _needed(alarm, value)
    events = "on the first match" if needed == 1 else f"from {needed} matches in one period"
    if alarm.datapoints_to_alarm == 1:
        return events
    return f"{events}, in {alarm.datapoints_to_alarm} of {alarm.evaluation_periods} periods"


def _span(seconds: int) -> str:
    size, unit = next(((s, u) for s, u in ((3600, "h"), (60, "m")) if seconds % s == 0), (1, "s"))
    return f"{seconds // size}{unit}"


def _remarks(alarm: Alarm) -> tuple[str, ...]:
    if alarm.missing == "ignore":
        return (
            "missing data is ignored: after the first match it stays in ALARM and is silent from then on",
        )
    if alarm.missing == "breaching":
        return ("missing data counts as breaching: it also goes off when no events arrive at all",)
    return ()
