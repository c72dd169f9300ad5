"""The chain of metric filters and alarms: from a trail's log group to a person who is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from trailsieve import arn
from trailsieve.audit import actions, coverage, remediation
from trailsieve.audit import trail as trail_links
from trailsieve.audit.alarm import Watch
from trailsieve.audit.coverage import Control, Coverage
from trailsieve.audit.model import Link, Road, best
from trailsieve.audit.trail import Place, unasked
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.snapshot import Answer, Json
from trailsieve.errors import PatternError
from trailsieve.pattern.compiler import FilterPattern, compile

_LATE = 24 * 3600  # seconds that a log group may lag behind the bucket
_LIKE = 0.2  # a filter that is less like a control is not meant for it


def road(place: Place) -> Road:
    """The best road through metric filters and alarms."""
    return best(_roads(place))


def _roads(place: Place) -> Iterator[Road]:
    for begun, trail in trail_links.roads(place, "cloudwatch"):
        if begun.verdict == "fail" or not trail:
            yield begun
            continue
        status = place.snapshot.answer(
            place.account, trail["HomeRegion"], "get-trail-status", str(trail.get("Name"))
        )
        with_group = begun.then(_log_group(trail, status))
        if with_group.verdict == "fail":
            yield with_group
        else:
            yield from _through_filters(place, with_group, trail)


def _log_group(trail: Json, status: Answer) -> Link:
    group, state = arn.log_group(trail.get("CloudWatchLogsLogGroupArn")), status.content
    if not group:
        said = f"trail {trail.get('Name')} writes to no log group"
        return Link("log group", "fail", said, mend=remediation.bind_log_group(trail))
    if state.get("LatestCloudWatchLogsDeliveryError"):
        evidence = (f"LatestCloudWatchLogsDeliveryError: {state['LatestCloudWatchLogsDeliveryError']}",)
        said = f"the trail cannot write to its log group {group}"
        return Link("log group", "fail", said, evidence, mend=remediation.show_role(trail))
    times = tuple(
        f"{key}: {state[key]}"
        for key in ("LatestCloudWatchLogsDeliveryTime", "LatestDeliveryTime")
        if state.get(key)
    )
    if actions.lag(state) > _LATE:
        said = f"nothing has reached log group {group} for a day, while the bucket is written to"
        return Link("log group", "fail", said, times, mend=remediation.show_role(trail))
    return Link("log group", "pass", f"the trail writes to {group}", times)


@dataclass(frozen=True, slots=True)
class _Filter:
    """A metric filter of the trail's log group, read."""

    json: Json
    pattern: FilterPattern | None
    problem: str = ""

    @property
    def name(self) -> str:
        return str(self.json.get("filterName"))


_compiled = lru_cache(4096)(partial(compile, limits=False))  # each control looks at each filter


def _read(item: Json) -> _Filter:
    try:
        return _Filter(item, _compiled(str(item.get("filterPattern", ""))))
    except PatternError as error:
        return _Filter(item, None, f"{error.message}, column {error.column}")


def _through_filters(place: Place, begun: Road, trail: Json) -> Iterator[Road]:
    """The roads through each filter that seems meant for the control, and through several together."""
    owner = arn.parse(trail["CloudWatchLogsLogGroupArn"])
    group = arn.log_group(trail["CloudWatchLogsLogGroupArn"])
    if not place.judges(owner.account):
        said = f"log group {group} is in account {owner.account}, which was not examined: audit it as well"
        yield begun.then(Link("metric filter", "unknown", said))
        return
    answer = place.snapshot.answer(owner.account, owner.region, "describe-metric-filters")
    if not answer.ok:
        yield begun.then(unasked("metric filter", "describe-metric-filters", answer))
        return
    all_of_region = answer.items("metricFilters")
    found = [_read(item) for item in all_of_region if item.get("logGroupName") == group]
    walk = _Walk(place, begun, owner.account, owner.region, group)
    walked = [(one, walk.road(one)) for one in _meant(place.control, found)]
    if not walked:
        elsewhere = [_read(item) for item in all_of_region if item.get("logGroupName") != group]
        yield begun.then(_no_filter(walk, len(found), _meant(place.control, elsewhere)))
    yield from (road for _, road in walked)
    yield from walk.together(walked)


def _meant(control: Control, found: list[_Filter]) -> list[_Filter]:
    """The filters that may be about a control; when there are none, those that match just everything."""
    meant = [
        one
        for one in found
        if one.pattern is None
        or coverage.meant(control, one.pattern) > _LIKE
        or coverage.covers(control, one.pattern)
    ]
    return meant or [one for one in found if one.pattern is not None and coverage.drowns(one.pattern)]


def _no_filter(walk: _Walk, count: int, elsewhere: list[_Filter]) -> Link:
    control = walk.place.control
    repair = remediation.put_filter(control, walk.group, walk.region)
    other = next((one for one in elsewhere if one.pattern is not None), None)
    said = f"no metric filter of {walk.group} is about this control ({count} looked at)"
    if other:
        there = other.json.get("logGroupName")
        said = f"metric filter {other.name} is on {there}, but the trail writes to {walk.group}"
    return Link("metric filter", "fail", said, mend=repair)


@dataclass(frozen=True, slots=True)
class _Walk:
    """A way from a log group on; filters, alarms and topics are of the group's account and region."""

    place: Place
    begun: Road
    account: str
    region: str
    group: str

    @property
    def _watch(self) -> Watch:
        return Watch(self.place, self.account, self.region)

    def road(self, found: _Filter) -> Road:
        """The road through one filter."""
        road = self.begun.then(self._filter(found), self._pattern(found))
        return road if road.verdict == "fail" else self._watch.road(road, list(alarms.metrics(found.json)))

    def together(self, walked: list[tuple[_Filter, Road]]) -> Iterator[Road]:
        """The road of filters that only together match what the control asks for."""
        partial = [one for one, road in walked if road.links[-1].name == "pattern" and one.pattern]
        if len(partial) < 2 or any(road.verdict != "fail" for _, road in walked):
            return
        whole = coverage.joined(one.pattern for one in partial if one.pattern)
        if whole is None or not coverage.relate(self.place.control, whole).covers:
            return
        names = " and ".join(one.name for one in partial)
        link = Link("pattern", "pass", f"{names} together match all that the control asks for")
        ways = [
            self._watch.road(self.begun.then(self._filter(one), link), list(alarms.metrics(one.json)))
            for one in partial
        ]
        yield min(ways, key=lambda road: road.goodness)

    def _filter(self, found: _Filter) -> Link:
        item, name = found.json, "metric filter"
        shown = tuple(f"counts {'/'.join(metric.key)}" for metric in alarms.metrics(item))
        evidence = (f"filterPattern: {item.get('filterPattern', '')}", *shown)
        repair = remediation.put_filter(self.place.control, self.group, self.region, item)
        if not shown:
            return Link(name, "fail", f"{found.name} counts no metric", evidence, mend=repair)
        if criteria := item.get("fieldSelectionCriteria"):
            said = f"{found.name} is narrowed outside its pattern: it only sees events with {criteria}"
            return Link(name, "unknown", said, evidence, mend=repair)
        if item.get("applyOnTransformedLogs"):
            said = f"{found.name} sees events as the log group's transformer rewrites them"
            return Link(name, "unknown", said, evidence, mend=repair)
        return Link(name, "pass", f"{found.name} on {self.group}", evidence)

    def _pattern(self, found: _Filter) -> Link:
        repair = remediation.put_filter(self.place.control, self.group, self.region, found.json)
        if found.pattern is None:
            said = f"the pattern of {found.name} cannot be read: {found.problem}"
            return Link("pattern", "unknown", said, mend=repair)
        covered = coverage.relate(self.place.control, found.pattern)
        link = pattern_link(found.name, found.pattern, covered)
        return replace(link, mend="" if covered.covers else repair)


def pattern_link(name: str, pattern: FilterPattern, found: Coverage) -> Link:
    """What is said of a pattern that was related to a control."""
    tried = f"it matches {found.matched} of {found.wanted} events that it must"
    noise = f"and {found.also} of {found.unwanted} that it must not"
    evidence = (pattern.text, f"{tried}, {noise}", f"compared with {found.reading}")
    match found.kind:
        case "equivalent":
            return Link("pattern", "pass", f"{name} matches the same events (proved)", evidence)
        case "broader":
            said = f"{name} matches all that the control asks for (proved), and more"
            return Link("pattern", "pass", said, evidence, found.witness)
        case "never":
            return Link("pattern", "fail", f"{name} can never match any event", evidence, found.witness)
        case "everything":
            said = f"{name} matches nearly every event, so its alarm tells nothing"
            return Link("pattern", "fail", said, evidence, found.witness)
        case "misses":
            return Link(
                "pattern", "fail", f"{name} misses events that it must match", evidence, found.witness
            )
        case "narrower":
            said = f"{name} leaves out some events that the control asks for: is that meant?"
            return Link("pattern", "unknown", said, evidence, found.witness)
        case _:
            said = f"whether {name} matches all that the control asks for is not proved: {found.reason}"
            return Link("pattern", "unknown", said, evidence)
