"""The audit as one HTML file: a chain of links for each control, the broken one in red.

It needs no script, no network and no other file, and says so to the browser (Content-Security-Policy).
Everything that came from AWS is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from importlib import resources

from trailsieve.audit.model import LINKS, Finding, Link, Road, Verdict
from trailsieve.audit.reports.text import MARKS, ROADS, WORDS
from trailsieve.errors import visible

_ORDER: tuple[Verdict, ...] = ("fail", "unknown", "pass")
_TITLE = "CIS AWS Foundations: monitoring controls"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(findings: Sequence[Finding], now: datetime) -> str:
    """The whole page."""
    style = (resources.files("trailsieve.audit.reports") / "page.css").read_text("utf-8")
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{_TITLE}</title>\n<style>\n{style}</style></head>\n"
    )
    return head + "\n".join(("<body><main>", *_body(findings, now), "</main></body></html>")) + "\n"


def _body(findings: Sequence[Finding], now: datetime) -> Iterator[str]:
    counts = Counter(finding.verdict for finding in findings)
    yield f"<header><h1>{_TITLE}</h1>"
    yield f"<p>trailsieve audit, {now:%Y-%m-%d %H:%M} UTC. What each link does was tried, not read.</p>"
    tallies = (f'<span class="tally {v}"><b>{counts[v]}</b> {WORDS[v]}</span>' for v in _ORDER)
    yield f'<p class="tallies">{"".join(tallies)}</p></header>'
    accounts = list(dict.fromkeys(finding.account for finding in findings))
    if len(accounts) > 1:
        yield from _matrix(findings, accounts)
    for account in accounts:
        yield f'<section class="account"><h2>Account {_text(account)}</h2>'
        for finding in findings:
            if finding.account == account:
                yield from _control(finding)
        yield "</section>"


def _matrix(findings: Sequence[Finding], accounts: Iterable[str]) -> Iterator[str]:
    """Accounts by controls, each cell a link to its chain."""
    controls = list(dict.fromkeys(finding.control for finding in findings))
    cells = "".join(f"<th>{_text(control)}</th>" for control in controls)
    yield f'<div class="wide"><table><tr><th>account</th>{cells}</tr>'
    by_place = {(finding.account, finding.control): finding for finding in findings}
    for account in accounts:
        row = (by_place[account, control] for control in controls)
        cells = "".join(
            f'<td class="{one.verdict}"><a href="#{_anchor(one)}" title="{WORDS[one.verdict]}">'
            f"{MARKS[one.verdict]}</a></td>"
            for one in row
        )
        yield f"<tr><th>{_text(account)}</th>{cells}</tr>"
    yield "</table></div>"


def _control(finding: Finding) -> Iterator[str]:
    broken = finding.road.broken
    opened = "" if finding.verdict == "pass" else " open"
    yield f'<details class="control {finding.verdict}" id="{_anchor(finding)}"{opened}><summary>'
    yield f'<span class="number">{_text(finding.control)}</span> <h3>{_text(finding.title)}</h3>'
    badge = f"{MARKS[finding.verdict]} {WORDS[finding.verdict]}" + (f": {broken.name}" if broken else "")
    yield f'<span class="badge">{_text(badge)}</span></summary>'
    for road in finding.roads:
        if len(finding.roads) > 1:
            yield f'<p class="road {road.verdict}">{MARKS[road.verdict]} {ROADS[road.name]}</p>'
        yield _chain(road)
        yield from _explained(road)
    yield "</details>"


def _chain(road: Road) -> str:
    """The diagram: a box a link, an arrow between two; links behind a break were not walked."""
    walked = {link.name: link for link in road.links}
    boxes = []
    for name in LINKS[road.name]:
        link = walked.get(name)
        kind, mark = (link.verdict, MARKS[link.verdict]) if link else ("unwalked", "–")
        said = _text(link.said) if link else "not examined"
        boxes.append(
            f'<li class="{kind}" title="{said}"><span class="mark">{mark}</span>'
            f'<span class="name">{_text(name)}</span></li>'
        )
    return f'<ol class="chain">{"".join(boxes)}</ol>'


def _explained(road: Road) -> Iterator[str]:
    """The first broken link at length, then a line for each other link."""
    broken = road.broken
    if broken:
        yield f'<div class="broken {broken.verdict}"><p><b>{_text(broken.name)}</b> {_text(broken.said)}</p>'
        yield from _shown(broken)
        yield "</div>"
    rest = [link for link in road.links if link is not broken]
    label = "the other links" if broken else "all links"
    yield f"<details><summary>{label}</summary><dl>"
    for link in rest:
        yield f'<dt class="{link.verdict}">{MARKS[link.verdict]} {_text(link.name)}</dt>'
        yield f"<dd>{_text(link.said)}"
        yield from _shown(link)
        yield "</dd>"
    yield "</dl></details>"


def _shown(link: Link) -> Iterator[str]:
    if link.evidence:
        yield "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in link.evidence) + "</ul>"
    if link.witness:
        yield f'<p class="label">an event that shows it</p><pre>{_text(link.witness)}</pre>'
    if link.mend and link.verdict != "pass":
        yield f'<p class="label">what mends it</p><pre>{_lines(link.mend)}</pre>'


def _anchor(finding: Finding) -> str:
    return _text(f"a{finding.account}-{finding.control}")


def _text(text: str) -> str:
    return escape(visible(text))


def _lines(text: str) -> str:
    """A command or a piece of configuration, which may have lines."""
    return "\n".join(map(_text, text.split("\n")))
