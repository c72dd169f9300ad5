"""Chains of identities: who acted through which sessions, keys, users and roles, and how each came about.

A member of a chain is a user, the root user, or one role's session (sessions with made-up names of one role
and one origin are one member). A user's access key that somebody else made is a member by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from trailsieve.investigation.model import Activity, Actor, Call, Grant
from trailsieve.investigation.names import generated, is_address, is_service, last_part, short

WEAK = "(weak link)"
_MOST_CHILDREN = 8  # identities that one principal made access for; whoever makes more manages access
_MOST_SHARING = 5  # chains that share an address; more of them are an office or a proxy
_TELLING = 40  # characters of a user agent that few share
_MAKING = ("user", "role", "login profile", "access key")


@dataclass(slots=True, eq=False)
class Member:
    """One identity of a chain, its calls in time order, and how it came into the chain."""

    principal: str
    kind: str
    issuer: str
    calls: list[Call] = field(default_factory=list)
    parent: Member | None = None
    how: str = ""

    @property
    def name(self) -> str:
        """The short name."""
        return short(self.principal)

    @property
    def subject(self) -> str:
        """What its habits are counted for: the role rather than the session."""
        return self.issuer or self.principal

    @property
    def keys(self) -> tuple[str, ...]:
        """Its access keys, in the order of their use."""
        return tuple(dict.fromkeys(call.actor.access_key for call in self.calls if call.actor.access_key))

    @property
    def first(self) -> str:
        return min((call.first for call in self.calls), default="")

    def top(self) -> Member:
        """The first member of its chain."""
        member = self
        while member.parent:
            member = member.parent
        return member


class Chain:
    """Members that acted as one, the first of them first; and their calls in time order.

    Attributes:
        usual: what was folded as usual work, in words.
        work: the other calls, with who made them.
    """

    def __init__(self, members: list[Member]) -> None:
        self.members = members
        self.usual: list[str] = []
        self.calls = sorted(
            (call for member in members for call in member.calls), key=lambda call: call.first
        )
        self.work = [(member, call) for member in members for call in member.calls]


def chains(activity: Activity) -> list[Chain]:
    """Returns every chain of identities that are not AWS services."""
    grants = _Grants(activity.grants)
    users = _users(activity.calls)
    members: dict[tuple[str, str], Member] = {}
    for call in sorted(activity.calls, key=lambda call: (call.first, call.event_name)):
        actor = call.actor
        if is_service(actor.principal, actor.kind):
            continue
        if actor.kind == "IAMUser":
            principal = users.get((call.account, actor.principal), actor.principal)
            actor = Actor(principal, actor.kind, actor.issuer, actor.access_key, actor.service)
        key = grants.key_of(actor)
        member = members.setdefault(key, Member(actor.principal, actor.kind, actor.issuer))
        member.calls.append(call)
    _follow(members, grants)
    _join_by_address(list(members.values()))
    found = defaultdict(list)
    for member in members.values():
        found[member.top()].append(member)
    return [Chain(sorted(group, key=lambda one: (one is not top, one.first))) for top, group in found.items()]


def _users(calls: Iterable[Call]) -> dict[tuple[str, str], str]:
    """The ARN of each user by account and name: failed sign-ins only have the name."""
    arns = {call.actor.principal: call.account for call in calls if call.actor.principal.startswith("arn:")}
    return {(account, last_part(arn)): arn for arn, account in arns.items() if ":user/" in arn}


class _Grants:
    """The grants by the key or the principal that they gave access to."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self.by_key: dict[str, Grant] = {}
        self.by_session: dict[str, Grant] = {}
        self.by_name: dict[tuple[str, str], list[Grant]] = defaultdict(list)
        for grant in sorted(grants, key=lambda grant: grant.time):
            if grant.access_key:
                self.by_key.setdefault(grant.access_key, grant)
            if grant.kind == "session":
                self.by_session[grant.principal] = grant
            elif grant.principal:
                kind = "role" if grant.kind == "role" else "user"
                if grant.kind in _MAKING:
                    self.by_name[kind, last_part(grant.principal)].append(grant)

    def given(self, actor: Actor) -> Grant | None:
        """The grant that made an actor's key or session; None if it is not in the archive."""
        grant = self.by_key.get(actor.access_key)
        if grant is None and actor.issuer:
            grant = self.by_session.get(actor.principal)
        if grant is None or grant.by.principal == actor.principal:
            return None
        return None if is_service(grant.by.principal, grant.by.kind) else grant

    def key_of(self, actor: Actor) -> tuple[str, str]:
        """Returns what tells members apart: the principal, and who made its key or session."""
        grant = self.given(actor)
        name = actor.principal
        if actor.issuer and generated(last_part(actor.principal)):
            name = actor.issuer
        return name, grant.by.principal if grant else ""

    def made(self, member: Member) -> Grant | None:
        """The grant that made the user or role of a member, before its first call."""
        kind = "role" if member.issuer else "user"
        name = last_part(member.issuer or member.principal)
        return next(
            (
                grant
                for grant in self.by_name[kind, name]
                if grant.kind != "access key"
                and grant.time <= member.first
                and grant.by.principal != member.principal
            ),
            None,
        )


def _follow(members: dict[tuple[str, str], Member], grants: _Grants) -> None:
    """Gives each member the parent that made its session, key, user or role."""
    children: dict[tuple[str, str], list[tuple[Member, Grant]]] = defaultdict(list)
    for member in list(members.values()):
        grant = grants.given(member.calls[0].actor) or grants.made(member)
        if grant:
            children[grants.key_of(grant.by)].append((member, grant))
    for key, made in children.items():
        parent = members.get(key)
        if parent is None:
            continue
        lasting = [child for child, grant in made if grant.kind != "session"]
        addresses = _addresses(parent)
        for child, grant in made:
            many = grant.kind != "session" and len(lasting) > _MOST_CHILDREN
            if not (many and not addresses & _addresses(child)):
                _attach(child, parent, _how(child, grant))


def _attach(child: Member, parent: Member, how: str) -> None:
    if parent.top() is not child and child.parent is None:
        child.parent, child.how = parent, how


def _how(child: Member, grant: Grant) -> str:
    when, by = grant.time[11:16], short(grant.by.principal)
    if grant.kind == "session":
        return f"assumed by {by} at {when}"
    if grant.access_key:
        return f"key {grant.access_key} made by {by} at {when}"
    if grant.kind == "login profile":
        return f"console password set by {by} at {when}"
    return f"{grant.kind} made by {by} at {when}"


def _addresses(member: Member) -> set[str]:
    return {call.source_ip for call in member.calls if is_address(call.source_ip)}


def _join_by_address(members: Sequence[Member]) -> None:
    """Joins chains that a few share an address with, if it is new to one of them or failed to sign in.

    A network and a long user agent that nobody else has count as an address.
    """
    users: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
        for address in _addresses(member):
            users[address, ""].append(member)
        for place in _programs(member):
            users[place].append(member)
    for place, sharing in sorted(users.items(), key=lambda item: (item[0][1] != "", item[0])):
        tops = list(dict.fromkeys(member.top() for member in sharing))
        if 1 < len(tops) <= _MOST_SHARING and any(_is_new(member, place) for member in sharing):
            sharing.sort(key=lambda member: _first_use(member, place))
            eldest = sharing[0].top()
            for member in sharing[1:]:
                _attach(member.top(), eldest, _shared(member, place, sharing[0]))


def _programs(member: Member) -> set[tuple[str, str]]:
    """Networks of 256 addresses with a user agent that is long enough to tell people apart."""
    return {
        (f"{call.source_ip.rpartition('.')[0]}.0/24", call.user_agent)
        for call in member.calls
        if call.source_ip[:1].isdigit() and "." in call.source_ip and len(call.user_agent) >= _TELLING
    }


def _shared(member: Member, place: tuple[str, str], other: Member) -> str:
    what = f"same network {place[0]} and program" if place[1] else f"same address {place[0]}"
    return f"{what} as {other.name}, from {_first_use(member, place)[11:16]} {WEAK}"


def _at(call: Call, place: tuple[str, str]) -> bool:
    address, program = place
    if not program:
        return call.source_ip == address
    return call.user_agent == program and f"{call.source_ip.rpartition('.')[0]}.0/24" == address


def _first_use(member: Member, place: tuple[str, str]) -> str:
    return min(call.first for call in member.calls if _at(call, place))


def _is_new(member: Member, place: tuple[str, str]) -> bool:
    """Whether a member worked from elsewhere before, or its sign-in failed from there."""
    since = _first_use(member, place)
    return any(
        (call.first < since and is_address(call.source_ip))
        or (_at(call, place) and call.event_name == "ConsoleLogin" and call.error_code)
        for call in member.calls
    )
