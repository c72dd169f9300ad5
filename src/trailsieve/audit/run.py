"""The audit of saved AWS responses; nothing is asked of AWS here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trailsieve.audit.chains import check_chain
from trailsieve.audit.coverage import Control, controls
from trailsieve.audit.model import ChainKind, ControlResult
from trailsieve.audit.target import AuditedConfig, AuditTarget
from trailsieve.cloudwatch.snapshot import Snapshot
from trailsieve.errors import UsageError


def audit(
    snapshot: Snapshot, wanted: Sequence[Control], config: AuditedConfig | None = None
) -> list[ControlResult]:
    """One result per account and control, account by account.

    Args:
        config: a trailsieve configuration, which can meet a control too.
    """
    targets = (
        AuditTarget(snapshot, account, control, config) for account in snapshot.accounts for control in wanted
    )
    return [_result(target) for target in targets]


def _result(target: AuditTarget) -> ControlResult:
    rule = target.control.rule
    kinds: tuple[ChainKind, ...] = ("cloudwatch", "trailsieve") if target.config else ("cloudwatch",)
    chains = tuple(check_chain(kind, target) for kind in kinds)
    return ControlResult(target.account, target.control.number, rule.id, rule.title, rule.severity, chains)


def chosen(numbers: Iterable[str]) -> list[Control]:
    """The controls with these numbers (`4.1`) or rule ids; all controls if there are none.

    Raises:
        UsageError: there is no such control.
    """
    every = {control.number: control for control in controls()}
    names = [name.strip().removeprefix("cis-aws-") for name in numbers if name.strip()]
    for name in names:
        if name not in every:
            raise UsageError(f"{name}: no such control; choose from {', '.join(every)}")
    return [every[name] for name in dict.fromkeys(names)] or list(every.values())
