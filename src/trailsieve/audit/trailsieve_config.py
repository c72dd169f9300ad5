"""The other road: a trailsieve configuration that reads the trail, with a rule for the control and a sink."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trailsieve import arn
from trailsieve.audit import coverage, remediation
from trailsieve.audit import trail as trail_links
from trailsieve.audit.cloudwatch import pattern_link
from trailsieve.audit.model import Link, Road, best
from trailsieve.audit.threshold import threshold
from trailsieve.audit.trail import Place
from trailsieve.cloudwatch.snapshot import Json
from trailsieve.model import Alert
from trailsieve.rules.rule import Rule

_LIKE = 0.2  # a rule that is less like a control is not meant for it
_NOT_SEEN = ("that trailsieve runs with it, and keeps up, is not seen from here",)
_READ_BY_NOBODY = ("stdout", "files", "memory")


@dataclass(frozen=True, slots=True)
class Sink:
    """A sink of the configuration; `takes` says whether an alert goes to it."""

    name: str
    kind: str
    takes: Callable[[Alert], bool]


@dataclass(frozen=True, slots=True)
class Siem:
    """What the audit needs of a trailsieve configuration.

    Attributes:
        name: the configuration's file.
        kind: that of its source, with the source's settings.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    rules: tuple[Rule, ...]
    sinks: tuple[Sink, ...]


def road(place: Place, siem: Siem) -> Road:
    """The best road through the configuration."""
    return best(_roads(place, siem))


def _roads(place: Place, siem: Siem) -> Iterator[Road]:
    for begun, trail in trail_links.roads(place, "siem"):
        if begun.verdict == "fail" or not trail:
            yield begun
            continue
        with_source = begun.then(_source(place, siem, trail))
        if with_source.verdict == "fail":
            yield with_source
        else:
            yield from _through_rules(place, siem, with_source)


# --- source ---


def _source(place: Place, siem: Siem, trail: Json) -> Link:
    """Whether the configuration's source has the trail's events in it."""
    if siem.kind == "s3":
        return _bucket(place, siem.settings, trail)
    if siem.kind == "sqs":
        return _queue(place, siem.settings, trail)
    reads = f"source {siem.kind} of {siem.name}"
    said = f"{reads}: whether all events of trail {trail.get('Name')} reach it cannot be told from here"
    group = arn.log_group(trail.get("CloudWatchLogsLogGroupArn"))
    look = {"log_group_name": group, "region": str(trail["HomeRegion"])}
    show = remediation.command("logs", "describe-subscription-filters", **look) if group else ""
    return Link("source", "unknown", said, mend=show if siem.kind == "kinesis" else "")


def _bucket(place: Place, settings: Mapping[str, Any], trail: Json) -> Link:
    url, own = str(settings.get("url")), str(trail.get("S3BucketName"))
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if bucket != own:
        return Link("source", "fail", f"it reads bucket {bucket}, and the trail writes to {own}")
    if not _above(prefix, str(trail.get("S3KeyPrefix") or ""), place.account):
        return Link("source", "fail", f"{url} is only a part of what the trail writes, or beside it")
    accounts, regions = settings.get("accounts") or (), settings.get("regions") or ()
    if regions or (accounts and place.account not in accounts):
        return Link("source", "fail", f"it reads {', '.join((*accounts, *regions))} only")
    if settings.get("until") or not settings.get("poll_interval"):
        return Link(
            "source", "unknown", f"it reads {url} once and ends: whether it runs again cannot be told"
        )
    return Link("source", "pass", f"it reads {url}, where the trail writes to", _NOT_SEEN)


def _above(prefix: str, trail_prefix: str, account: str) -> bool:
    """Whether a prefix holds all CloudTrail files of an account of a trail."""
    base = f"{trail_prefix.strip('/')}/AWSLogs/".lstrip("/")
    return base.startswith(prefix) or bool(
        re.fullmatch(rf"{re.escape(base)}(o-\w+/)?({account}/?(CloudTrail/?)?)?", prefix)
    )


def _queue(place: Place, settings: Mapping[str, Any], trail: Json) -> Link:
    """Whether the trail's own topic tells the queue; notices of S3 itself are not looked into."""
    url, bucket = str(settings.get("queue_url")), str(trail.get("S3BucketName"))
    account, _, name = url.partition("://")[2].partition("/")[2].partition("/")
    topic = arn.parse(trail.get("SnsTopicARN"))
    answer = place.snapshot.answer(place.account, topic.region, "list-subscriptions-by-topic", topic.resource)
    for one in answer.items("Subscriptions") if topic.resource else ():
        queue = arn.parse(one.get("Endpoint"))
        if (queue.service, queue.account, queue.resource) == ("sqs", account, name):
            said = f"topic {topic.resource} of the trail tells queue {name}"
            return Link("source", "pass", said, _NOT_SEEN)
    said = f"whether bucket {bucket} tells queue {name} of new files cannot be told from here"
    show = remediation.command("s3api", "get-bucket-notification-configuration", bucket=bucket)
    return Link("source", "unknown", said, mend=show)


# --- rules and sinks ---


def _through_rules(place: Place, siem: Siem, begun: Road) -> Iterator[Road]:
    control, mended = place.control, f'[[rules]]\npack = "cis-aws"   # in {siem.name}'
    found = False
    for rule in siem.rules:
        if coverage.meant(control, rule.pattern) <= _LIKE and not coverage.covers(control, rule.pattern):
            continue
        found = True
        related = coverage.relate(control, rule.pattern)
        link = replace(pattern_link(f"rule {rule.id}", rule.pattern, related), name="rule")
        if link.verdict == "pass":
            link = _excepted(place, rule, link)
        if not rule.enabled:
            link = Link("rule", "fail", f"rule {rule.id} is switched off")
        road = begun.then(link)
        yield road if road.verdict == "fail" else _through_sinks(place, siem, rule, road)
    if not found:
        said = f"no rule of {siem.name} is about this control ({len(siem.rules)} looked at)"
        yield begun.then(Link("rule", "fail", said, mend=mended))


def _excepted(place: Place, rule: Rule, link: Link) -> Link:
    """The link of a rule that covers the control, with what its exceptions take away."""
    for exception in rule.exceptions:
        if coverage.covers(place.control, exception.pattern):
            return Link("rule", "fail", f"an exception of rule {rule.id} takes all away: {exception.reason}")
        lost = next(filter(exception.pattern.matches, place.control.readings[0].match), "")
        if lost:
            said = f"an exception of rule {rule.id} leaves out events that the control asks for"
            return Link("rule", "unknown", said, (f"its reason: {exception.reason}",), lost)
    told = tuple(f"exception: {one.pattern.text} ({one.reason})" for one in rule.exceptions)
    return replace(link, evidence=(*link.evidence, *told))


def _through_sinks(place: Place, siem: Siem, rule: Rule, road: Road) -> Road:
    road = road.then(_alarm(rule))
    return road if road.verdict == "fail" else road.then(_sink(place, siem, rule))


def _alarm(rule: Rule) -> Link:
    alarm, metric = rule.alarm, rule.metric
    if alarm is None:
        return Link("threshold", "pass", "each match raises an alert")
    if "ALARM" not in alarm.notify:
        return Link("threshold", "fail", f"rule {rule.id} raises no alert when it goes to ALARM")
    value = metric.value if isinstance(metric.value, int | float) else None
    return threshold(alarm, value, metric.default)


def _sink(place: Place, siem: Siem, rule: Rule) -> Link:
    alert = Alert(
        id="",
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        kind="match" if rule.alarm is None else "alarm",
        time=None,
        account=place.account,
        region=None,
        count=1,
        tags=rule.tags,
    )
    taking = [sink for sink in siem.sinks if sink.takes(alert)]
    if not taking:
        said = f"no sink takes alerts of rule {rule.id} (severity {rule.severity})"
        return Link("sink", "fail", said)
    read = [sink for sink in taking if sink.kind not in _READ_BY_NOBODY]
    if not read:
        names = ", ".join(sink.name for sink in taking)
        return Link("sink", "unknown", f"alerts only go to {names}: whether a person reads it cannot be told")
    return Link("sink", "pass", f"alerts go to {', '.join(sink.name for sink in read)}")
