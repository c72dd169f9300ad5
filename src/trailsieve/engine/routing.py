"""The settings that every `[[sink]]` may have: which alerts it gets, and how it gets them."""

from __future__ import annotations

from msgspec import Struct

from trailsieve.model import SEVERITIES, Alert, Severity
from trailsieve.times import duration_seconds
from trailsieve.toml_file import Duration


class Routing(Struct, kw_only=True, forbid_unknown_fields=True):
    """Settings of every sink. It gets an alert when `severity`, `tags` and `accounts` all allow it.

    Attributes:
        name: its name in messages and for `trailsieve send`, which no other sink has. Default: its kind.
        required: whether the checkpoint waits for it. An optional sink never makes the source wait: alerts
            that it does not accept within `give_up_after` go to the dead letters.
        severity: the lowest severity, or a list of severities, that it gets.
        tags: it gets alerts with any of these tags; all alerts when empty.
        accounts: it gets alerts of these accounts; of all accounts when empty.
        confirmations: whether it gets the final alert that confirms a provisional one under the same id;
            by default if it replaces the provisional one with it, as `opensearch` does.
        heartbeat: whether it gets the heartbeat of `[run]`, whatever its other settings.
        max_batch: the most alerts in one delivery.
        rate: the most alerts per second; 0 for no limit.
        give_up_after: how long an optional sink may refuse an alert, such as 15m.
        queue: the most alerts that wait for an optional sink; more go to the dead letters.
    """

    name: str = ""
    required: bool = True
    severity: Severity | list[Severity] = "informational"
    tags: list[str] = []
    accounts: list[str] = []
    confirmations: bool | None = None
    heartbeat: bool = True
    max_batch: int = 1000
    rate: float = 0
    give_up_after: Duration = "15m"
    queue: int = 10_000

    def __post_init__(self) -> None:
        duration_seconds(self.give_up_after, "give_up_after")
        if self.max_batch < 1 or self.queue < 1 or self.rate < 0:
            raise ValueError("`max_batch` and `queue` must be at least 1, `rate` must not be negative")

    @property
    def patience(self) -> float:
        """Returns `give_up_after` in seconds."""
        return duration_seconds(self.give_up_after, "give_up_after")

    def takes(self, alert: Alert) -> bool:
        """Returns whether the sink gets an alert."""
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
