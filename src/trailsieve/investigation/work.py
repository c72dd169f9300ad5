"""What identities do as usual, from places where nothing serious happened; and their other calls."""

from __future__ import annotations

from collections import Counter

from trailsieve.errors import counted
from trailsieve.investigation.acts import act_of, gives_everything
from trailsieve.investigation.identities import Chain, Member
from trailsieve.investigation.model import Call, total
from trailsieve.investigation.names import agent_name, is_address, listed
from trailsieve.times import seconds_of

# Kinds of acts that many programs do every day.
QUIET = frozenset(
    {"secrets read", "objects touched", "identities made", "instances started", "rights changed"}
)
_HABIT = 3600  # seconds of work before anything serious that make a habit

Work = list[tuple[Member, Call]]


def usual_work(chain: Chain) -> tuple[list[str], Work]:
    """Returns in words what identities did as usual from elsewhere; and the other calls."""
    shared: Counter[str] = Counter()
    for member in chain.members:
        shared.update({call.source_ip for call in member.calls})
    lines, rest = [], []
    for member in chain.members:
        places = _habits(member, shared) or _before(member, shared, joined=len(chain.members) > 1)
        usual = [call for call in member.calls if call.source_ip in places]
        if usual:
            where = listed([call.source_ip for call in usual])
            lines.append(f"{member.name}: {counted(total(usual), 'call')} of other work from {where}")
        rest += [(member, call) for call in member.calls if call.source_ip not in places]
    return lines, rest


def _before(member: Member, shared: Counter[str], *, joined: bool) -> set[str]:
    """Addresses that a member used before those where it did something, and where it did nothing."""
    bad = {
        call.source_ip for call in member.calls if call.rules or act_of(call) or shared[call.source_ip] > 1
    }
    if not joined and not any(call.rules or act_of(call) for call in member.calls):
        return set()
    begun = min((call.first for call in member.calls if call.source_ip in bad), default="")
    return {call.source_ip for call in member.calls if call.first < begun} - bad


def _habits(member: Member, shared: Counter[str]) -> set[str]:
    """Addresses of a program that worked for an hour before another one did something serious elsewhere."""
    bad = {call.source_ip for call in member.calls if _is_serious(call)}
    there = [call for call in member.calls if call.source_ip in bad]
    programs = {agent_name(call.user_agent) for call in there}
    begun = min((seconds_of(call.first) or 0 for call in there), default=0)
    found: set[str] = set()
    for address in {call.source_ip for call in member.calls} - bad:
        calls = [call for call in member.calls if call.source_ip == address]
        other = programs.isdisjoint(agent_name(call.user_agent) for call in calls)
        first = min(seconds_of(call.first) or 0 for call in calls)
        if is_address(address) and shared[address] == 1 and other and first <= begun - _HABIT:
            found.add(address)
    return found


def _is_serious(call: Call) -> bool:
    act = act_of(call)
    return act is not None and (act.kind not in QUIET or gives_everything(call))
