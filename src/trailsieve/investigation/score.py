"""The score of a chain of identities: a sum of signals, each with its points and a sentence that says why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from math import log2

from trailsieve.errors import counted, with_and
from trailsieve.formats.alert_fields import technique_ids
from trailsieve.investigation import weights
from trailsieve.investigation.acts import Acts, act_of, phrase
from trailsieve.investigation.identities import Chain
from trailsieve.investigation.model import Call, Signal, total
from trailsieve.investigation.names import by_service, is_address, last_part, listed, short
from trailsieve.investigation.usual import Usual, changes
from trailsieve.model import SEVERITIES
from trailsieve.rules.rule import Rule

_TACTIC = re.compile(r"attack\.([a-z]+(?:[-_][a-z]+)*)", re.IGNORECASE)
_TOOLS = re.compile(
    r"pacu|stratus[-_]red[-_]team|kali|parrot|pentoo|cloudfox|enumerate[-_]iam|weirdaal|scoutsuite|cloudgoat|"
    r"nebula|barq|endgame|leonidas|trufflehog|s3[- ]?browser|quiet[-_]?riot",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"AccessDenied|Unauthorized|Forbidden", re.IGNORECASE)
_MANY_REFUSED = 10  # refusals of at least five different calls are a search for what works
_BULK = 20  # objects read, written or deleted that are more than a routine task
_ON_DATA = ("objects touched", "secrets read", "data destroyed", "data encrypted")
_ON_ONE = ("DeleteObject", "PutObject", "CopyObject", "Get", "BatchGet")  # beginnings of names
_NOTE = re.compile(
    r"ransom|decrypt|recover|restore|unlock|how.?to|read.?me|warning|attention|contact|(?:^|[^a-z])notes?(?:[^a-z]|$)|"
    r"payment|pay.?(?:now|up)|hacked|encrypted|your.?(?:files|data)",
    re.IGNORECASE,
)


def signals(chain: Chain, usual: Usual, rules: Mapping[str, Rule]) -> list[Signal]:
    """Returns the reasons for suspicion, those with most points first."""
    own = [call for _, call in chain.work if not by_service(call.actor.service) or act_of(call)]
    found = [
        *_rules(own, usual, rules),
        *_acts(own, usual, Acts(own), chain.members[0].name),
        *_tools(own),
        *_failures(own),
        *_news(chain, usual),
        *_volume(chain, usual),
    ]
    return sorted(
        (signal for signal in found if signal.points > 0), key=lambda s: (-s.points, s.kind, s.text)
    )


def refused(call: Call) -> bool:
    """Whether a call failed for lack of rights."""
    return bool(call.error_code) and _REFUSED.search(call.error_code) is not None


def tactics_of(tags: Iterable[str]) -> list[str]:
    """Returns the ATT&CK tactics among a rule's tags, in words: "privilege escalation"."""
    found = (_TACTIC.fullmatch(tag) for tag in tags)
    return [re.sub("[-_]", " ", match[1].lower()) for match in found if match]


def _rules(calls: Sequence[Call], usual: Usual, rules: Mapping[str, Rule]) -> Iterator[Signal]:
    """One signal for all rules: the sum over distinct rules, techniques and tactics."""
    matched: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        for name in call.rules:
            if name in rules:
                matched[name].append(call)
    routine: list[str] = []
    tags: list[str] = []
    points = 0.0
    for name, hits in matched.items():
        weight = weights.RULE[rules[name].severity] + log2(total(hits)) / 8
        if all(hit.error_code for hit in hits):
            weight *= weights.ATTEMPT
        if usual.routine(hits):
            routine.append(name)
            weight *= weights.ROUTINE
        else:
            tags += rules[name].tags
        points += weight
    tactics = set(tactics_of(tags))
    points += weights.TECHNIQUE * len(set(technique_ids(tags))) + weights.TACTIC * len(tactics)
    if matched:
        most_severe = sorted(matched, key=lambda name: (-SEVERITIES.index(rules[name].severity), name))
        text = f"matched {counted(len(matched), 'rule')}"
        text += f": {listed([f'{rules[name].title} ({rules[name].severity})' for name in most_severe])}"
        text += f"; tactics: {', '.join(sorted(tactics))}" if tactics else ""
        text += f"; {listed(routine)} all through the archive" if routine else ""
        yield Signal("rules", min(weights.RULES, round(points)), text)


def _acts(calls: Sequence[Call], usual: Usual, acts: Acts, lead: str) -> Iterator[Signal]:
    """One signal for each kind of decisive act."""
    kinds: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        kind = acts.kind(call)
        if kind:
            kinds[kind].append(call)
    for kind, done in kinds.items():
        succeeded = [call for call in done if not call.error_code]
        points = weights.ACT[kind] * (1 if succeeded else weights.ATTEMPT)
        count = total(succeeded or done)
        text = with_and([p for p, _ in phrases(done, acts, lead)[:3]])
        if kind in _ON_DATA and not kind_is_grave(done, count):
            points *= weights.ROUTINE
        if usual.routine(done):
            points *= weights.ROUTINE
            text += ", all through the archive"
        yield Signal(kind, round(points), f"{text} ({_when(succeeded or done)})")
    note = ransom_note(calls, kinds.keys())
    if note:
        yield Signal("ransom note", weights.ACT["encryption changed"], note[0])


def ransom_note(calls: Sequence[Call], kinds: Set[str]) -> tuple[str, str] | None:
    """Returns in words which ransom note was written, and when, if data was destroyed or encrypted too."""
    if kinds.isdisjoint(("data destroyed", "data encrypted", "encryption changed")):
        return None
    for call in calls:
        name = note_of(call)
        if name:
            return f"wrote what looks like a ransom note, {name}", call.first
    return None


def note_of(call: Call) -> str:
    """Returns the name of the object that a call wrote, if it is like that of a ransom note; else ""."""
    if call.event_name != "PutObject" or call.error_code:
        return ""
    name = next((last_part(target.name) for target in call.targets if target.kind == "object"), "")
    return name if _NOTE.search(name) else ""


def kind_is_grave(calls: Sequence[Call], count: int) -> bool:
    """Whether acts on data are more than a routine task: many of them, or a whole bucket, key or database."""
    return count >= _BULK or any(not call.event_name.startswith(_ON_ONE) for call in calls)


def phrases(calls: Sequence[Call], acts: Acts, lead: str) -> list[tuple[str, str]]:
    """Returns acts in words with the first time of each, in time order.

    Args:
        lead: the short name of the chain's first identity; what others of the chain did names them.
    """
    return sorted(((text, first) for text, first, _ in _phrases(calls, acts, lead)), key=lambda item: item[1])


def main_phrase(calls: Sequence[Call], acts: Acts, lead: str) -> tuple[str, str]:
    """Returns the first act of a kind, or the most frequent if it is on data, in words, and its time."""
    by_size = acts.kind(calls[0]) in _ON_DATA
    text, first, _ = min(_phrases(calls, acts, lead), key=lambda item: (-item[2] if by_size else 0, item[1]))
    return text, first


def _phrases(calls: Sequence[Call], acts: Acts, lead: str) -> Iterator[tuple[str, str, int]]:
    """Acts in words, the first time of each, and how many calls it took."""
    groups: dict[tuple[str, str, bool, str], list[Call]] = defaultdict(list)
    for call in calls:
        act = act_of(call)
        if act:
            name, failed = short(call.actor.principal), bool(call.error_code)
            groups[f"{act.past} {act.noun}", acts.kind(call), failed, name].append(call)
    for (_, kind, _, name), group in groups.items():
        act = act_of(group[0])
        if act:
            text = phrase(act, kind, group) + (f" as {name}" if name != lead else "")
            yield text, min(call.first for call in group), total(group)


def _when(calls: Sequence[Call]) -> str:
    first, last = min(call.first for call in calls), max(call.last for call in calls)
    return first[11:19] if first[:19] == last[:19] else f"{first[11:19]}–{last[11:19]}"


def _tools(calls: Sequence[Call]) -> Iterator[Signal]:
    agents = {call.user_agent for call in calls}
    names = sorted({found[0].lower() for agent in agents if (found := _TOOLS.search(agent))})
    if names:
        yield Signal("tool", weights.TOOL, f"the user agent names a tool of attackers: {listed(names)}")


def _failures(calls: Sequence[Call]) -> Iterator[Signal]:
    """What failed first and succeeded later."""
    since: dict[tuple[str, str], str] = {}
    for call in calls:
        if refused(call):
            since.setdefault((call.event_source, call.event_name), call.first)
    later = {
        call.event_name
        for call in calls
        if not call.error_code and call.last > since.get((call.event_source, call.event_name), "~")
    }
    count = total(call for call in calls if refused(call))
    if later:
        text = f"refused first, later allowed: {listed(sorted(later))}"
        yield Signal("failed then succeeded", weights.FAILED_THEN_SUCCEEDED, text)
    if count >= _MANY_REFUSED and len(since) >= 5:
        text = f"was refused {count:,} times in {len(since)} different calls"
        yield Signal("refused", weights.FAILED_THEN_SUCCEEDED, text)
    logins = [call for call in calls if call.event_name == "ConsoleLogin"]
    failed = [call for call in logins if call.error_code]
    number = total(failed)
    if number >= 3 and any(not call.error_code and call.last > failed[0].first for call in logins):
        yield Signal(
            "guessed password",
            weights.GUESSED_PASSWORD,
            f"{number:,} console sign-ins failed, then one succeeded",
        )


def _news(chain: Chain, usual: Usual) -> Iterator[Signal]:
    """Addresses, regions, programs and calls that are new to the chain and that nobody else has."""
    for kind, points, what in (
        ("address", weights.NEW_ADDRESS, "from an address that it did not use before and nobody else does"),
        ("region", weights.NEW_REGION, "in a region where it did not work before and nobody else does"),
        ("agent", weights.NEW_AGENT, "with a program that it did not use before and nobody else does"),
    ):
        new = {
            name: first
            for name, first in usual.new(chain, kind).items()
            if (is_address(name) if kind == "address" else not by_service(name))
        }
        if new:
            since = next(iter(new.values()))
            yield Signal(f"new {kind}", points, f"{what}: {listed(new)} (since {since[11:19]})")
    calls = {name.partition(":")[2] for name in usual.new(chain, "call")}
    if calls:
        points = min(15, round(weights.NEVER_BEFORE * log2(1 + len(calls))))
        number = counted(len(calls), "API call")
        yield Signal(
            "new calls",
            points,
            f"{number} that it did not make before and nobody else makes: {listed(sorted(calls))}",
        )


def _volume(chain: Chain, usual: Usual) -> Iterator[Signal]:
    """Far more changes than anybody else makes."""
    mine, others = changes(chain), usual.next_busiest(chain)
    if others and mine >= 50 and mine > 3 * others:
        text = f"{mine:,} changes, the next busiest makes {others:,}"
        yield Signal("volume", weights.VOLUME, text)
