"""Why a pattern matches an event or not: each term with its value and result, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trailsieve import jsontext
from trailsieve.errors import shorten, visible
from trailsieve.pattern import interpret, nodes, runtime
from trailsieve.pattern.delimited import columns, layout_of, values_of
from trailsieve.pattern.render import render, render_expression, render_target

_SHOWN = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class Step:
    """One node of an explanation.

    Attributes:
        text: the term, or "all of" / "any of" above its children.
        verdict: whether it is true of the event.
        state: what the selector leads to: absent, null, true, false, number, string, array, object, or
            how many values a wildcard selects; "" above children and for text terms.
        value: that value, or None.
        reason: why the term is false, if that is not obvious, and what to write instead; else "".
    """

    text: str
    verdict: bool
    state: str = ""
    value: Any = None
    reason: str = ""
    children: tuple[Step, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The node as plain data for JSON."""
        shown: dict[str, Any] = {"text": self.text, "verdict": self.verdict}
        if self.children:
            return shown | {"children": [child.as_dict() for child in self.children]}
        return shown | {"state": self.state, "value": self.value, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one event matches or not.

    Attributes:
        matched: whether the pattern matches.
        reason: why no term was tested (the event is not a JSON object, or has too few fields); else "".
        root: the tree of terms, None when there is a `reason` or the pattern has no terms.
        flips: the smallest set of false terms that would make the pattern match, were they true.
    """

    pattern: str
    matched: bool
    reason: str = ""
    root: Step | None = None
    flips: tuple[Step, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain data for JSON."""
        return {
            "pattern": self.pattern,
            "matched": self.matched,
            "reason": self.reason,
            "tree": self.root.as_dict() if self.root else None,
            "flips": [flip.as_dict() for flip in self.flips],
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The explanation for people, line by line, without control characters."""
        return map(visible, self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{_mark(self.matched)} {'match' if self.matched else 'no match'}"
        if self.reason:
            yield f"  {self.reason}"
        if self.root:
            yield from _tree_lines(self.root, 1)
        if self.flips:
            several = " all of these were true" if len(self.flips) > 1 else ""
            yield f"  it would match if{several}:"
            yield from (f"    {flip.text}{_because(flip)}" for flip in self.flips)


def _mark(verdict: bool) -> str:
    return "✓" if verdict else "✗"


def _because(step: Step) -> str:
    return f"  — {step.reason}" if step.reason else ""


def _tree_lines(step: Step, depth: int) -> Iterator[str]:
    shown = f"{'  ' * depth}{_mark(step.verdict)} {step.text}"
    yield f"{shown}   ← {described(step)}" if step.state else shown
    for child in step.children:
        yield from _tree_lines(child, depth + 1)


def described(step: Step) -> str:
    """The value that a term was tested on, for people: `absent`, `null`, `"text"`, `array [1, 2]`."""
    if step.state in ("absent", "null", "true", "false"):
        return step.state
    text = shorten(jsontext.encode(step.value), _SHOWN)
    return text if step.state in ("string", "number") else f"{step.state} {text}"


def explain(pattern: nodes.Pattern, message: str | bytes) -> Explanation:
    """Why a pattern matches one raw log event or not."""
    text = render(pattern)
    if isinstance(pattern, nodes.JsonPattern):
        record = jsontext.decode_object(message)
        if record is None:
            return Explanation(text, False, "the event is not a JSON object, so no JSON pattern matches it")
        return _explained(text, _step(pattern.expression, record))
    line = message if isinstance(message, str) else message.decode("utf-8", "replace")
    match pattern:
        case nodes.RegexPattern(regex):
            return _explained(text, Step(f"%{regex.source}%", interpret.matches_text(pattern, line)))
        case nodes.TextPattern(terms):
            if not terms:
                return Explanation(text, True, "a pattern without terms matches every event")
            return _explained(text, _text_step(pattern, line))
        case nodes.DelimitedPattern():
            return _explain_delimited(text, pattern, line)


def _explained(text: str, root: Step) -> Explanation:
    return Explanation(text, root.verdict, "", root, () if root.verdict else _flips(root))


def _flips(step: Step) -> tuple[Step, ...]:
    """The smallest set of false terms that would make a false node true."""
    if step.verdict:
        return ()
    if not step.children:
        return (step,)
    options = [_flips(child) for child in step.children]
    if step.text == "any of":
        return min((option for option in options if option), key=len)
    return tuple(flip for option in options for flip in option)


def _step(expression: nodes.Expression, scope: Any) -> Step:
    match expression:
        case nodes.And(terms) | nodes.Or(terms):
            children = tuple(_step(term, scope) for term in terms)
            return _group("all of" if isinstance(expression, nodes.And) else "any of", children)
        case _:
            return _term_step(expression, scope)


def _group(text: str, children: tuple[Step, ...]) -> Step:
    verdicts = [child.verdict for child in children]
    return Step(text, all(verdicts) if text == "all of" else any(verdicts), children=children)


def _term_step(term: nodes.Term, scope: Any) -> Step:
    text = render_expression(term)
    verdict = interpret.term_holds(term, scope)
    if isinstance(term.target, nodes.Field):
        return Step(text, verdict, "string", scope[term.target.name])
    if term.target.wildcards:
        return _wildcard_step(text, verdict, term.target, scope)
    value = runtime.follow(scope, term.target.steps)  # type: ignore[arg-type]
    reason = "" if verdict else _reason(term, value)
    return Step(text, verdict, state_of(value), None if value is runtime.ABSENT else value, reason)


def _wildcard_step(text: str, verdict: bool, selector: nodes.Selector, scope: Any) -> Step:
    values = list(runtime.selected(scope, selector.steps))
    if values or runtime.before_wildcard(scope, selector.steps) is not runtime.ABSENT:
        return Step(text, verdict, f"{len(values)} selected", values)
    reason = "" if verdict else "the part before the wildcard is absent"
    return Step(text, verdict, "absent", None, reason)


def state_of(value: Any) -> str:
    """The JSON type of a value, `absent` for none."""
    if value is runtime.ABSENT:
        return "absent"
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    return {str: "string", list: "array", dict: "object"}.get(value.__class__, "number")


def _reason(term: nodes.Term, value: Any) -> str:
    """Why a term is false, if that is surprising, and what to write instead."""
    state = state_of(value)
    selector = render_target(term.target)
    if isinstance(term, nodes.NotExists):
        return f"the field exists ({state})"
    if isinstance(term, nodes.IsType):
        return _type_reason(term, state, selector)
    if state == "absent":
        fix = f"; add `|| ({selector} NOT EXISTS)`" if term.is_negative else ""
        return f"false because the field is absent{fix}"
    if state == "null":
        return f"comparisons with null are always false; test it with `{selector} IS NULL`"
    if state in ("true", "false"):
        return f"comparisons with a boolean are always false; test it with `{selector} IS {state.upper()}`"
    if state in ("array", "object"):
        return f"comparisons with an {state} are always false; select its values with `{selector}[*]`"
    return _comparison_reason(term, value)


def _type_reason(term: nodes.IsType, state: str, selector: str) -> str:
    if state == "absent" and term.type == "NULL":
        return f"an absent field is not null; test it with `{selector} NOT EXISTS`"
    if state == "string" and term.type != "NULL":
        return f'the field is a string; compare it: `{selector} = "{term.type.lower()}"`'
    article = {"array": "an ", "object": "an ", "number": "a ", "string": "a "}.get(state, "")
    return f"the field is {article}{state}"


def _comparison_reason(term: nodes.Comparison, value: Any) -> str:
    operand = term.value
    if term.is_ordering:
        text = "false because the field is a string: only JSON numbers can be ordered"
        return text if isinstance(value, str) else ""
    if term.is_negative or isinstance(operand, nodes.Regex):
        return ""
    seen = runtime.text_of(value) or ""
    if isinstance(operand, nodes.String) and not isinstance(value, str):
        return f"text is compared with the number's text, {seen}"
    if isinstance(operand, nodes.Number) and isinstance(value, str):
        return f"the field is a string: it must be exactly `{operand.text}`"
    if isinstance(operand, nodes.String) and interpret.value_holds(
        nodes.Comparison(nodes.Field(""), "=", nodes.String(operand.text.lower())), seen.lower()
    ):
        return "it differs only in case, and patterns are case-sensitive"
    return ""


def _text_step(pattern: nodes.TextPattern, line: str) -> Step:
    steps = []
    for term in pattern.terms:
        found = term.text in line
        shown = render(nodes.TextPattern((term,)))
        if term.role == "optional" and not pattern.is_any:
            steps.append(Step(shown, True, reason="ignored next to required and excluded terms"))
        else:
            steps.append(Step(shown, found != (term.role == "excluded")))
    return steps[0] if len(steps) == 1 else _group("any of" if pattern.is_any else "all of", tuple(steps))


def _explain_delimited(text: str, pattern: nodes.DelimitedPattern, line: str) -> Explanation:
    values = columns(line, layout_of(pattern))
    if values is None:
        wanted = sum(isinstance(column, nodes.Column) for column in pattern.columns)
        return Explanation(text, False, f"the event has fewer than {wanted} space-delimited fields")
    steps = tuple(
        _step(column.condition, {column.name: value})
        for column, value in values_of(pattern, values)
        if column is not None and column.condition is not None
    )
    if not steps:
        return Explanation(text, True, "no field is tested")
    return _explained(text, steps[0] if len(steps) == 1 else _group("all of", steps))
