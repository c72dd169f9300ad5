"""What every principal did, without any rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from trailsieve.investigation.model import Call, PrincipalSummary


def summaries(calls: Iterable[Call]) -> list[PrincipalSummary]:
    """Returns one summary per principal, those with most calls first."""
    groups: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        groups[call.actor.principal, call.actor.kind].append(call)
    found = [_summary(principal, kind, group) for (principal, kind), group in groups.items()]
    return sorted(found, key=lambda one: (-one.calls, one.principal, one.kind))


def _summary(principal: str, kind: str, calls: list[Call]) -> PrincipalSummary:
    failed = [call for call in calls if call.error_code]
    succeeded = [call for call in calls if not call.error_code]
    return PrincipalSummary(
        principal=principal,
        kind=kind,
        calls=sum(call.count for call in calls),
        failed=sum(call.count for call in failed),
        first=min(call.first for call in calls),
        last=max(call.last for call in calls),
        succeeded_by_service=_counts((call.event_source.partition(".")[0], call.count) for call in succeeded),
        failed_by_service=_counts((call.event_source.partition(".")[0], call.count) for call in failed),
        regions=_counts((call.region, call.count) for call in calls),
        agents=_counts((call.user_agent, call.count) for call in calls),
        addresses=_counts((call.source_ip, call.count) for call in calls),
        access_keys=_counts((call.actor.access_key, call.count) for call in calls),
    )


def _counts(items: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Returns counts by name, greatest first."""
    counts: Counter[str] = Counter()
    for name, count in items:
        if name:
            counts[name] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
