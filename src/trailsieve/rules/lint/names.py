"""Unknown event sources, event names, error codes and other values. TS301 to TS305."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile

from trailsieve import jsontext
from trailsieve.pattern import nodes, runtime
from trailsieve.pattern.regex import searcher
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.lint.target import LintTarget, groups
from trailsieve.trail.catalogue import calls
from trailsieve.trail.catalogue.fields import Facts, fields, name_of

_WORD = 8  # letters
SOURCE, NAME, ERROR = ("eventSource",), ("eventName",), ("errorCode",)


def unknown_source(target: LintTarget) -> Iterator[Issue]:
    """TS301."""
    for term in _on(target, SOURCE):
        if _hits(term.value, calls.event_sources()):
            continue
        text = _text(term.value)
        full = f"{text.lower()}{calls.DOMAIN}"
        meant = full if full in calls.event_sources() else calls.nearest(text, calls.event_sources())
        listed = f"{len(calls.event_sources())} event sources"
        yield _unknown("TS301", "eventSource", term, listed, _did_you_mean("eventSource", meant))


def unknown_name(target: LintTarget) -> Iterator[Issue]:
    """TS302."""
    for term in _on(target, NAME):
        if _is_call(term.value, calls.event_names()):
            continue
        sources = [name for source in _sources(target) if (name := calls.names_of(source)) is not None]
        if len(sources) < len(_sources(target)):
            continue  # the catalogue does not have all names of that source
        meant = _with_stars(term.value) or calls.nearest(_text(term.value), frozenset().union(*sources))
        meant = meant or calls.nearest(_text(term.value), calls.event_names())
        listed = f"{len(calls.event_names())} API calls and events"
        yield _unknown("TS302", "eventName", term, listed, _did_you_mean("eventName", meant))


def _with_stars(value: nodes.Value) -> str:
    """The name with stars for the wildcards of SQL and of regexes, if it has any."""
    changed = re.sub(r"\.\*|%", "*", _text(value))
    return "" if changed == _text(value) else changed


def name_of_other_source(target: LintTarget) -> Iterator[Issue]:
    """TS303."""
    for group in groups(target.expression) if target.expression else ():
        if not isinstance(group, nodes.And):
            continue
        sources = [source for operand in group.terms for source in _tested_sources(operand)]
        lists = [calls.names_of(source) for source in sources]
        if not sources or None in lists or not set(sources) <= calls.event_sources():
            continue
        known = frozenset[str]().union(*filter(None, lists))
        for term in _equalities(nodes.terms_of(group), NAME):
            if not _is_call(term.value, known) and _is_call(term.value, calls.event_names()):
                yield _of_other_source(term, sources)


def _of_other_source(term: nodes.Comparison, sources: list[str]) -> Issue:
    having = [
        source for source in calls.event_sources() if _is_call(term.value, calls.names_of(source) or ())
    ]
    having.sort(key=lambda source: (len(source), source))
    like = "" if _is_literal(term.value) else "like "
    return Issue(
        "TS303",
        f"{' and '.join(sources)} has no eventName {like}{_shown(term.value)}",
        term.span,
        "only events like this would match, and CloudTrail never records one",
        jsontext.readable({"eventSource": sources[0], "eventName": _text(term.value)}),
        f"it belongs to {', '.join(having[:3])}"
        + (f" and {len(having) - 3} more" if len(having) > 3 else ""),
    )


def unknown_error(target: LintTarget) -> Iterator[Issue]:
    """TS304."""
    for term in _on(target, ERROR):
        if (
            term.value == nodes.String("")
            or _hits(term.value, calls.error_codes())
            or calls.names_its_origin(_text(term.value))
        ):
            continue
        listed = f"{len(calls.error_codes())} codes from service models and AWS's guides"
        yield _unknown("TS304", "error code", term, listed, _meant_error(_text(term.value)))


def _meant_error(text: str) -> str:
    plain = text.strip("*")
    before, after = "*" * text.startswith("*"), "*" * text.endswith("*")
    meant = calls.nearest(plain, calls.error_codes()) or _same_beginning(plain)
    return _did_you_mean("errorCode", f"{before}{meant}{after}" if meant else "")


def _same_beginning(text: str) -> str:
    """The common code with the longest common prefix, if that is as long as a word."""
    best = max(calls.common_errors(), key=lambda code: _common_prefix(code, text))
    return best if _common_prefix(best, text) >= _WORD else ""


def _common_prefix(one: str, other: str) -> int:
    """Length of the common prefix."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def unknown_value(target: LintTarget) -> Iterator[Issue]:
    """TS305."""
    for term, selector in target.comparisons if target.of_cloudtrail else ():
        fact = fields().get(name_of(selector.steps))
        if (
            fact
            and fact.values
            and not isinstance(term.value, nodes.Number)
            and not _hits(term.value, fact.values)
        ):
            yield Issue(
                "TS305",
                f"{fact.name} is never {_shown(term.value)}"
                if _is_literal(term.value)
                else f"{fact.name} never matches {_shown(term.value)}",
                term.span,
                f"AWS documents {', '.join(fact.values)}",
                fix=_meant_value(fact, _text(term.value)),
            )


def _meant_value(fact: Facts, text: str) -> str:
    same = next((value for value in fact.values if value.lower() == text.lower()), "")
    if not same and text in calls.event_names():
        return _did_you_mean("eventName", text)
    return _did_you_mean(fact.name, same) if same else "use one of these"


# --- values ---


def _on(target: LintTarget, steps: tuple[str, ...]) -> Iterator[nodes.Comparison]:
    """The comparisons of one field with text."""
    for term, selector in target.comparisons:
        if selector.steps == steps and not isinstance(term.value, nodes.Number):
            yield term


def _text(value: nodes.Value) -> str:
    return "" if isinstance(value, nodes.Regex) else value.text


def _is_literal(value: nodes.Value) -> bool:
    return not isinstance(value, nodes.Regex) and "*" not in value.text


def _shown(value: nodes.Value) -> str:
    return f"`%{value.source}%`" if isinstance(value, nodes.Regex) else f"`{value.text}`"


def _unknown(code: str, name: str, term: nodes.Comparison, listed: str, fix: str) -> Issue:
    what = f"unknown {name}" if _is_literal(term.value) else f"no known {name} matches"
    proof = f"the catalogue lists {listed}"
    return Issue(code, f"{what} {_shown(term.value)}", term.span, proof, fix=fix)


def _did_you_mean(field: str, meant: str) -> str:
    return f'did you mean $.{field} = "{meant}"?' if meant else "check a record of the call that you mean"


def _hits(value: nodes.Value, known: Iterable[str]) -> bool:
    """Whether the value equals any of the texts."""
    if isinstance(value, nodes.Regex):
        return any(map(searcher(value.source), known))
    if isinstance(value, nodes.String) and len(value.parts) > 1:
        return any(runtime.match_wildcards(text, value.parts) for text in known)
    return value.text in known


def _is_call(value: nodes.Value, known: Iterable[str]) -> bool:
    """The same for event names, which may end with an API version."""
    if _hits(value, known):
        return True
    plain = calls.plain(_text(value).rstrip("*"))
    return plain != _text(value).rstrip("*") and plain in known


# --- combinations ---


def _tested_sources(operand: nodes.Expression) -> list[str]:
    """The eventSources of an operand that tests nothing else."""
    terms = operand.terms if isinstance(operand, nodes.Or) else (operand,)
    found = [term.value for term in _equalities(terms, SOURCE) if isinstance(term.value, nodes.String)]
    literals = [value.text for value in found if _is_literal(value)]
    return literals if len(literals) == len(terms) else []


def _equalities(terms: Iterable[nodes.Expression], steps: tuple[str, ...]) -> Iterator[nodes.Comparison]:
    """The terms that say what text one field is equal to."""
    equalities = (term for term in terms if isinstance(term, nodes.Comparison) and term.operator == "=")
    for term in equalities:
        if getattr(term.target, "steps", ()) == steps and not isinstance(term.value, nodes.Number):
            yield term


def _sources(target: LintTarget) -> list[str]:
    """All eventSources that a pattern matches."""
    return [_text(term.value) for term in _on(target, SOURCE) if term.operator == "="]
