"""Whether an alarm, or a composite alarm over it, notifies a topic that somebody is subscribed to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trailsieve import arn
from trailsieve.audit import remediation
from trailsieve.audit.checks.trails import no_response
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.snapshot import Json

_SUBSCRIPTIONS = "list-subscriptions-by-topic"


def acting_alarms(target: AuditTarget) -> Iterator[AuditTarget]:
    """The alarm itself, then each composite alarm whose rule mentions it."""
    yield replace(target, acting=target.alarm)
    for composite in target.of_log_group("describe-alarms").items("CompositeAlarms"):
        if target.alarm.get("AlarmName") in alarms.mentioned(str(composite.get("AlarmRule"))):
            yield replace(target, acting=composite)


def check_actions(target: AuditTarget) -> Link:
    """Whether the alarm's actions are enabled and notify a topic."""
    alarm, name, actions = target.acting, target.acting.get("AlarmName"), alarms.actions(target.acting)
    if not alarm.get("ActionsEnabled", True):
        fix = remediation.enable_actions(alarm, target.log_group.region)
        return Link("fail", f"the actions of {name} are disabled", remediation=fix)
    if not actions:
        message = f"{name} has no alarm action, so it notifies nobody"
        return Link("fail", message, remediation=remediation.put_alarm(target))
    if not _acts_for(alarm, target.alarm):
        message = f"{name} includes {target.alarm.get('AlarmName')}, but has more conditions than that"
        return Link("unknown", message, (f"AlarmRule: {alarm.get('AlarmRule')}",))
    notified = _topics(alarm)
    if not notified:
        return Link("unknown", f"{name} invokes {', '.join(actions)}, which may or may not notify a person")
    if suppressor := alarm.get("ActionsSuppressor"):
        return Link("unknown", f"the actions of {name} are suppressed while {suppressor} is in ALARM")
    names = ", ".join(arn.parse(topic).resource for topic in notified)
    return Link("pass", f"{name} notifies topic {names}", tuple(notified))


def topics(target: AuditTarget) -> list[AuditTarget]:
    """A target for each topic that the alarm notifies."""
    return [replace(target, topic=topic) for topic in _topics(target.acting)]


def check_subscription(target: AuditTarget) -> Link:
    """Whether the topic has a confirmed subscription."""
    topic, parts = target.topic, arn.parse(target.topic)
    name = parts.resource
    response = target.snapshot.response(target.log_group.account, parts.region, _SUBSCRIPTIONS, name)
    if response.not_found:
        fix = remediation.change_topic("create-topic", topic, name=name or "TOPIC")
        return Link("fail", f"topic {name} does not exist", (topic,), remediation=fix)
    if not response.ok:
        return no_response(_SUBSCRIPTIONS, response)
    every = response.items("Subscriptions")
    found = [one for one in every if one.get("TopicArn", topic) == topic]
    if every and not found:
        return Link("unknown", f"the response is not about topic {name}")
    return _confirmed(topic, found)


def _confirmed(topic: str, subscriptions: list[Json]) -> Link:
    name, states = arn.parse(topic).resource, [str(one.get("SubscriptionArn")) for one in subscriptions]
    evidence = tuple(
        f"{one.get('Protocol')} {one.get('Endpoint')}: {one.get('SubscriptionArn')}" for one in subscriptions
    )
    confirmed = sum(state.startswith("arn:") for state in states)
    if confirmed:
        message = f"topic {name} has {confirmed} confirmed subscription{'s' if confirmed > 1 else ''}"
        return Link("pass", message, evidence)
    if "PendingConfirmation" in states:
        options = {"topic_arn": topic, "token": "TOKEN"}
        fix = remediation.change_topic("confirm-subscription", topic, **options)
        return Link("fail", f"no subscription to topic {name} is confirmed", evidence, remediation=fix)
    fix = remediation.subscribe(topic)
    return Link("fail", f"nobody is subscribed to topic {name}", evidence, remediation=fix)


def _acts_for(acting: Json, alarm: Json) -> bool:
    """Whether an alarm goes into ALARM whenever another one does."""
    return acting is alarm or alarm.get("AlarmName") in alarms.any_of(str(acting.get("AlarmRule")))


def _topics(alarm: Json) -> list[str]:
    return [action for action in alarms.actions(alarm) if arn.parse(action).service == "sns"]
