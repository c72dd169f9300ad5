"""What is collected while an archive is read, and what an investigation concludes from it.

`collector` and `ledger` fill the first half, down to `Alerts`. `conclusions` makes the second half, which the
terminal, the page and the Markdown summary show. Times are RFC 3339 texts as the records write them; counts
are numbers of events.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from trailsieve.model import Alert, Severity, Target


class Actor(Struct, frozen=True, gc=False, array_like=True):
    """Who made a call, as its record says.

    Attributes:
        principal: the ARN, or the best name that `userIdentity` has, as in alerts.
        kind: `userIdentity.type`; "" if absent.
        issuer: ARN of the role whose session it is; "" for others.
        access_key: `userIdentity.accessKeyId`; "" if absent.
        service: `userIdentity.invokedBy`: the AWS service that called for the principal; "" if none did.
    """

    principal: str
    kind: str = ""
    issuer: str = ""
    access_key: str = ""
    service: str = ""


class Call(Struct, gc=False, array_like=True):
    """Equal calls of one actor, folded: those that change something by ten minutes, reads as a whole.

    Attributes:
        targets: what it touched, at most a few; empty for reads that matched no rule.
        effect: what it brought about, where that matters: "allows every action on every resource".
        rules: ids of the rules that matched it.
        example: where one of its records is: `object#number`.
    """

    actor: Actor
    account: str
    region: str
    source_ip: str
    user_agent: str
    event_source: str
    event_name: str
    error_code: str
    read_only: bool
    targets: tuple[Target, ...] = ()
    effect: str = ""
    rules: tuple[str, ...] = ()
    count: int = 0
    first: str = ""
    last: str = ""
    example: str = ""

    @property
    def service(self) -> str:
        """The short name of the service that was called: `iam`."""
        return self.event_source.partition(".")[0]


def total(calls: Iterable[Call]) -> int:
    """Returns the number of events that folded calls stand for."""
    return sum(call.count for call in calls)


class Grant(Struct, frozen=True, gc=False, array_like=True):
    """Access that one identity made for another: the edge that stories follow.

    Attributes:
        kind: "session" (AssumeRole and its like), "access key", "login profile", "user", "role" or
            "permission".
        by: who made it.
        access_key: the access key that was made; "" for other kinds.
        principal: the ARN or name of the user, role or session that may act now.
        time: when.
        event_name: the call that made it.
        example: where its record is: `object#number`.
    """

    kind: str
    by: Actor
    access_key: str
    principal: str
    time: str
    event_name: str
    example: str = ""


class CoveredHour(Struct, gc=False, array_like=True):
    """What the archive holds of one account and region in one hour (`2026-03-14T02`)."""

    account: str
    region: str
    hour: str
    files: int = 0
    records: int = 0


class Activity(Struct):
    """Everything that was collected while reading, bounded in size.

    Attributes:
        folded: why calls were folded more than usual because there were too many; "" if they were not.
    """

    calls: list[Call] = []
    grants: list[Grant] = []
    hours: list[CoveredHour] = []
    folded: str = ""


class AlertCount(Struct, gc=False, array_like=True):
    """How many alerts one rule raised in one minute (`2026-03-14T02:10`) for one principal and call."""

    minute: str
    rule: str
    principal: str
    event_name: str
    count: int = 0


class Alerts(Struct):
    """The alerts of a run: all of them as counts, the most severe in full.

    Attributes:
        kept: in time order, at most a few thousand, with a limit for each rule and principal.
        counts: all alerts; where there are too many different ones, by hour and for "others".
        total: how many there were.
    """

    kept: list[Alert]
    counts: list[AlertCount]
    total: int


class Signal(Struct, frozen=True):
    """One reason for a suspect's score: points, and a sentence that says why."""

    kind: str
    points: int
    text: str


class Step(Struct):
    """One line of a story: equal calls that follow each other.

    Attributes:
        identity: short name of who did it, from the story's identities.
        outcome: the error code; "" when it succeeded.
        severity: the highest of the rules that matched; None if none did.
        tactics: ATT&CK tactics of the rules that matched.
        note: what matters in it: the effect, or how it leads to another identity.
    """

    first: str
    last: str
    count: int
    identity: str
    event_name: str
    event_source: str
    account: str
    region: str
    source_ip: str
    user_agent: str
    targets: tuple[Target, ...]
    outcome: str
    read_only: bool
    rules: tuple[str, ...] = ()
    severity: Severity | None = None
    tactics: tuple[str, ...] = ()
    note: str = ""
    example: str = ""


class Identity(Struct):
    """One principal or access key of a story, and how it came into it ("" for the first)."""

    name: str
    principal: str
    access_keys: tuple[str, ...]
    how: str = ""


class Suspect(Struct):
    """A chain of identities that acted as one, ranked by its score.

    Attributes:
        name: short name of the first identity.
        headline: one sentence: what it did.
        signals: why it has its score, greatest first.
        noise: what was folded away, in words: "656 calls of root, one session, one address".
        left_behind: access that it made and that nothing in the archive took away.
    """

    name: str
    principal: str
    headline: str
    score: int
    signals: list[Signal]
    identities: list[Identity]
    steps: list[Step]
    omitted_steps: int
    calls: int
    failed: int
    first: str
    last: str
    accounts: list[str]
    regions: list[str]
    addresses: list[str]
    agents: list[str]
    noise: list[str] = []
    left_behind: list[str] = []


class PrincipalSummary(Struct):
    """What one principal did, without any rule: counts by name, greatest first."""

    principal: str
    kind: str
    calls: int
    failed: int
    first: str
    last: str
    succeeded_by_service: dict[str, int]
    failed_by_service: dict[str, int]
    regions: dict[str, int]
    agents: dict[str, int]
    addresses: dict[str, int]
    access_keys: dict[str, int]


class FiredRule(Struct):
    """What one rule found.

    Attributes:
        pattern: its filter pattern, by which the page explains its alerts; "" if it has none.
    """

    rule: str
    title: str
    severity: Severity
    tags: tuple[str, ...]
    alerts: int
    first: str
    last: str
    principals: dict[str, int]
    pattern: str = ""


class Verdict(Struct):
    """The answer in a few sentences: what happened, by whom, from where, to what, and is it over."""

    sentences: list[str]


class Investigation(Struct):
    """All that `trailsieve investigate` concludes.

    Attributes:
        alerts: the most severe in full, in time order, at most a few thousand.
        alert_count: all of them.
        counts: all of them by minute, rule, principal and call.
        appendix: how it was made and what was not read, as label and text.
    """

    verdict: Verdict
    fired: list[FiredRule]
    suspects: list[Suspect]
    principals: list[PrincipalSummary]
    hours: list[CoveredHour]
    alerts: list[Alert]
    alert_count: int
    records: int
    first: str
    last: str
    appendix: list[tuple[str, str]]
    counts: list[AlertCount] = []
