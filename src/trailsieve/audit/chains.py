"""The chains of checks, in order, and how a chain is followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trailsieve.audit.checks.actions import acting_alarms, check_actions, check_subscription, topics
from trailsieve.audit.checks.alarms import check_alarm, no_alarm, watching_alarms
from trailsieve.audit.checks.metric_filters import check_filter, check_pattern, metric_filters, no_filter
from trailsieve.audit.checks.threshold import check_alarm_threshold, check_rule_threshold
from trailsieve.audit.checks.trails import (
    check_log_group,
    check_logging,
    check_selectors,
    check_trail,
    no_trail,
    trails,
)
from trailsieve.audit.checks.trailsieve_config import check_rule, check_sink, check_source, no_rule, rules
from trailsieve.audit.model import Chain, ChainKind, Link
from trailsieve.audit.target import AuditTarget


def _itself(target: AuditTarget) -> Iterable[AuditTarget]:
    return (target,)


@dataclass(frozen=True, slots=True)
class Check:
    """One step of a chain.

    Attributes:
        check: judges one candidate.
        candidates: the ways to go on, such as a target for each trail; the best chain wins. Of a tuple of
            targets every chain must hold.
        missing: the link if there is no candidate; without it the chain ends before this check.
    """

    name: str
    check: Callable[[AuditTarget], Link]
    candidates: Callable[[AuditTarget], Iterable[AuditTarget | tuple[AuditTarget, ...]]] = _itself
    missing: Callable[[AuditTarget], Link] | None = None


_TRAIL = (
    Check("trail", check_trail, trails, no_trail),
    Check("logging", check_logging),
    Check("selectors", check_selectors),
)
CHAINS: dict[ChainKind, tuple[Check, ...]] = {
    "cloudwatch": (
        *_TRAIL,
        Check("log group", check_log_group),
        Check("metric filter", check_filter, metric_filters, no_filter),
        Check("pattern", check_pattern),
        Check("alarm", check_alarm, watching_alarms, no_alarm),
        Check("threshold", check_alarm_threshold),
        Check("actions", check_actions, acting_alarms),
        Check("subscription", check_subscription, topics),
    ),
    "trailsieve": (
        *_TRAIL,
        Check("source", check_source),
        Check("rule", check_rule, rules, no_rule),
        Check("threshold", check_rule_threshold),
        Check("sink", check_sink),
    ),
}


def check_chain(kind: ChainKind, target: AuditTarget) -> Chain:
    """The best chain of this kind."""
    return _follow(Chain(kind), target, CHAINS[kind])


def not_examined(chain: Chain) -> list[str]:
    """The names of the checks that a chain did not get to."""
    checked = {link.name for link in chain.links}
    return [check.name for check in CHAINS[chain.kind] if check.name not in checked]


def _follow(chain: Chain, target: AuditTarget, checks: tuple[Check, ...]) -> Chain:
    if not checks or chain.verdict == "fail":
        return chain
    check = checks[0]
    chains = [_through(chain, candidate, checks) for candidate in check.candidates(target)]
    if chains:
        return max(chains, key=lambda one: one.goodness)
    return chain.then(check.name, check.missing(target)) if check.missing else chain


def _through(
    chain: Chain, candidate: AuditTarget | tuple[AuditTarget, ...], checks: tuple[Check, ...]
) -> Chain:
    if isinstance(candidate, tuple):
        return min((_through(chain, one, checks) for one in candidate), key=lambda one: one.goodness)
    check, *rest = checks
    return _follow(chain.then(check.name, check.check(candidate)), candidate, tuple(rest))
