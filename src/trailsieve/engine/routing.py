"""Which alerts a sink takes, and how it is treated: the settings that every `[[sink]]` may have."""

from __future__ import annotations

from msgspec import Struct

from trailsieve.model import SEVERITIES, Alert, Severity
from trailsieve.times import duration_seconds


class Routing(Struct, kw_only=True, forbid_unknown_fields=True):
    """Settings of every sink; an alert goes to it when `severity`, `tags` and `accounts` all allow it.

    Attributes:
        name: what messages call it; its kind when not given.
        required: whether the checkpoint waits for it. A sink that is not required never makes the source
            wait: alerts that it does not take for `give_up_after` go to the dead letters.
        severity: the lowest severity that it takes, or a list of just those that it takes.
        tags: it takes alerts that have one of these tags; all when empty.
        accounts: it takes alerts of these accounts; all when empty.
        heartbeat: whether the heartbeat of `[run]` is sent to it, whatever it takes otherwise.
        max_batch: alerts handed over at once, at most.
        rate: alerts a second, at most; 0 for as many as it takes.
        give_up_after: how long a sink that is not required may refuse an alert, such as 15m.
        queue: how many alerts wait for a sink that is not required; more go to the dead letters.
    """

    name: str = ""
    required: bool = True
    severity: Severity | list[Severity] = "informational"
    tags: list[str] = []
    accounts: list[str] = []
    heartbeat: bool = True
    max_batch: int = 1000
    rate: float = 0
    give_up_after: str = "15m"
    queue: int = 10_000

    def __post_init__(self) -> None:
        duration_seconds(self.give_up_after, "give_up_after")
        if self.max_batch < 1 or self.queue < 1 or self.rate < 0:
            raise ValueError("`max_batch` and `queue` are at least 1, `rate` is not negative")

    @property
    def patience(self) -> float:
        """`give_up_after` in seconds."""
        return duration_seconds(self.give_up_after, "give_up_after")

    def takes(self, alert: Alert) -> bool:
        """Whether an alert goes to this sink."""
        wanted = (
            alert.severity in self.severity
            if isinstance(self.severity, list)
            else SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.severity)
        )
        return (
            wanted
            and (not self.tags or not set(self.tags).isdisjoint(alert.tags))
            and (not self.accounts or alert.account in self.accounts)
        )
