"""The audit for a person at a terminal: one line a control, then the details of what does not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from trailsieve.audit.model import Finding, Link, Road, Verdict
from trailsieve.errors import visible

MARKS: dict[Verdict, str] = {"pass": "✓", "fail": "✗", "unknown": "?"}
WORDS: dict[Verdict, str] = {"pass": "pass", "fail": "fail", "unknown": "cannot tell"}
ROADS = {"cloudwatch": "CloudWatch", "siem": "SIEM"}


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The lines of the report."""
    for account in dict.fromkeys(finding.account for finding in findings):
        own = [finding for finding in findings if finding.account == account]
        yield f"account {visible(account)}"
        yield from (_summary(finding) for finding in own)
        yield ""
        for finding in own:
            if finding.verdict != "pass":
                yield from _details(finding)
    yield _total(findings)


def _summary(finding: Finding) -> str:
    mark, road = MARKS[finding.verdict], finding.road
    broken = road.broken
    said = f"{broken.name}: {broken.said}" if broken else _held(road)
    return f"  {mark} {finding.control:<5} {finding.title:<43} {visible(said)}"


def _held(road: Road) -> str:
    links = {link.name: link for link in road.links}
    return links["pattern" if road.name == "cloudwatch" else "rule"].said


def _details(finding: Finding) -> Iterator[str]:
    yield f"{finding.control} {finding.title}: {WORDS[finding.verdict]}"
    for road in finding.roads:
        if len(finding.roads) > 1:
            yield f"  {ROADS[road.name]}"
        for link in road.links:
            yield f"    {MARKS[link.verdict]} {link.name}: {visible(link.said)}"
            if link.verdict != "pass":
                yield from _shown(link)
    yield ""


def _shown(link: Link) -> Iterator[str]:
    for line in link.evidence:
        yield f"        {visible(line)}"
    if link.witness:
        yield f"        event: {visible(link.witness)}"
    if link.mend:
        yield f"        mend:  {visible(link.mend)}"


def _total(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.verdict for finding in findings)
    verdicts: tuple[Verdict, ...] = ("pass", "fail", "unknown")
    return " · ".join(f"{counts[verdict]} {WORDS[verdict]}" for verdict in verdicts)
