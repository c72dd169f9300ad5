"""The audit for a person at a terminal: one line per control, then the details of those that do not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from trailsieve.audit.model import Chain, ChainKind, ControlResult, Link, Verdict
from trailsieve.errors import visible

MARKS: dict[Verdict, str] = {"pass": "✓", "fail": "✗", "unknown": "?"}
WORDS: dict[Verdict, str] = {"pass": "pass", "fail": "fail", "unknown": "cannot tell"}
KINDS: dict[ChainKind, str] = {"cloudwatch": "CloudWatch", "trailsieve": "trailsieve"}


def by_account(results: Sequence[ControlResult]) -> dict[str, list[ControlResult]]:
    """The results of each account; they come account by account."""
    return {account: list(own) for account, own in groupby(results, attrgetter("account"))}


def lines(results: Sequence[ControlResult]) -> Iterator[str]:
    """The lines of the report."""
    for account, own in by_account(results).items():
        yield f"account {visible(account)}"
        yield from map(_summary, own)
        yield ""
        for result in own:
            if result.verdict != "pass":
                yield from _details(result)
    counts = Counter(result.verdict for result in results)
    yield " · ".join(f"{counts[verdict]} {word}" for verdict, word in WORDS.items())


def _summary(result: ControlResult) -> str:
    broken = result.chain.broken
    message = f"{broken.name}: {broken.message}" if broken else _pattern(result.chain).message
    return f"  {MARKS[result.verdict]} {result.control:<5} {result.title:<43} {visible(message)}"


def _pattern(chain: Chain) -> Link:
    """The link that says what the pattern of a filter or rule matches."""
    return next(link for link in chain.links if link.name in ("pattern", "rule"))


def _details(result: ControlResult) -> Iterator[str]:
    yield f"{result.control} {result.title}: {WORDS[result.verdict]}"
    for chain in result.chains:
        if len(result.chains) > 1:
            yield f"  {KINDS[chain.kind]}"
        for link in chain.links:
            yield f"    {MARKS[link.verdict]} {link.name}: {visible(link.message)}"
            if link.verdict != "pass":
                yield from _shown(link)
    yield ""


def _shown(link: Link) -> Iterator[str]:
    for line in link.evidence:
        yield f"        {visible(line)}"
    if link.witness:
        yield f"        event: {visible(link.witness)}"
    if link.remediation:
        yield f"        remediation: {visible(link.remediation)}"
