"""What the audit finds: links with a verdict each, a road of links, a finding for a control."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["pass", "fail", "unknown"]
RoadName = Literal["cloudwatch", "siem"]
RANK: dict[Verdict, int] = {"fail": 0, "unknown": 1, "pass": 2}
LINKS: dict[RoadName, tuple[str, ...]] = {
    "cloudwatch": (
        "trail",
        "logging",
        "selectors",
        "log group",
        "metric filter",
        "pattern",
        "alarm",
        "threshold",
        "actions",
        "subscription",
    ),
    "siem": ("trail", "logging", "selectors", "source", "rule", "threshold", "sink"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain as it was found.

    Attributes:
        said: one line: why it holds, is broken, or cannot be told.
        evidence: what shows it, a line each.
        witness: a log event that shows it, or "".
        mend: a command that repairs it, or "".
    """

    name: str
    verdict: Verdict
    said: str
    evidence: tuple[str, ...] = ()
    witness: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Road:
    """A way through the links, as far as it was walked: up to the first link that is broken."""

    name: RoadName
    links: tuple[Link, ...]

    @property
    def verdict(self) -> Verdict:
        """Broken when one link is; cannot tell when that is so of one link."""
        if len(self.links) < len(LINKS[self.name]) and all(link.verdict == "pass" for link in self.links):
            return "unknown"
        return min((link.verdict for link in self.links), key=RANK.__getitem__)

    @property
    def broken(self) -> Link | None:
        """The first link that is broken; without one, the first that cannot be told."""
        for verdict in ("fail", "unknown"):
            found = next((link for link in self.links if link.verdict == verdict), None)
            if found:
                return found
        return None

    @property
    def goodness(self) -> tuple[int, int]:
        """The better one of two roads is the greater."""
        return RANK[self.verdict], sum(link.verdict != "fail" for link in self.links)

    def then(self, *links: Link) -> Road:
        """The road with more links."""
        return Road(self.name, (*self.links, *links))


def best(roads: Iterable[Road]) -> Road:
    """The road that leads furthest; of equal ones the first."""
    return max(roads, key=lambda road: road.goodness)


@dataclass(frozen=True, slots=True)
class Finding:
    """How an account does on one control.

    Attributes:
        control: the number, such as 4.1.
        rule: the id of the rule that the control's pattern is of.
        roads: the best road of each kind.
    """

    account: str
    control: str
    rule: str
    title: str
    severity: str
    roads: tuple[Road, ...] = field(default_factory=tuple)

    @property
    def road(self) -> Road:
        """The road that counts: the best one."""
        return best(self.roads)

    @property
    def verdict(self) -> Verdict:
        """One road is enough."""
        return self.road.verdict
