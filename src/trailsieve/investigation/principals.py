"""What every principal did, without any rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from trailsieve.investigation.model import Call, PrincipalSummary, total
from trailsieve.investigation.names import by_count


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
        calls=total(calls),
        failed=total(failed),
        first=min(call.first for call in calls),
        last=max(call.last for call in calls),
        succeeded_by_service=by_count((call.service, call.count) for call in succeeded),
        failed_by_service=by_count((call.service, call.count) for call in failed),
        regions=by_count((call.region, call.count) for call in calls),
        agents=by_count((call.user_agent, call.count) for call in calls),
        addresses=by_count((call.source_ip, call.count) for call in calls),
        access_keys=by_count((call.actor.access_key, call.count) for call in calls),
    )
