"""The explanation of one event: each term with its value and result, and what would have to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from trailsieve import jsontext
from trailsieve.errors import shorten, visible
from trailsieve.pattern import nodes

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
        reason: why the term is false, if that is not obvious; else "".
        term: the node of the pattern; None above children and for a term that is ignored.
        instead: a condition that is true of the event and was probably meant, or None.
    """

    text: str
    verdict: bool
    state: str = ""
    value: Any = None
    reason: str = ""
    children: tuple[Step, ...] = ()
    term: nodes.Term | nodes.TextTerm | nodes.Regex | None = field(default=None, repr=False)
    instead: nodes.Expression | None = field(default=None, repr=False)

    @property
    def leaves(self) -> Iterator[Step]:
        """The terms from left to right."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves

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
        flips: a smallest set of false terms that would make the pattern match, were they true; it is proved
            that an event exists for which they are.
        never: whether it is proved that no event can match the pattern.
        proposal: a pattern that matches the event, with other terms in place of `flips`; else "".
    """

    pattern: str
    matched: bool
    reason: str = ""
    root: Step | None = None
    flips: tuple[Step, ...] = ()
    never: bool = False
    proposal: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain data for JSON."""
        return {
            "pattern": self.pattern,
            "matched": self.matched,
            "reason": self.reason,
            "tree": self.root.as_dict() if self.root else None,
            "flips": [flip.as_dict() for flip in self.flips],
            "never": self.never,
            "proposal": self.proposal,
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
        if self.never:
            yield "  no event can ever match this pattern (proved)"
        if self.flips:
            several = " all of these were true" if len(self.flips) > 1 else ""
            yield f"  it would match if{several}:"
            yield from (f"    {flip.text}{_because(flip)}" for flip in self.flips)
        if self.proposal:
            yield "  a pattern that also matches this event:"
            yield f"    {self.proposal}"


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
