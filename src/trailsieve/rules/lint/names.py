"""Names that no record has: event sources, calls, error codes, other known values. TS301 to TS305."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from trailsieve.logic.event_text import event_text
from trailsieve.pattern import runtime
from trailsieve.pattern.nodes import (
    And,
    Comparison,
    Expression,
    Number,
    Or,
    Regex,
    Selector,
    String,
    Value,
    terms_of,
)
from trailsieve.pattern.regex import searcher
from trailsieve.rules.lint.issue import Found
from trailsieve.rules.lint.target import Subject, groups
from trailsieve.trail.catalogue import calls
from trailsieve.trail.catalogue.fields import Facts, fields, name_of

_WORD = 8  # letters
SOURCE, NAME, ERROR = ("eventSource",), ("eventName",), ("errorCode",)


def unknown_source(subject: Subject) -> Iterator[Found]:
    """TS301."""
    for term in _on(subject, SOURCE):
        if _hits(term.value, calls.event_sources()):
            continue
        text = _text(term.value)
        full = f"{text.lower()}{calls.DOMAIN}"
        meant = full if full in calls.event_sources() else calls.nearest(text, calls.event_sources())
        yield Found(
            "TS301",
            f"no known eventSource is {_shown(term.value)}",
            term.span,
            f"the catalogue has {len(calls.event_sources())} event sources",
            mend=_did_you_mean("eventSource", meant),
        )


def unknown_name(subject: Subject) -> Iterator[Found]:
    """TS302."""
    for term in _on(subject, NAME):
        if _is_call(term.value, calls.event_names()):
            continue
        sources = [name for source in _sources(subject) if (name := calls.names_of(source)) is not None]
        if len(sources) < len(_sources(subject)):
            continue  # the names of that source are not all known
        meant = calls.nearest(_text(term.value), frozenset().union(*sources)) or calls.nearest(
            _text(term.value), calls.event_names()
        )
        yield Found(
            "TS302",
            f"no known eventName is {_shown(term.value)}",
            term.span,
            f"the catalogue has {len(calls.event_names())} names of API calls and events",
            mend=_did_you_mean("eventName", meant),
        )


def name_of_other_source(subject: Subject) -> Iterator[Found]:
    """TS303."""
    for group in groups(subject.expression) if subject.expression else ():
        if not isinstance(group, And):
            continue
        sources = [source for operand in group.terms for source in _asked_sources(operand)]
        lists = [calls.names_of(source) for source in sources]
        if not sources or None in lists or not set(sources) <= calls.event_sources():
            continue
        known = frozenset[str]().union(*filter(None, lists))
        for term in (term for operand in group.terms for term in _asked_names(operand)):
            if not _is_call(term.value, known) and _is_call(term.value, calls.event_names()):
                yield _of_other_source(term, sources)


def _of_other_source(term: Comparison, sources: list[str]) -> Found:
    having = [
        source for source in calls.event_sources() if _is_call(term.value, calls.names_of(source) or ())
    ]
    having.sort(key=lambda source: (len(source), source))
    return Found(
        "TS303",
        f"{' and '.join(sources)} has no eventName {_shown(term.value)}",
        term.span,
        "this event would match, and CloudTrail never writes one like it",
        event_text({"eventSource": sources[0], "eventName": _text(term.value)}),
        f"it is a name of {', '.join(having[:3])}"
        + (f" and {len(having) - 3} more" if len(having) > 3 else ""),
    )


def unknown_error(subject: Subject) -> Iterator[Found]:
    """TS304."""
    for term in _on(subject, ERROR):
        if _hits(term.value, calls.error_codes()) or calls.names_its_origin(_text(term.value)):
            continue
        yield Found(
            "TS304",
            f"no known error code is {_shown(term.value)}",
            term.span,
            f"the catalogue has {len(calls.error_codes())} codes of service models and of AWS's guides",
            mend=_meant_error(_text(term.value)),
        )


def _meant_error(text: str) -> str:
    plain = text.strip("*")
    before, after = "*" * text.startswith("*"), "*" * text.endswith("*")
    meant = calls.nearest(plain, calls.error_codes()) or _beginning_alike(plain)
    return _did_you_mean("errorCode", f"{before}{meant}{after}" if meant else "")


def _beginning_alike(text: str) -> str:
    """The common code that shares the longest beginning, if that is a word long."""
    best = max(calls.common_errors(), key=lambda code: _alike(code, text))
    return best if _alike(best, text) >= _WORD else ""


def _alike(one: str, other: str) -> int:
    """How many letters two texts share at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def unknown_value(subject: Subject) -> Iterator[Found]:
    """TS305."""
    for term, selector in subject.comparisons if subject.of_cloudtrail else ():
        fact = fields().get(name_of(selector.steps))
        if fact and fact.values and not isinstance(term.value, Number) and not _hits(term.value, fact.values):
            yield Found(
                "TS305",
                f"{fact.name} is never {_shown(term.value)}",
                term.span,
                f"AWS documents {', '.join(fact.values)}",
                mend=_meant_value(fact, _text(term.value)),
            )


def _meant_value(fact: Facts, text: str) -> str:
    same = next((value for value in fact.values if value.lower() == text.lower()), "")
    if not same and text in calls.event_names():
        return _did_you_mean("eventName", text)
    return _did_you_mean(fact.name, same) if same else "take one of these"


# --- values ---


def _on(subject: Subject, steps: tuple[str, ...]) -> Iterator[Comparison]:
    """The comparisons of one field with text."""
    for term, selector in subject.comparisons:
        if selector.steps == steps and not isinstance(term.value, Number):
            yield term


def _text(value: Value) -> str:
    return "" if isinstance(value, Regex) else value.text


def _shown(value: Value) -> str:
    """How a value reads after "is"."""
    if isinstance(value, Regex):
        return f"found by %{value.source}%"
    return f"matched by `{value.text}`" if "*" in value.text else f"`{value.text}`"


def _did_you_mean(field: str, meant: str) -> str:
    return (
        f'did you mean $.{field} = "{meant}"?' if meant else "look at the records of the call that you mean"
    )


def _hits(value: Value, known: Iterable[str]) -> bool:
    """Whether the value equals any of the texts."""
    if isinstance(value, Regex):
        return any(map(searcher(value.source), known))
    if isinstance(value, String) and len(value.parts) > 1:
        return any(runtime.match_wildcards(text, value.parts) for text in known)
    return value.text in known


def _is_call(value: Value, known: Iterable[str]) -> bool:
    """The same for names of calls, which may have an API version at their end."""
    if _hits(value, known):
        return True
    plain = calls.plain(_text(value).rstrip("*"))
    return plain != _text(value).rstrip("*") and plain in known


# --- what is asked together ---


def _asked_sources(operand: Expression) -> list[str]:
    """The eventSources of an operand that asks for nothing else."""
    terms = operand.terms if isinstance(operand, Or) else (operand,)
    found = [
        term.value.text
        for term in terms
        if isinstance(term, Comparison)
        and isinstance(term.target, Selector)
        and term.target.steps == SOURCE
        and term.operator == "="
        and isinstance(term.value, String)
        and "*" not in term.value.text
    ]
    return found if len(found) == len(terms) else []


def _asked_names(operand: Expression) -> Iterator[Comparison]:
    for term in terms_of(operand):
        if (
            isinstance(term, Comparison)
            and isinstance(term.target, Selector)
            and term.target.steps == NAME
            and term.operator == "="
            and not isinstance(term.value, Number)
        ):
            yield term


def _sources(subject: Subject) -> list[str]:
    """All eventSources that a pattern asks for."""
    return [_text(term.value) for term in _on(subject, SOURCE) if term.operator == "="]
