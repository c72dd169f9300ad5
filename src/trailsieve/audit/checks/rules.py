"""Whether a rule of a trailsieve configuration covers the control, and a sink takes its alerts."""

from __future__ import annotations

from dataclasses import replace

from trailsieve.audit import coverage
from trailsieve.audit.checks.metric_filters import judge
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.model import Alert

_READ_BY_NOBODY = ("stdout", "files", "memory")


def rules(target: AuditTarget) -> list[AuditTarget]:
    """A target for each rule that seems meant for the control."""
    assert target.config
    return [
        replace(target, rule=rule)
        for rule in target.config.rules
        if not rule.sequence and coverage.concerns(target.control, rule.pattern)
    ]


def no_rule(target: AuditTarget) -> Link:
    """The link if no rule seems meant for the control."""
    assert target.config
    name, checked = target.config.name, len(target.config.rules)
    message = f"no rule of {name} is for this control ({checked} checked)"
    return Link("fail", message, remediation=f'[[rules]]\npack = "cis-aws"   # in {name}')


def check_rule(target: AuditTarget) -> Link:
    """Whether the rule is enabled and matches everything the control requires, less its exceptions."""
    rule, control = target.rule, target.control
    assert rule
    if not rule.enabled:
        return Link("fail", f"rule {rule.id} is disabled")
    link = judge(f"rule {rule.id}", control, rule.pattern)
    if link.verdict != "pass":
        return link
    for exception in rule.exceptions:
        if coverage.covers(control, exception.pattern):
            message = f"an exception of rule {rule.id} excludes every event: {exception.reason}"
            return Link("fail", message)
        if lost := next(filter(exception.pattern.matches, control.readings[0].match), ""):
            message = f"an exception of rule {rule.id} excludes events that the control requires"
            return Link("unknown", message, (f"reason: {exception.reason}",), lost)
    shown = tuple(f"exception: {one.pattern.text} ({one.reason})" for one in rule.exceptions)
    return replace(link, evidence=(*link.evidence, *shown))


def check_sink(target: AuditTarget) -> Link:
    """Whether a sink that somebody reads takes the rule's alerts."""
    rule, config = target.rule, target.config
    assert rule
    assert config
    alert = Alert(
        id="",
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        kind="match" if rule.alarm is None else "alarm",
        time=None,
        account=target.account,
        region=None,
        count=1,
        tags=rule.tags,
    )
    sinks = [sink for sink in config.sinks if sink.takes(alert)]
    if not sinks:
        return Link("fail", f"no sink takes alerts of rule {rule.id} (severity {rule.severity})")
    read = [sink.name for sink in sinks if sink.kind not in _READ_BY_NOBODY]
    if not read:
        names = ", ".join(sink.name for sink in sinks)
        return Link("unknown", f"alerts only go to {names}, which may or may not be read by a person")
    return Link("pass", f"alerts go to {', '.join(read)}")
