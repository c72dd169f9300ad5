"""The audit itself: each account of a snapshot against each control. Pure: AWS was asked before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trailsieve.audit import cloudwatch, trailsieve_config
from trailsieve.audit.coverage import Control, controls
from trailsieve.audit.model import Finding
from trailsieve.audit.trail import Place
from trailsieve.cloudwatch.snapshot import Snapshot
from trailsieve.errors import UsageError


def audit(
    snapshot: Snapshot, wanted: Sequence[Control], config: trailsieve_config.Siem | None = None
) -> list[Finding]:
    """The findings, account by account, in the order of the controls.

    Args:
        config: a trailsieve configuration, which is a second road.
    """
    places = (Place(snapshot, account, control) for account in snapshot.accounts for control in wanted)
    return [_finding(place, config) for place in places]


def _finding(place: Place, config: trailsieve_config.Siem | None) -> Finding:
    rule = place.control.rule
    roads = [cloudwatch.road(place)]
    if config is not None:
        roads.append(trailsieve_config.road(place, config))
    return Finding(place.account, place.control.number, rule.id, rule.title, rule.severity, tuple(roads))


def chosen(numbers: Iterable[str]) -> list[Control]:
    """The controls of these numbers (`4.1`, or a rule's id); all when there are none.

    Raises:
        UsageError: there is no such control.
    """
    every = {control.number: control for control in controls()}
    names = [name.strip().removeprefix("cis-aws-") for name in numbers if name.strip()]
    for name in names:
        if name not in every:
            raise UsageError(f"{name}: no such control; they are {', '.join(every)}")
    return [every[name] for name in dict.fromkeys(names)] or list(every.values())
