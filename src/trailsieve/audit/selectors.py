"""What a trail records of management events, by classic and by advanced event selectors.

Sources: docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html and
API_AdvancedFieldSelector.html. An event is recorded if any selector includes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trailsieve import jsontext
from trailsieve.cloudwatch.snapshot import Json

Mode = Literal["read", "write"]
_READ, _WRITE = frozenset[Mode](("read",)), frozenset[Mode](("write",))
_BOTH = _READ | _WRITE
_CLASSIC = {"All": _BOTH, "ReadOnly": _READ, "WriteOnly": _WRITE}
_TESTS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
_ALL_CLASSIC = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
_ALL_ADVANCED = {
    "Name": "Management events",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}


@dataclass(frozen=True, slots=True)
class Selector:
    """The management events that one selector includes.

    Attributes:
        without: the event sources that it excludes.
        narrowed: what else narrows it, as text, or "".
    """

    modes: frozenset[Mode]
    without: frozenset[str] = frozenset()
    narrowed: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The management events that all selectors of a trail include together.

    Attributes:
        missing: the modes that no selector includes.
        without: the event sources that are excluded.
        narrowed: what else narrows selectors, as text.
        shown: the selectors as JSON.
    """

    missing: frozenset[Mode]
    without: frozenset[str]
    narrowed: tuple[str, ...]
    shown: tuple[str, ...]


def recorded(response: Json, *, custom: bool) -> Recorded:
    """What a trail records, from the response to get-event-selectors.

    Args:
        custom: whether the trail has selectors of its own; without any it records all management events.
    """
    classic, advanced = response.get("EventSelectors") or [], response.get("AdvancedEventSelectors") or []
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
        tuple(jsontext.encode(one) for one in (*classic, *advanced)),
    )


def _classic(selector: Json) -> Selector | None:
    if not selector.get("IncludeManagementEvents", True):
        return None
    modes = _CLASSIC.get(str(selector.get("ReadWriteType", "All")), frozenset[Mode]())
    return Selector(modes, frozenset(map(str, selector.get("ExcludeManagementEventSources") or [])))


def _advanced(selector: Json) -> Selector | None:
    """None if it selects data events or other events that are not management events."""
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
                narrowed.append(jsontext.encode(field))
    return Selector(modes, without, ", ".join(narrowed))


def with_all_management_events(response: Json) -> tuple[str, str]:
    """The option of put-event-selectors, and its value, that adds all management events to the selectors."""
    advanced = response.get("AdvancedEventSelectors") or []
    if advanced:
        kept = [one for one in advanced if _advanced(one) is None]
        return "--advanced-event-selectors", jsontext.encode([_ALL_ADVANCED, *kept])
    classic = response.get("EventSelectors") or []
    data = [source for one in classic for source in one.get("DataResources") or []]
    return "--event-selectors", jsontext.encode([{**_ALL_CLASSIC, "DataResources": data}])
