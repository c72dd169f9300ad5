"""The answer in a few sentences: what happened, who did it, from where, to what, and is it over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trailsieve.errors import counted, with_and
from trailsieve.investigation import coverage
from trailsieve.investigation.identities import WEAK
from trailsieve.investigation.model import Call, CoveredHour, Suspect, Verdict, total
from trailsieve.investigation.names import UNKNOWN_USER, agent_name, listed
from trailsieve.times import seconds_of

DECISIVE = 40  # points from which on a suspect did something that must be looked at
_JUST_NOW = 900  # seconds before the archive's end in which somebody is still active


def verdict(
    suspects: Sequence[Suspect],
    calls: Sequence[Call],
    hours: Sequence[CoveredHour],
    records: int,
    selection: str = "",
) -> Verdict:
    """Returns the answer, worst news first.

    Args:
        selection: the options that select the calls; "" when all records count.
    """
    first = min((call.first for call in calls if call.first), default="")
    last = max((call.last for call in calls), default="")
    if not calls:
        none = f"{selection} selects none of {counted(records, 'record')}" if selection and records else ""
        return Verdict([f"Nothing can be concluded: {none or 'no CloudTrail records were read'}."])
    decisive = [suspect for suspect in suspects if suspect.score >= DECISIVE]
    matched = total(call for call in calls if call.rules)
    sentences = list(_about(decisive[0], last)) if decisive else [_nothing(suspects, matched)]
    if len(decisive) > 1:
        others = [f"{suspect.name} (score {suspect.score}) {suspect.headline}" for suspect in decisive[1:3]]
        more = len(decisive) - 1 - len(others)
        sentences.append(f"Look next at {'; '.join(others)}{f'; and {more} more' if more else ''}.")
    sentences.append(_covered(calls, hours, records, first, last, matched))
    if selection:
        selected = f"{total(calls):,} of {counted(records, 'record')}"
        sentences.insert(0, f"This is about {selected} only, those that {selection} selects.")
    return Verdict(sentences)


def _about(suspect: Suspect, end: str) -> Iterator[str]:
    when = f"between {moment(suspect.first)} and {moment(suspect.last)}"
    where = f" in account {listed(suspect.accounts, 2)}" if suspect.accounts else ""
    yield f"{suspect.name}{where} {suspect.headline}, {when}."
    others = [identity for identity in suspect.identities[1:] if identity.name != UNKNOWN_USER]
    sure = [identity.name for identity in others if WEAK not in identity.how]
    likely = [identity.name for identity in others if WEAK in identity.how]
    if sure:
        yield f"It also acted as {listed(sure, 3)}."
    if likely:
        yield f"Probably the same person, by address or program only: {listed(likely, 3)}."
    programs = listed(dict.fromkeys(agent_name(agent) for agent in suspect.agents), 2)
    where = f"{listed(suspect.addresses, 2) or 'AWS itself'} with {programs or 'unnamed programs'}"
    yield f"It came from {where}, in {listed(suspect.regions, 3)}."
    yield is_over(suspect, end)


def is_over(suspect: Suspect, end: str) -> str:
    """Returns whether a suspect may still be active, and what it left."""
    gap = (seconds_of(end) or 0) - (seconds_of(suspect.last) or 0)
    if gap <= _JUST_NOW:
        over = f"Not known to be over: its last call was at {moment(suspect.last)}"
    else:
        over = f"Quiet since {moment(suspect.last)}"
    over += f", {_length(gap)} before the archive ends" if gap else ", where the archive ends"
    left = len(suspect.left_behind)
    return (
        f"{over}; {counted(left, 'change')} it made {'is' if left == 1 else 'are'} not undone."
        if left
        else f"{over}."
    )


def _nothing(suspects: Sequence[Suspect], matched: int) -> str:
    if not matched:
        return "No rule matched, and nobody did anything decisive."
    first = f"; most noticeable is {suspects[0].name} (score {suspects[0].score})" if suspects else ""
    return f"Nobody did anything decisive: {counted(matched, 'call')} matched rules{first}."


def _covered(
    calls: Sequence[Call], hours: Sequence[CoveredHour], records: int, first: str, last: str, matched: int
) -> str:
    parts = [coverage.sentence(hours, records, first, last).rstrip(".")]
    missing = coverage.gaps(hours)
    if missing:
        parts.append(f"{counted(len(missing), 'gap')}: {listed(missing, 2)}")
    return ". ".join([*parts, *coverage.unseen(calls, hours, matched)]) + "."


def moment(time: str) -> str:
    """Returns a time without its fraction: `2026-03-14 02:16:48`."""
    return time[:19].replace("T", " ")


def _length(seconds: int) -> str:
    if seconds < 120:
        return counted(seconds, "second")
    return (
        counted(seconds // 60, "minute")
        if seconds < 7200
        else counted(seconds // 3600, "hour")
        if seconds < 172_800
        else counted(seconds // 86_400, "day")
    )


def headline(phrases: Sequence[str], rules: int) -> str:
    """Returns what a suspect did in one clause."""
    if phrases:
        return with_and(phrases)
    return (
        f"matched {counted(rules, 'rule')}, but did nothing decisive"
        if rules
        else "did nothing that stands out"
    )
