"""Links with a verdict each, chains of links, and the result for a control."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Verdict = Literal["pass", "fail", "unknown"]
ChainKind = Literal["cloudwatch", "trailsieve"]
_RANK: dict[Verdict, int] = {"fail": 0, "unknown": 1, "pass": 2}


@dataclass(frozen=True, slots=True)
class Link:
    """What a check found.

    Attributes:
        message: one line: why the link holds, is broken, or cannot be judged.
        evidence: what the message is based on, one fact per line.
        witness: a log event that shows it, or "".
        remediation: a command that repairs it, or "".
        name: the name of the check; `Chain.then` sets it.
    """

    verdict: Verdict
    message: str
    evidence: tuple[str, ...] = ()
    witness: str = ""
    remediation: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """The links that were checked, in order, up to the first one that is broken."""

    kind: ChainKind
    links: tuple[Link, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of any link."""
        return min((link.verdict for link in self.links), key=_RANK.__getitem__, default="pass")

    @property
    def broken(self) -> Link | None:
        """The first link with the chain's verdict, or None if every link holds."""
        verdict = self.verdict
        return next((link for link in self.links if link.verdict == verdict != "pass"), None)

    @property
    def goodness(self) -> tuple[int, int]:
        """A sort key: the verdict, then the number of links that are not broken."""
        return _RANK[self.verdict], sum(link.verdict != "fail" for link in self.links)

    def then(self, name: str, link: Link) -> Chain:
        """The chain with one more link."""
        return Chain(self.kind, (*self.links, replace(link, name=name)))


@dataclass(frozen=True, slots=True)
class ControlResult:
    """How an account does on one control.

    Attributes:
        control: the number, such as 4.1.
        rule: the id of the built-in rule with the control's pattern.
        chains: the best chain of each kind.
    """

    account: str
    control: str
    rule: str
    title: str
    severity: str
    chains: tuple[Chain, ...]

    @property
    def chain(self) -> Chain:
        """The best of the chains: one that holds is enough."""
        return max(self.chains, key=lambda chain: chain.goodness)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the best chain."""
        return self.chain.verdict
