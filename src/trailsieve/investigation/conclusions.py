"""From what was collected to what happened: the one place that puts an investigation together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from trailsieve.investigation.acts import Acts
from trailsieve.investigation.identities import Chain, chains
from trailsieve.investigation.left_behind import Remains
from trailsieve.investigation.model import (
    Activity,
    AlertCount,
    Call,
    FiredRule,
    Grant,
    Identity,
    Investigation,
    Signal,
    Step,
    Suspect,
    total,
)
from trailsieve.investigation.names import by_count, by_service, is_address, last_part
from trailsieve.investigation.principals import summaries
from trailsieve.investigation.raised import counting
from trailsieve.investigation.score import main_phrase, ransom_note, signals
from trailsieve.investigation.stories import Story, describe
from trailsieve.investigation.turns import ELSEWHERE
from trailsieve.investigation.usual import Usual
from trailsieve.investigation.verdict import headline, verdict
from trailsieve.investigation.weights import ACT, ATTEMPT, CREDENTIALS_TAKEN
from trailsieve.investigation.work import usual_work
from trailsieve.model import SEVERITIES, Alert
from trailsieve.rules.rule import Rule

_MOST_SUSPECTS = 50
_HEADLINE = 4  # acts that a headline names


def conclude(
    activity: Activity,
    rules: Sequence[Rule],
    alerts: Sequence[Alert] = (),
    alert_count: int | None = None,
    records: int | None = None,
    appendix: Sequence[tuple[str, str]] = (),
    counts: Sequence[AlertCount] = (),
    selection: str = "",
) -> Investigation:
    """Returns the investigation of what was collected; suspects by score.

    Args:
        rules: those whose ids the calls have.
        alert_count: of all alerts, if `alerts` are not all.
        records: the number that was read, if the calls do not count all.
        counts: all alerts by minute, rule, principal and call.
        selection: the options that select the calls; "" when all records count.
    """
    known = {rule.id: rule for rule in rules}
    calls = counting(activity.calls, known, alerts)
    activity = replace(activity, calls=calls)
    read = total(calls) if records is None else records
    suspects = _suspects(activity, known)
    return Investigation(
        verdict=verdict(suspects, calls, activity.hours, read, selection),
        fired=_fired(calls, known, counts),
        suspects=suspects,
        principals=summaries(calls),
        hours=sorted(activity.hours, key=lambda hour: (hour.account, hour.region, hour.hour)),
        alerts=list(alerts),
        alert_count=len(alerts) if alert_count is None else alert_count,
        records=read,
        first=min((call.first for call in calls if call.first), default=""),
        last=max((call.last for call in calls), default=""),
        appendix=[*appendix, *([("Folded", activity.folded)] if activity.folded else [])],
        counts=list(counts),
    )


def _suspects(activity: Activity, rules: Mapping[str, Rule]) -> list[Suspect]:
    usual, remains = Usual(chains(activity)), Remains(activity.calls)
    grants: dict[str, list[Grant]] = defaultdict(list)
    for grant in activity.grants:
        grants[grant.by.principal].append(grant)
    for chain in usual.chains:
        chain.usual, chain.work = usual_work(chain)
    scored = [(chain, signals(chain, usual, rules)) for chain in usual.chains]
    scored.sort(key=lambda item: (-_score(item[1]), item[0].calls[0].first, item[0].members[0].principal))
    found = [
        _suspect(chain, reasons, Story(chain, grants, rules), remains)
        for chain, reasons in scored[:_MOST_SUSPECTS]
        if reasons
    ]
    names = Counter(suspect.name for suspect in found)
    for suspect in found:
        if names[suspect.name] > 1 and suspect.accounts:
            suspect.name += f" ({suspect.accounts[0]})"
    return found


def _score(reasons: Iterable[Signal]) -> int:
    return sum(signal.points for signal in reasons)


def _suspect(chain: Chain, reasons: list[Signal], story: Story, remains: Remains) -> Suspect:
    calls, top = story.work, chain.members[0]
    own = [call for call in story.work if not by_service(call.actor.service)]
    hit = {name for call in calls for name in call.rules}
    acts = _main_acts(calls, top.name, story.steps)
    what = headline(acts, len(hit))
    return Suspect(
        name=top.name,
        principal=top.principal,
        headline=what if acts else f"{what} ({describe(calls)})",
        score=_score(reasons),
        signals=reasons,
        identities=[Identity(m.name, m.principal, m.keys, m.how) for m in chain.members],
        steps=story.steps,
        omitted_steps=story.omitted,
        calls=total(calls),
        failed=total(call for call in calls if call.error_code),
        first=story.first,
        last=max(call.last for call in story.work),
        accounts=list(by_count((call.account, call.count) for call in calls)),
        regions=list(by_count((call.region, call.count) for call in calls)),
        addresses=list(by_count((call.source_ip, call.count) for call in own if is_address(call.source_ip))),
        agents=list(
            by_count((call.user_agent, call.count) for call in own if call.user_agent != "AWS Internal")
        ),
        noise=story.noise,
        left_behind=remains.of(calls),
    )


def _main_acts(calls: Sequence[Call], lead: str, steps: Sequence[Step]) -> list[str]:
    """The acts with most points in words, in time order; failed attempts have fewer."""
    acts = Acts(calls)
    kinds: dict[tuple[str, bool], list[Call]] = defaultdict(list)
    for call in calls:
        kind = acts.kind(call)
        if kind:
            kinds[kind, bool(call.error_code)].append(call)
    found = []
    for (kind, failed), done in kinds.items():
        if not failed or (kind, False) not in kinds:
            text, first = main_phrase(done, acts, lead)
            found.append((ACT[kind] * (ATTEMPT if failed else 1), first, text))
    for step in steps:
        instance = last_part(step.identity)
        if step.note.startswith(ELSEWHERE) and instance.startswith("i-"):
            text = f"used the credentials of instance {instance} from {step.source_ip}"
            found.append((CREDENTIALS_TAKEN, step.first, text))
            break
    note = ransom_note(calls, {kind for kind, _ in kinds})
    if note:
        found.append((ACT["encryption changed"], note[1], note[0]))
    heaviest = sorted(found, key=lambda item: (-item[0], item[1]))[:_HEADLINE]
    return [text for _, _, text in sorted(heaviest, key=lambda item: item[1])]


def _fired(calls: Iterable[Call], rules: Mapping[str, Rule], counts: Iterable[AlertCount]) -> list[FiredRule]:
    alerts: Counter[str] = Counter()
    for one in counts:
        alerts[one.rule] += one.count
    matched: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        for name in call.rules:
            if name in rules:
                matched[name].append(call)
    fired = [_fired_rule(rules[name], hits, alerts[name]) for name, hits in matched.items()]
    return sorted(fired, key=lambda rule: (-SEVERITIES.index(rule.severity), -rule.alerts, rule.rule))


def _fired_rule(rule: Rule, hits: Sequence[Call], alerts: int) -> FiredRule:
    principals: Counter[str] = Counter()
    for call in hits:
        principals[call.actor.principal] += call.count
    return FiredRule(
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        tags=rule.tags,
        alerts=alerts or total(hits),
        first=min((call.first for call in hits if call.first), default=""),
        last=max(call.last for call in hits),
        principals=dict(principals.most_common()),
        pattern="" if rule.sequence else rule.pattern.text,
    )
