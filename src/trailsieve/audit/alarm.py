"""From a metric to the alarm that watches it: the same namespace, name, dimensions and unit."""

from __future__ import annotations

from dataclasses import dataclass

from trailsieve.audit import remediation
from trailsieve.audit.actions import Teller
from trailsieve.audit.model import Link, Road, best
from trailsieve.audit.threshold import threshold
from trailsieve.audit.trail import Place, unasked
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.alarms import Transformation
from trailsieve.cloudwatch.snapshot import Answer, Json


@dataclass(frozen=True, slots=True)
class Watch:
    """The alarms of one account and region."""

    place: Place
    account: str
    region: str

    def road(self, road: Road, metrics: list[Transformation]) -> Road:
        """The best road through the alarms on any of a filter's metrics."""
        answer = self.place.snapshot.answer(self.account, self.region, "describe-alarms")
        if not answer.ok:
            return road.then(unasked("alarm", "describe-alarms", answer))
        ways = [
            self._through(road, metric, alarm, answer)
            for metric in metrics
            for alarm in answer.items("MetricAlarms")
            if metric.key in alarms.watched(alarm)
        ]
        return best(ways) if ways else road.then(self._none(metrics[0], answer))

    def _none(self, metric: Transformation, answer: Answer) -> Link:
        """No alarm; one on the same name elsewhere is what somebody took for it."""
        said = f"no alarm watches {'/'.join(metric.key)}"
        every = answer.items("MetricAlarms")
        near = next((alarm for alarm in every if alarm.get("MetricName") == metric.key[1]), None)
        if near:
            said += f": {near.get('AlarmName')} watches that name in namespace {near.get('Namespace')}"
        return Link(
            "alarm", "fail", said, mend=remediation.put_alarm(self.place.control, metric, self.region, near)
        )

    def _through(self, road: Road, metric: Transformation, alarm: Json, answer: Answer) -> Road:
        repair = remediation.put_alarm(self.place.control, metric, self.region, alarm)
        for link in _judged(alarm, metric, repair):
            road = road.then(link)
            if link.verdict == "fail":
                return road
        teller = Teller(self.place.snapshot, self.account, self.region)
        return teller.road(road, alarm, answer.items("CompositeAlarms"), repair)


def _judged(alarm: Json, metric: Transformation, repair: str) -> list[Link]:
    """The links `alarm` and `threshold`."""
    name, plain = alarm.get("AlarmName"), alarms.plain(alarm)
    if plain is None:
        return [Link("alarm", "unknown", f"{name} computes an expression over several metrics", mend=repair)]
    watches, condition = _watches(plain, metric, repair), alarms.condition(plain)
    if condition is None:
        how = plain.get("ExtendedStatistic") or plain.get("Statistic")
        said = f"{name} watches {how} {plain.get('ComparisonOperator')}, which is not judged"
        return [watches, Link("threshold", "unknown", said, mend=repair)]
    return [watches, threshold(condition, metric.value, metric.default, repair)]


def _watches(alarm: Json, metric: Transformation, repair: str) -> Link:
    """Whether an alarm on a metric's name also sees its datapoints."""
    name, key = alarm.get("AlarmName"), "/".join(metric.key)
    named = alarms.dimensions(alarm)
    if named != metric.dimensions:
        how = f"by {_listed(named)}, but the filter counts it by {_listed(metric.dimensions)}"
        return Link("alarm", "fail", f"{name} watches {key} {how}", mend=repair)
    unit = str(alarm.get("Unit") or metric.unit)
    if unit != metric.unit:
        said = f"{name} only takes datapoints of {key} in {unit}, and the filter counts in {metric.unit}"
        return Link("alarm", "fail", said, mend=repair)
    if named:
        said = f"{name} watches {key} for one value of {_listed(named)} only"
        return Link("alarm", "unknown", said, mend=repair)
    return Link("alarm", "pass", f"{name} watches {key}", (f"state: {alarm.get('StateValue')}",))


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "no dimension"
