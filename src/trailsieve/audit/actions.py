"""From an alarm to a person: its actions, or those of a composite alarm, and the topic's subscriptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from trailsieve import arn
from trailsieve.audit import remediation
from trailsieve.audit.model import Link, Road, best
from trailsieve.audit.trail import unasked
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.snapshot import Json, Snapshot

_CALL = "list-subscriptions-by-topic"


@dataclass(frozen=True, slots=True)
class Teller:
    """Follows the alarms of one account and region to those who are told."""

    snapshot: Snapshot
    account: str
    region: str

    def road(self, road: Road, alarm: Json, composites: list[Json], repair: str) -> Road:
        """The best road through the actions of an alarm and of composite alarms over it."""
        ways = [self._through(road, alarm, repair)]
        for composite in composites:
            rule, name = str(composite.get("AlarmRule")), str(alarm.get("AlarmName"))
            if name in alarms.any_of(rule):
                ways.append(self._through(road, composite, repair))
            elif name in alarms.mentioned(rule):
                said = f"{composite.get('AlarmName')} acts for {name}, but on more conditions than that"
                ways.append(road.then(Link("actions", "unknown", said, (f"AlarmRule: {rule}",))))
        return best(ways)

    def _through(self, road: Road, alarm: Json, repair: str) -> Road:
        name, acts = alarm.get("AlarmName"), alarms.actions(alarm)
        topics = [action for action in acts if arn.parse(action).service == "sns"]
        if not alarm.get("ActionsEnabled", True):
            switch = remediation.enable_actions(alarm, self.region)
            return road.then(Link("actions", "fail", f"the actions of {name} are switched off", mend=switch))
        if not acts:
            return road.then(Link("actions", "fail", f"{name} tells nobody: it has no action", mend=repair))
        if not topics:
            said = f"{name} acts on {', '.join(acts)}: whether a person learns of it cannot be told"
            return road.then(Link("actions", "unknown", said))
        if alarm.get("ActionsSuppressor"):
            said = f"the actions of {name} are held back while {alarm['ActionsSuppressor']} is in ALARM"
            road = road.then(Link("actions", "unknown", said))
        else:
            told = ", ".join(arn.parse(topic).resource for topic in topics)
            road = road.then(Link("actions", "pass", f"{name} tells topic {told}", tuple(topics)))
        return best(road.then(self._subscription(topic)) for topic in topics)

    def _subscription(self, topic: str) -> Link:
        parts = arn.parse(topic)
        name, link = parts.resource, "subscription"
        answer = self.snapshot.answer(self.account, parts.region, _CALL, name)
        if answer.gone:
            said = f"topic {name} does not exist"
            return Link(link, "fail", said, (topic,), mend=remediation.create_topic(topic))
        if not answer.ok:
            return unasked(link, _CALL, answer)
        every = answer.items("Subscriptions")
        found = [one for one in every if one.get("TopicArn", topic) == topic]
        if every and not found:
            return Link(link, "unknown", f"the answer is about another topic than {name}")
        evidence = tuple(
            f"{one.get('Protocol')} {one.get('Endpoint')}: {one.get('SubscriptionArn')}" for one in found
        )
        confirmed = [one for one in found if str(one.get("SubscriptionArn")).startswith("arn:")]
        if confirmed:
            said = f"{len(confirmed)} confirmed subscription{'s' if len(confirmed) > 1 else ''} of {name}"
            return Link(link, "pass", said, evidence)
        if any(one.get("SubscriptionArn") == "PendingConfirmation" for one in found):
            said = f"no subscription of {name} is confirmed"
            return Link(link, "fail", said, evidence, mend=remediation.confirm(topic))
        return Link(
            link, "fail", f"nobody is subscribed to {name}", evidence, mend=remediation.subscribe(topic)
        )


def lag(state: Json) -> float:
    """Seconds by which the log group lags behind the bucket; 0 when the trail's state does not tell."""
    group, bucket = (_time(state.get(f"Latest{name}Time")) for name in ("CloudWatchLogsDelivery", "Delivery"))
    return (bucket - group).total_seconds() if group and bucket else 0


def _time(value: object) -> datetime | None:
    """A time as the AWS CLI prints it (ISO 8601, or seconds since 1970) or as boto3 gives it."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, int | float):
            found = datetime.fromtimestamp(value, UTC)
        else:
            found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
