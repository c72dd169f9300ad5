"""An investigation on a terminal: the verdict, the suspects and their stories, in any width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from trailsieve.cli.options import SEVERITY_STYLES
from trailsieve.cli.table import table
from trailsieve.errors import cells, counted, shorten, tail, visible
from trailsieve.investigation.model import Identity, Investigation, PrincipalSummary, Step, Suspect
from trailsieve.investigation.names import last_part, listed, short
from trailsieve.investigation.stories import CONTINUES, is_folded, key_steps
from trailsieve.investigation.verdict import DECISIVE
from trailsieve.model import Severity

_SHORT: dict[Severity, str] = {
    "informational": "info",
    "low": "low",
    "medium": "med",
    "high": "high",
    "critical": "crit",
}
_REASONS = 3
_REMAINS = 6
_WIDE = 160  # columns from which on tactics are shown
_WHO = (14, 26)  # narrowest and widest column of identities


@dataclass(frozen=True, slots=True)
class Layout:
    """How to print: the width in cells, whether in colour, and how much of each story.

    Attributes:
        suspects: rows of the table of suspects.
        steps: lines of a story; the least important ones are left out.
    """

    width: int
    color: bool = False
    suspects: int = 4
    steps: int = 16

    def styled(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self.color else text


def lines(found: Investigation, layout: Layout) -> Iterator[str]:
    """Returns the lines of an investigation; text from logs is escaped."""
    yield layout.styled("VERDICT", bold=True)
    for sentence in found.verdict.sentences:
        yield from _wrapped(sentence, layout.width, "  ")
    if found.suspects:
        yield from ("", *_suspects(found.suspects, layout))
    for number, suspect in enumerate(found.suspects[: layout.suspects], 1):
        if suspect.score >= DECISIVE or number == 1:
            yield from ("", *_story(number, suspect, layout))


def principals(found: Sequence[PrincipalSummary], layout: Layout) -> Iterator[str]:
    """Returns the table of all principals."""
    header = ("principal", "calls", "failed", "first", "last", "services", "from")
    rows = [
        (
            tail(short(one.principal), 40),
            f"{one.calls:,}",
            f"{one.failed:,}",
            one.first[:19],
            one.last[:19],
            shorten(listed([*one.succeeded_by_service, *one.failed_by_service], 3), 30),
            shorten(listed(one.addresses, 1), 24),
        )
        for one in found
    ]
    for line in table(header, rows, frozenset({1, 2})):
        yield shorten(line, max(layout.width, 40))


def _suspects(suspects: Sequence[Suspect], layout: Layout) -> Iterator[str]:
    shown = suspects[: layout.suspects]
    yield layout.styled(f"{'SCORE':>5}  {'SUSPECT':<28}  {'CALLS':>7}  {'FAILED':>6}  WHAT", bold=True)
    for suspect in shown:
        more = len(suspect.identities) - 1
        name = shorten(suspect.name, 28 - len(f" +{more}") if more else 28) + (f" +{more}" if more else "")
        counts = f"{suspect.calls:>7,}  {suspect.failed:>6,}"
        line = f"{suspect.score:>5}  {_padded(name, 28)}  {counts}  {suspect.headline}"
        bold = suspect.score >= DECISIVE
        yield layout.styled(shorten(line, layout.width), bold=True) if bold else shorten(line, layout.width)
    if len(suspects) > len(shown):
        yield f"       and {len(suspects) - len(shown):,} more"


def _story(number: int, suspect: Suspect, layout: Layout) -> Iterator[str]:
    yield layout.styled(shorten(f"STORY {number}: {suspect.name}", layout.width), bold=True)
    for identity in suspect.identities[1:4]:
        yield shorten(f"  as {_who(identity)}", layout.width)
    if len(suspect.identities) > 4:
        yield f"  and {len(suspect.identities) - 4} more identities"
    yield from _reasons(suspect, layout)
    yield from _steps(suspect, layout)
    for line in suspect.noise[:3]:
        yield shorten(f"  folded: {line}", layout.width)
    if suspect.left_behind:
        yield layout.styled("  left behind:", bold=True)
        for line in suspect.left_behind[:_REMAINS]:
            yield shorten(f"    {line}", layout.width)
        if len(suspect.left_behind) > _REMAINS:
            yield f"    and {len(suspect.left_behind) - _REMAINS} more"


def _who(identity: Identity) -> str:
    return f"{identity.name}: {identity.how}" if identity.how else identity.name


def _reasons(suspect: Suspect, layout: Layout) -> Iterator[str]:
    for signal in suspect.signals[:_REASONS]:
        yield shorten(f"  {f'+{signal.points}':>4}  {signal.text}", layout.width)
    rest = suspect.signals[_REASONS:]
    if rest:
        yield shorten(
            f"  {f'+{sum(s.points for s in rest)}':>4}  {listed([s.kind for s in rest], 5)}", layout.width
        )


def _steps(suspect: Suspect, layout: Layout) -> Iterator[str]:
    shown = key_steps(suspect.steps, layout.steps)
    who = min(max((cells(visible(step.identity)) for step in shown), default=0), _WHO[layout.width >= 120])
    home = suspect.addresses[0] if suspect.addresses else ""
    day = ""
    for step in shown:
        if step.first[:10] != day:
            day = step.first[:10]
            yield layout.styled(f"  {visible(day)}", bold=True)
        yield _step(step, who, home, layout)
    left = len(suspect.steps) - len(shown) + suspect.omitted_steps
    if left:
        yield f"  and {counted(left, 'less important step')}: --steps {len(suspect.steps)} shows them"


def _step(step: Step, who: int, home: str, layout: Layout) -> str:
    mark = " " * 4
    if step.severity:
        mark = layout.styled(f"{_SHORT[step.severity]:<4}", **SEVERITY_STYLES[step.severity])
    head = f"  {visible(step.first[11:19]):<8}  "
    name = f"  {_padded(tail(step.identity, who), who)}  "
    rest = layout.width - len(head) - 4 - cells(name)
    text = shorten(_what(step, home, layout.width), max(20, rest))
    return f"{head}{mark}{name}{layout.styled(text, dim=True) if step.outcome else text}"


def _what(step: Step, home: str, width: int) -> str:
    """What a step was: the call, how often, with which effect, on what, and what differs from the rest."""
    times = f" ×{step.count:,}" if step.count > 1 and not is_folded(step) else ""
    parts = [f"{step.note}: {step.event_name}" if is_folded(step) else step.event_name + times]
    if step.last[:16] != step.first[:16]:
        parts.append(f"until {step.last[11:16]}")
    if step.outcome:
        parts.append(f"✗ {step.outcome}")
    if step.note and not is_folded(step):
        parts[-1] += f": {step.note}"
    names = [
        f"{last_part(one.name)} +{one.more:,}" if one.more else last_part(one.name) for one in step.targets
    ]
    if names and not step.note.startswith(CONTINUES):
        parts.append(f"→ {listed(names)}")
    if home and home not in step.source_ip and step.source_ip:
        parts.append(f"from {step.source_ip}")
    if width >= _WIDE and step.tactics:
        parts.append(f"[{', '.join(step.tactics)}]")
    return " ".join(parts)


def _padded(text: str, width: int) -> str:
    shown = visible(text)
    return shown + " " * (width - cells(shown))


def _wrapped(text: str, width: int, indent: str) -> Iterable[str]:
    return textwrap.wrap(
        visible(text), max(width, 40), initial_indent=f"{indent}• ", subsequent_indent=f"{indent}  "
    )
