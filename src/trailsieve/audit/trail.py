"""The links that every road begins with: a trail of all regions, that is on, and records all it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trailsieve import arn
from trailsieve.audit import remediation, selectors
from trailsieve.audit.coverage import Control, affected
from trailsieve.audit.model import Link, Road, RoadName
from trailsieve.cloudwatch.snapshot import CALLS, Answer, Json, Snapshot


@dataclass(frozen=True, slots=True)
class Place:
    """What is audited: one control in one account."""

    snapshot: Snapshot
    account: str
    control: Control

    def judges(self, account: str) -> bool:
        """Whether the answers of an account are there."""
        return self.snapshot.flat or account in self.snapshot.accounts


def roads(place: Place, name: RoadName) -> Iterator[tuple[Road, Json]]:
    """A beginning of a road for each trail that the account can see."""
    trails: dict[str, Json] = {}
    refused: Link | None = None
    for region, answer in place.snapshot.all_of(place.account, "describe-trails"):
        refused = refused or (None if answer.ok else unasked("trail", "describe-trails", answer))
        for trail in answer.items("trailList"):
            home = str(trail.get("HomeRegion") or arn.parse(trail.get("TrailARN")).region or region)
            trails.setdefault(str(trail.get("TrailARN")), {"TrailARN": "", **trail, "HomeRegion": home})
    if not trails:
        none = Link("trail", "fail", "there is no trail", mend=remediation.create_trail())
        yield Road(name, (refused or none,)), {}
    for trail in trails.values():
        yield _begun(place, name, trail), trail


def unasked(name: str, call: str, answer: Answer) -> Link:
    """A link that cannot be told because AWS was not asked, or refused to say."""
    action = CALLS[call].action
    if answer.error == "unknown":
        return Link(name, "unknown", answer.message, mend=f"aws {CALLS[call].service} {call}")
    said = f"AWS refuses to say ({answer.error}): the audit needs {action}"
    return Link(name, "unknown", said, (answer.message,), mend=remediation.grant(action))


def _begun(place: Place, name: RoadName, trail: Json) -> Road:
    home, called = str(trail["HomeRegion"]), str(trail.get("Name"))
    road = Road(name, (_trail(trail),))
    if road.verdict == "fail":
        return road
    status = place.snapshot.answer(place.account, home, "get-trail-status", called)
    road = road.then(_logging(trail, status))
    if road.verdict == "fail":
        return road
    answer = place.snapshot.answer(place.account, home, "get-event-selectors", called)
    return road.then(_selectors(trail, answer, place.control))


def _trail(trail: Json) -> Link:
    shown = f"{'organization ' if trail.get('IsOrganizationTrail') else ''}trail {trail.get('Name')}"
    evidence = (str(trail["TrailARN"]),)
    if not trail.get("IsMultiRegionTrail"):
        said = f"{shown} records {trail['HomeRegion']} only: what happens in other regions is not seen"
        return Link("trail", "fail", said, evidence, mend=remediation.widen_trail(trail))
    return Link("trail", "pass", f"{shown} records all regions", evidence)


def _logging(trail: Json, status: Answer) -> Link:
    if not status.ok:
        return unasked("logging", "get-trail-status", status)
    state = status.content
    if not state.get("IsLogging"):
        since = state.get("StopLoggingTime") or state.get("TimeLoggingStopped")
        said = f"trail {trail.get('Name')} is switched off" + (f" since {since}" if since else "")
        return Link("logging", "fail", said, ("IsLogging: false",), mend=remediation.start_logging(trail))
    if state.get("LatestDeliveryError"):
        said = f"the trail cannot write to its bucket {trail.get('S3BucketName')}"
        evidence = (f"LatestDeliveryError: {state['LatestDeliveryError']}",)
        return Link("logging", "fail", said, evidence, mend=remediation.show_bucket_policy(trail))
    last = f"LatestDeliveryTime: {state.get('LatestDeliveryTime', 'none')}"
    return Link("logging", "pass", f"trail {trail.get('Name')} is logging", ("IsLogging: true", last))


def _selectors(trail: Json, answer: Answer, control: Control) -> Link:
    if not answer.ok:
        return unasked("selectors", "get-event-selectors", answer)
    found = selectors.recorded(answer.content, custom=bool(trail.get("HasCustomEventSelectors")))
    repair = remediation.select_all(trail, *selectors.mended(answer.content))
    if found.missing:
        what = (
            "no management events"
            if len(found.missing) == 2
            else f"no {min(found.missing)} management events"
        )
        why = f": narrowed by {'; '.join(found.narrowed)}" if found.narrowed else ""
        return Link("selectors", "fail", f"the trail records {what}{why}", found.shown, mend=repair)
    for source in sorted(found.without):
        if event := affected(control, source):
            said = f"the trail leaves out events of {source}, which this control asks for"
            return Link("selectors", "fail", said, found.shown, event, repair)
    left = (
        f", without {', '.join(sorted(found.without))}, which does not matter here" if found.without else ""
    )
    return Link("selectors", "pass", f"all management events, read and write{left}", found.shown)
