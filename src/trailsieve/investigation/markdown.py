"""An investigation as Markdown for a ticket: the verdict, the suspects, the decisive steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from trailsieve import private_file
from trailsieve.errors import counted, shorten
from trailsieve.investigation.model import Investigation, Step, Suspect
from trailsieve.investigation.names import last_part, listed
from trailsieve.investigation.stories import key_steps
from trailsieve.investigation.verdict import DECISIVE

# What Markdown reads as more than text in its place: spec.commonmark.org and github.github.com/gfm.
_MARKUP = re.compile(r"[\\`*\[\]~$]|(?<!\w)_|_(?!\w)|(?<=\])\(|^[-+=]|(?<=^\d)[.)](?=\s|$)")
# What a backslash does not stop: HTML, cells, links that need no markup, mentions and references in trackers.
_LIVE = re.compile(r"[<>|@#]|&(?=[#\w])|:(?=//)|(?<=javascript):|(?<=mailto):|(?<=www)\.", re.IGNORECASE)
_LONGEST = 300  # characters of a text from logs
_LONGEST_SENTENCE = 2000
_STEPS = 40
_REMAINS = 20


def write(found: Investigation, path: Path) -> None:
    """Writes the summary, readable by its owner only.

    Raises:
        OSError: the file cannot be written.
    """
    private_file.write(path, markdown(found).encode("utf-8", "replace"))


def markdown(found: Investigation) -> str:
    """Returns the text; whatever comes from logs is escaped, so that it is shown as it is."""
    return "\n".join(_lines(found)) + "\n"


def escaped(text: str, longest: int = _LONGEST) -> str:
    """Returns text that Markdown and HTML show as it is, on one line, cut to `longest` characters."""
    marked = _LIVE.sub(lambda found: f"\0{ord(found[0])};", _MARKUP.sub(r"\\\g<0>", shorten(text, longest)))
    return marked.replace("\0", "&#")


def _lines(found: Investigation) -> Iterator[str]:
    yield "# Investigation"
    yield ""
    for sentence in found.verdict.sentences:
        yield f"- {escaped(sentence, _LONGEST_SENTENCE)}"
    yield from ("", "## Suspects", "")
    yield from _table(
        ("Score", "Suspect", "Calls", "Failed", "First", "Last", "What"), map(_row, found.suspects[:10])
    )
    for suspect in found.suspects:
        if suspect.score >= DECISIVE:
            yield from _story(suspect)
    yield from ("", "## Rules that matched", "")
    fired = (
        (one.severity, one.rule, one.title, f"{one.alerts:,}", one.first, one.last) for one in found.fired
    )
    yield from _table(("Severity", "Rule", "Title", "Matches", "First", "Last"), fired)
    if found.appendix:
        yield from ("", "## How this was made", "")
        yield from _table(("", ""), found.appendix)


def _row(suspect: Suspect) -> tuple[str, ...]:
    counts = f"{suspect.calls:,}", f"{suspect.failed:,}"
    return str(suspect.score), suspect.name, *counts, suspect.first, suspect.last, suspect.headline


def _story(suspect: Suspect) -> Iterator[str]:
    yield from ("", f"## {escaped(suspect.name)}, score {suspect.score}", "")
    for identity in suspect.identities:
        keys = f", keys {listed(identity.access_keys, 5)}" if identity.access_keys else ""
        how = f": {identity.how}" if identity.how else ""
        yield f"- {escaped(f'{identity.principal}{keys}{how}')}"
    yield from (
        "",
        "Why:",
        "",
        *(f"- {counted(signal.points, 'point')}: {escaped(signal.text)}" for signal in suspect.signals),
    )
    shown = key_steps(suspect.steps, _STEPS)
    yield ""
    yield from _table(("Time", "Severity", "Who", "Call", "Target", "Outcome", "From"), map(_step, shown))
    left = len(suspect.steps) - len(shown) + suspect.omitted_steps
    if left:
        yield from ("", f"{left:,} less important steps are not listed.")
    if suspect.left_behind:
        yield from (
            "",
            "Left behind:",
            "",
            *(f"- {escaped(line)}" for line in suspect.left_behind[:_REMAINS]),
        )


def _step(step: Step) -> tuple[str, ...]:
    call = f"{step.event_name}{f' ×{step.count:,}' if step.count > 1 else ''}"
    names = listed([last_part(target.name) for target in step.targets], 3)
    where = f"{names} ({step.note})" if names and step.note else names or step.note
    return step.first, step.severity or "", step.identity, call, where, step.outcome, step.source_ip


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(escaped, row))} |"
