"""A chain of identities as a story: steps in time order, equal ones folded, the decisive ones apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from trailsieve.errors import counted
from trailsieve.investigation.acts import Acts, act_of, gives_everything
from trailsieve.investigation.folding import OTHERS
from trailsieve.investigation.identities import Chain, Member
from trailsieve.investigation.model import Actor, Call, Grant, Step, total
from trailsieve.investigation.names import by_count, by_service, is_address, listed
from trailsieve.investigation.score import note_of, refused, tactics_of
from trailsieve.investigation.turns import ELSEWHERE, NEW_KEY, turns_of
from trailsieve.investigation.work import QUIET
from trailsieve.model import SEVERITIES, Target
from trailsieve.rules.rule import Rule
from trailsieve.times import seconds_of

CONTINUES = "continues as "
OWN = "its own"  # the note of acts on what the suspect made itself
_FOLDED = re.compile(r"(?:(?:with new key|now from) .{1,200}?: )?[\d,]+ (?:refused|read|other) calls? in ")
_PHASE = 600  # seconds in which calls of one kind are one line
_MOST_STEPS = 500
_MOST_TARGETS = 4  # kinds of targets
_MOST_OF_A_KIND = 2
_MOST_NAMES = 4  # API calls that a folded line names
_NOISE = 20  # calls of an identity that are worth a line about what was folded
_LINKS = ("AssumeRole", "GetSessionToken", "GetFederationToken", "SwitchRole")  # beginnings of names
_REPEATED = 0.5  # weight of a step that happened before in the same way
_MANY = 10  # refused calls of a folded line that show a search for what is allowed
_GRAVE_RULE = 2  # from medium on, a rule makes a call a line by itself


class Story:
    """The steps of a chain, given the grants by the principal who gave them.

    Attributes:
        steps: in time order.
        omitted: the number of steps left out, the least important ones.
        noise: what was folded away, in words.
        first: the time of the first step that matters.
        work: the calls behind the steps, in time order: all but somebody's usual work from elsewhere.
    """

    def __init__(
        self, chain: Chain, grants: Mapping[str, Sequence[Grant]], rules: Mapping[str, Rule]
    ) -> None:
        self._chain, self._acts = chain, Acts(chain.calls)
        self._rules = {name: rule for name, rule in rules.items() if _is_about_calls(rule)}
        self._all_rules = rules
        made = {
            grant.access_key
            for member in chain.members
            for grant in grants.get(member.principal, ())
            if grant.kind == "access key"
        }
        self._turns = {
            call: note for member in chain.members for call, note in turns_of(member, made).items()
        }
        work = chain.work
        self.work = sorted((call for _, call in work), key=lambda call: call.first)
        self.noise = [*chain.usual, *self._folded_noise(work)]
        links = self._links(grants)
        linked = {(step.identity, step.event_name) for step in links}
        rest = [
            (member, call)
            for member, call in work
            if call.error_code or (member.name, call.event_name) not in linked
        ]
        steps = [*links, *self._folded(rest)]
        steps.sort(
            key=lambda step: (step.first, not step.note.startswith(CONTINUES), -step.count, step.event_name)
        )
        self.omitted = max(0, len(steps) - _MOST_STEPS)
        self.first = min((step.first for step in steps if _weight(step)), default=self.work[0].first)
        self.steps = key_steps(steps, _MOST_STEPS)

    def _folded(self, work: Sequence[tuple[Member, Call]]) -> list[Step]:
        """One step for equal calls of a phase, and one each for its other reads, changes and refusals."""
        groups: list[tuple[str, bool, list[Call]]] = []
        last: dict[tuple[object, ...], list[Call]] = {}
        begun, eventful, decisive = 0, True, False  # a phase lasts until something is listed
        phase = 0
        for member, call in sorted(work, key=lambda item: item[1].first):
            time = seconds_of(call.first) or 0
            apart = self._listed(call)
            if (eventful and time - begun > _PHASE) or (decisive and not apart):
                begun, eventful, decisive, phase = time, False, False, phase + 1
            eventful = eventful or bool(apart)
            decisive = decisive or (bool(apart) and _is_decisive(call))
            key = (member.name, call.account, origin_of(call), *(apart or (_sort_of(call), phase)))
            group = last.get(key)
            if group is None or (apart and time - (seconds_of(group[-1].last) or 0) > _PHASE):
                group = last[key] = []
                groups.append((member.name, bool(apart), group))
            group.append(call)
        return [self._step(name, calls, listed=listed) for name, listed, calls in groups]

    def _listed(self, call: Call) -> tuple[object, ...]:
        """What tells steps that are listed by themselves apart; () for what is folded with others."""
        act = act_of(call)
        grave = any(
            SEVERITIES.index(self._rules[name].severity) >= _GRAVE_RULE
            for name in call.rules
            if name in self._rules
        )
        if (act or (call.effect and not call.event_name.startswith(_LINKS))) and not by_service(
            call.actor.service
        ):
            return (
                call.event_name,
                bool(call.error_code),
                call.effect,
                call.region,
                self._acts.kind(call),
                bool(note_of(call)),
            )
        if call.event_name == "ConsoleLogin" or (grave and not call.read_only and not refused(call)):
            return call.event_name, call.error_code, call.effect, call.region
        return ()

    def _step(self, identity: str, calls: Sequence[Call], *, listed: bool) -> Step:
        rules = tuple(dict.fromkeys(name for call in calls for name in call.rules))
        turn = next((self._turns[id(call)] for call in calls if id(call) in self._turns), "")
        about = self._all_rules if turn else self._rules
        known = [about[name] for name in rules if name in about]
        count = total(calls)
        note = self._note(calls[0]) if listed else _summary(calls, count)
        return Step(
            first=min(call.first for call in calls),
            last=max(call.last for call in calls),
            count=count,
            identity=identity,
            event_name=calls[0].event_name if listed else _names(calls),
            event_source=", ".join(_most(call.service for call in calls)),
            account=calls[0].account,
            region=", ".join(_most(call.region for call in calls)),
            source_ip=", ".join(_most(call.source_ip for call in calls)),
            user_agent=calls[0].user_agent,
            targets=_targets(calls) if listed else (),
            outcome=_most(call.error_code for call in calls if call.error_code)[0]
            if calls[0].error_code
            else "",
            read_only=all(call.read_only for call in calls),
            rules=rules,
            severity=max((rule.severity for rule in known), key=SEVERITIES.index, default=None),
            tactics=tuple(dict.fromkeys(tactic for rule in known for tactic in tactics_of(rule.tags))),
            note=note if note == OWN else ": ".join(filter(None, (turn, note))),
            example=calls[0].example,
        )

    def _note(self, call: Call) -> str:
        return OWN if self._acts.kind(call) == "clean-up" else call.effect

    def _links(self, grants: Mapping[str, Sequence[Grant]]) -> list[Step]:
        """The steps by which one identity of the chain became another: roles that were assumed."""
        members = {member.principal: member for member in self._chain.members}
        groups: dict[tuple[str, str, str], list[Grant]] = defaultdict(list)
        for grant in (grant for member in self._chain.members for grant in grants.get(member.principal, ())):
            by, to = members.get(grant.by.principal), members.get(grant.principal)
            if grant.kind == "session" and by and to and to is not by:
                groups[by.name, to.name, grant.event_name].append(grant)
        return [_link(members, by, to, found) for (by, to, _), found in groups.items()]

    def _folded_noise(self, work: Sequence[tuple[Member, Call]]) -> list[str]:
        """For identities with many calls that are not listed: how many, in how many sessions, from where."""
        folded: dict[Member, list[Call]] = {member: [] for member in self._chain.members}
        for member, call in work:
            if not self._listed(call):
                folded[member].append(call)
        return [
            f"{member.name}: {describe(calls)}" for member, calls in folded.items() if total(calls) >= _NOISE
        ]


def _is_about_calls(rule: Rule) -> bool:
    """Whether a match says something of the call: an alarm that names no call is about the caller."""
    return rule.alarm is None or "eventName" in rule.pattern.text


def _targets(calls: Sequence[Call]) -> tuple[Target, ...]:
    """The targets of equal calls: the first two of each kind, and how many more there are."""
    kinds: dict[str, dict[str, int]] = defaultdict(dict)
    for call in calls:
        for target in call.targets:
            known = kinds[target.kind]
            known[target.name] = max(known.get(target.name, 0), target.more)
    found = []
    by_name = sorted(kinds.items(), key=lambda item: OTHERS in item[1])  # what was folded comes last
    for kind, names in by_name[:_MOST_TARGETS]:
        first = list(names)[:_MOST_OF_A_KIND]
        more = len(names) - len(first) + sum(names.values())
        found += [Target(kind, name, more * (name == first[-1])) for name in first]
    return tuple(found)


def describe(calls: Sequence[Call]) -> str:
    """Returns "656 calls, one session, one address"."""
    count = total(calls)
    parts = [counted(count, "call")]
    for noun, values, plural in (
        ("session", {call.actor.access_key for call in calls}, ""),
        ("address", {call.source_ip for call in calls}, "addresses"),
    ):
        number = len(values - {""})
        if number:
            parts.append(f"one {noun}" if number == 1 else counted(number, noun, plural))
    return ", ".join(parts)


def key_steps(steps: Sequence[Step], most: int) -> list[Step]:
    """Returns the most important steps in time order; what happened before in the same way counts less."""
    seen: set[tuple[str, ...]] = set()
    ranked: list[tuple[float, int, Step]] = []
    for step in steps:
        same = step.identity, step.event_name, step.outcome, "" if is_folded(step) else step.note
        weight, severity = _importance(step)
        ranked.append((min(weight, _REPEATED) if same in seen else weight, severity, step))
        seen.add(same)
    ranked.sort(key=lambda item: item[:2], reverse=True)
    kept = {id(step) for _, _, step in ranked[:most]}
    return [step for step in steps if id(step) in kept]


def _importance(step: Step) -> tuple[int, int]:
    """A sort key: what a reader must see first is greatest."""
    if step.note.startswith(CONTINUES):
        return 2, len(SEVERITIES)
    severity = SEVERITIES.index(step.severity) if step.severity else -1
    bulk = step.count >= _MANY and act_of(_as_call(step)) is not None
    return _weight(step), max(severity, SEVERITIES.index("high")) if bulk else severity


def is_folded(step: Step) -> bool:
    """Whether a step stands for different calls, which its note counts."""
    return _FOLDED.match(step.note) is not None


def _weight(step: Step) -> int:
    """Returns how much a step matters: 3 for decisive acts, 2 for what leads to them, 0 for the rest."""
    if step.note == OWN:
        return 1
    if step.note.startswith((NEW_KEY, ELSEWHERE)):
        return 3
    if step.note.startswith(CONTINUES) or (
        step.event_name == "ConsoleLogin" and step.severity and not step.outcome
    ):
        return 2
    call = _as_call(step)
    act = act_of(call)
    grave = step.severity in ("high", "critical")
    if act is None:
        refusals = step.count >= _MANY and bool(step.outcome)  # a search for what is allowed
        listed = step.severity and not step.read_only and not step.outcome
        return 2 if refusals or (listed and step.severity == "critical") else 1 if listed else 0
    if step.outcome or (act.kind in QUIET and not gives_everything(call)):
        return 2 if grave or step.count >= _MANY else 1
    return 3


def _as_call(step: Step) -> Call:
    return Call(
        actor=Actor(""),
        account=step.account,
        region=step.region,
        source_ip="",
        user_agent="",
        event_source=step.event_source,
        event_name=step.event_name,
        error_code=step.outcome,
        read_only=step.read_only,
        targets=step.targets,
        effect=step.note,
    )


def _link(members: Mapping[str, Member], by: str, to: str, grants: Sequence[Grant]) -> Step:
    first = grants[0]
    member = members[first.by.principal]
    call = next((call for call in member.calls if call.event_name == first.event_name), member.calls[0])
    return Step(
        first=min(grant.time for grant in grants),
        last=max(grant.time for grant in grants),
        count=len(grants),
        identity=by,
        event_name=first.event_name,
        event_source="sts",
        account=call.account,
        region=call.region,
        source_ip=call.source_ip,
        user_agent=call.user_agent,
        targets=(Target("role", members[first.principal].issuer or first.principal),),
        outcome="",
        read_only=False,
        note=f"{CONTINUES}{to}",
        example=first.example,
    )


def _sort_of(call: Call) -> str:
    if refused(call):
        return "refused"
    return "read" if call.read_only else "changed"


def _summary(calls: Sequence[Call], count: int) -> str:
    """Returns "312 read calls in iam, ec2, s3"."""
    sort = _sort_of(calls[0])
    what = {"refused": "refused", "read": "read", "changed": "other"}[sort]
    services = _most(call.service for call in calls)
    return f"{counted(count, f'{what} call')} in {listed(services, 4)}"


def _names(calls: Sequence[Call]) -> str:
    return listed(by_count((call.event_name, call.count) for call in calls), _MOST_NAMES)


def _most(values: Iterable[str]) -> list[str]:
    """Returns the different values, the most frequent first."""
    return list(by_count((value, 1) for value in values))


def origin_of(call: Call) -> tuple[str, str]:
    """Returns the access key and address of a call; neither for a call that a service made."""
    return (call.actor.access_key, call.source_ip) if is_address(call.source_ip) else ("", "")


def _is_decisive(call: Call) -> bool:
    act = act_of(call)
    return act is not None and not call.error_code and (act.kind not in QUIET or gives_everything(call))
