"""What is left out of calls when an archive holds too many different ones, the least informative first."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from trailsieve.investigation.model import Actor, Call
from trailsieve.model import Target

OTHERS = "others"


class Step(NamedTuple):
    """One way to make fewer calls of many.

    Attributes:
        text: what it does, for people.
        applies: whether it does it to a call.
        change: changes the call.
        untimed: whether such calls are no longer distinguished by ten minutes.
    """

    text: str
    applies: Callable[[Call], bool]
    change: Callable[[Call], None]
    untimed: bool = False


def folded(call: Call, bucket: str, level: int) -> tuple[Call, str]:
    """Returns a call after the first `level` steps, and its ten minutes, "" if they no longer count."""
    for step in STEPS[:level]:
        if step.applies(call):
            step.change(call)
            bucket = "" if step.untimed else bucket
    return call, bucket


def _is_plain_read(call: Call) -> bool:
    return call.read_only and not call.rules and not call.error_code


def _has_no_rule(call: Call) -> bool:
    return not call.rules


def _is_any(call: Call) -> bool:
    return True


def _as_role(call: Call) -> None:
    actor = call.actor
    if actor.issuer:
        call.actor = Actor(actor.issuer, actor.kind, actor.issuer, "", actor.service)


def _without_origin(call: Call) -> None:
    call.user_agent = call.source_ip = OTHERS


def _without_targets(call: Call) -> None:
    if call.targets:
        call.targets = (Target("target", OTHERS),)


def _without_name(call: Call) -> None:
    call.event_name = OTHERS


def _without_actor(call: Call) -> None:
    call.actor = Actor(OTHERS)


def _without_all(call: Call) -> None:
    _without_actor(call)
    _without_origin(call)
    _without_name(call)
    call.account = call.region = call.event_source = OTHERS
    call.error_code, call.effect = OTHERS if call.error_code else "", ""
    call.targets, call.rules = (), call.rules[:1]


STEPS = (
    Step("reads of role sessions count for the role", _is_plain_read, _as_role),
    Step("reads are folded over addresses and user agents", _is_plain_read, _without_origin),
    Step("the targets of calls without a rule are folded", _has_no_rule, _without_targets),
    Step("calls without a rule are folded over time", _has_no_rule, lambda call: None, untimed=True),
    Step("calls of role sessions without a rule count for the role", _has_no_rule, _as_role),
    Step("calls without a rule are folded over addresses and user agents", _has_no_rule, _without_origin),
    Step("reads are folded over their names", _is_plain_read, _without_name),
    Step("the targets of calls with a rule are folded", _is_any, _without_targets),
    Step("calls with a rule are folded over time", _is_any, lambda call: None, untimed=True),
    Step("calls without a rule are folded over principals", _has_no_rule, _without_actor),
    Step("all calls are folded to a few", _is_any, _without_all, untimed=True),
)
