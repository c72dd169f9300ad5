"""What a trail records of management events, by classic and by advanced event selectors.

Sources: docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html and
API_AdvancedFieldSelector.html. An event is recorded when any selector takes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from trailsieve.cloudwatch.snapshot import Json

Mode = Literal["read", "write"]
_BOTH: frozenset[Mode] = frozenset(("read", "write"))
_CLASSIC: dict[str, frozenset[Mode]] = {
    "All": _BOTH,
    "ReadOnly": frozenset(("read",)),
    "WriteOnly": frozenset(("write",)),
}
_TESTS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
_ALL_CLASSIC = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
_ALL_ADVANCED = {
    "Name": "Management events",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}


@dataclass(frozen=True, slots=True)
class Selector:
    """What one selector takes of management events.

    Attributes:
        modes: whether reading calls, writing calls, or both.
        without: event sources that it leaves out.
        narrowed: by what else it is narrowed, as text; "" when it takes all.
    """

    modes: frozenset[Mode]
    without: frozenset[str] = frozenset()
    narrowed: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What all selectors of a trail take together.

    Attributes:
        missing: the modes that no selector takes.
        without: the event sources that are left out.
        narrowed: what narrows selectors in other ways, as text.
    """

    missing: frozenset[Mode]
    without: frozenset[str]
    narrowed: tuple[str, ...]
    shown: tuple[str, ...]


def recorded(answer: Json, *, custom: bool) -> Recorded:
    """What a trail records, out of the answer of get-event-selectors.

    Args:
        custom: whether the trail says that it has selectors of its own; without any it takes all.
    """
    classic, advanced = answer.get("EventSelectors") or [], answer.get("AdvancedEventSelectors") or []
    found = [*filter(None, map(_classic, classic)), *filter(None, map(_advanced, advanced))]
    if not classic and not advanced and not custom:
        found = [Selector(_BOTH)]
    whole = [selector for selector in found if not selector.narrowed]
    taken = {mode: [one for one in whole if mode in one.modes] for mode in _BOTH}
    left_out = (frozenset.intersection(*(one.without for one in ones)) for ones in taken.values() if ones)
    return Recorded(
        frozenset(mode for mode, ones in taken.items() if not ones),
        frozenset[str]().union(*left_out),
        tuple(one.narrowed for one in found if one.narrowed),
        tuple(json.dumps(one) for one in (*classic, *advanced)),
    )


def _classic(selector: Json) -> Selector | None:
    if not selector.get("IncludeManagementEvents", True):
        return None
    modes = _CLASSIC.get(str(selector.get("ReadWriteType", "All")), frozenset[Mode]())
    return Selector(modes, frozenset(map(str, selector.get("ExcludeManagementEventSources") or [])))


def _advanced(selector: Json) -> Selector | None:
    """None when it is of data events or others that are no management events."""
    fields = [field for field in selector.get("FieldSelectors") or [] if isinstance(field, dict)]
    category = next((field for field in fields if field.get("Field") == "eventCategory"), {})
    if "Management" not in (category.get("Equals") or []):
        return None
    modes, without, narrowed = _BOTH, frozenset[str](), []
    for field in fields:
        values = {name: list(map(str, field[name])) for name in _TESTS if field.get(name)}
        match field.get("Field"), list(values.items()):
            case "eventCategory", _:
                pass
            case "readOnly", [("Equals", given)]:
                modes = frozenset[Mode]("read" if value.lower() == "true" else "write" for value in given)
            case "eventSource", [("NotEquals", given)]:
                without |= frozenset(given)
            case _:
                narrowed.append(json.dumps(field))
    return Selector(modes, without, ", ".join(narrowed))


def with_all_management_events(answer: Json) -> tuple[str, str]:
    """The option of put-event-selectors and its value that add all management events to what is there."""
    advanced = answer.get("AdvancedEventSelectors") or []
    if advanced:
        kept = [one for one in advanced if _advanced(one) is None]
        return "--advanced-event-selectors", json.dumps([_ALL_ADVANCED, *kept])
    classic = answer.get("EventSelectors") or []
    data = [source for one in classic for source in one.get("DataResources") or []]
    return "--event-selectors", json.dumps([{**_ALL_CLASSIC, "DataResources": data}])
