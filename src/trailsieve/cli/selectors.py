"""Options that select events, for every command that reads an archive, and those that select rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trailsieve.cli.inputs import time_range
from trailsieve.cli.pattern_argument import compiled
from trailsieve.engine.wanted import Wanted
from trailsieve.errors import UsageError, counted
from trailsieve.model import SEVERITIES
from trailsieve.trail.selection import Selection

if TYPE_CHECKING:
    from trailsieve.engine.wanted import Pivot
    from trailsieve.model import Severity
    from trailsieve.rules.rule import Rule

F = TypeVar("F", bound=Callable[..., Any])

_LOOKED_AT = 10_000  # events, to say which option excludes the most
_ACCOUNT = re.compile(r"[0-9]{12}")
_PIVOTS = ("principal", "access_key", "event", "source_address", "resource")
_OPTIONS = (
    (
        "--principal",
        "principal",
        "NAME",
        "Only calls by this user, role or session: an ARN, or its last part; may be repeated, as all these.",
    ),
    ("--access-key", "access_key", "ID", "Only calls signed with this access key."),
    (
        "--ip",
        "source_address",
        "ADDRESS",
        "Only calls from this address, range (CIDR) or service, such as 'AWS Internal'.",
    ),
    ("--event", "event", "NAME", "Only calls of this name."),
    (
        "--resource",
        "resource",
        "NAME",
        "Only calls that name this ARN, bucket, user … in their resources, request or response.",
    ),
    ("--pattern", "patterns", "PATTERN", "Only events that this filter pattern matches."),
    ("--account", "accounts", "ID", "Only this account."),
    ("--region", "regions", "NAME", "Only this region."),
)


def selectors(pattern: str = "") -> Callable[[F], F]:
    """Adds the options that select events.

    The command gets `wanted: Wanted`, which all but `--pattern` describe, and `patterns: tuple[str, ...]`.

    Args:
        pattern: the help of `--pattern`, where it is not one more condition.
    """

    def decorate(command: F) -> F:
        @wraps(command)
        def wrapper(*args: Any, **options: Any) -> Any:
            taken = {name: options.pop(name) for _, name, _, _ in _OPTIONS if name != "patterns"}
            since, until = options.pop("since"), options.pop("until")
            return command(*args, wanted=_wanted(since, until, **taken), **options)

        decorated: Any = wrapper
        for flag, name, metavar, text in reversed(_OPTIONS):
            help_text = pattern if pattern and flag == "--pattern" else text
            decorated = click.option(flag, name, metavar=metavar, multiple=True, help=help_text)(decorated)
        return time_range(decorated)  # type: ignore[no-any-return]

    return decorate


def _wanted(
    since: str | None,
    until: str | None,
    accounts: Sequence[str],
    regions: Sequence[str],
    **given: Sequence[str],
) -> Wanted:
    _check(accounts, {"accounts": accounts, "regions": regions, **given})
    made: tuple[Pivot, ...] = ()
    if any(given.values()):
        from trailsieve.engine import pivots

        made = tuple(getattr(pivots, name)(given[name]) for name in _PIVOTS if given[name])
    return Wanted(Selection.parse(since, until, accounts, regions), made)


def _check(accounts: Sequence[str], given: Mapping[str, Sequence[str]]) -> None:
    for flag, name, _, _ in _OPTIONS:
        if any(not text.strip() for text in given.get(name, ())):
            raise UsageError(f"{flag}: the value is empty")
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise UsageError(f"--account {account}: an account is a number of 12 digits")


def with_patterns(wanted: Wanted, patterns: Sequence[str], *, limits: bool = True) -> Wanted:
    """The same with `--pattern` as one more condition; several are alternatives.

    Raises:
        PatternError: a pattern is invalid.
    """
    if not patterns:
        return wanted
    from trailsieve.engine.pivots import any_pattern

    pivot = any_pattern([compiled(text, limits=limits) for text in patterns])
    return Wanted(wanted.selection, (*wanted.pivots, pivot))


def rule_choice(command: F) -> F:
    """Adds the options `--rule` and `--min-severity`, as `rule_ids` and `min_severity`."""
    by_id = click.option(
        "--rule",
        "rule_ids",
        metavar="ID",
        multiple=True,
        help="Only this rule; may be repeated. * is a wildcard.",
    )
    return by_id(
        click.option(
            "--min-severity", type=click.Choice(SEVERITIES), help="Only rules of at least this severity."
        )(command)
    )


def rules_to_run(
    packs: Sequence[str],
    patterns: Sequence[str],
    rule_ids: Sequence[str],
    min_severity: Severity | None,
    *,
    limits: bool,
) -> list[Rule]:
    """The chosen rules of the packs, and one for each pattern; without either those of cis-aws.

    Raises:
        PatternError: a pattern is invalid.
        RuleError: there are mistakes in the rule files.
        UsageError: there is no such pack, or no rule with such an id.
    """
    from trailsieve.rules.choice import chosen, pattern_rules
    from trailsieve.rules.load import load_pack
    from trailsieve.rules.rule import joined

    adhoc = list(pattern_rules([compiled(text, limits=limits) for text in patterns]))
    default = () if adhoc and not (rule_ids or min_severity) else ("cis-aws",)
    rules = joined(load_pack(pack, limits=limits) for pack in packs or default)
    return [*chosen(rules, rule_ids, min_severity), *adhoc]


def nothing_selected(wanted: Wanted, read: int, texts: Iterable[bytes]) -> str:
    """A note for a selection of which nothing is shown: how many events each of its options selects.

    Args:
        read: the number of events that were read.
        texts: the same events once more; only the first ones are looked at.
    """
    each = list(wanted.each())
    counts = [0] * len(each)
    looked_at = selected = 0
    for text in islice(texts, _LOOKED_AT):
        looked_at += 1
        found = [one.wants_text(text) for _, one in each]
        counts = [count + is_found for count, is_found in zip(counts, found, strict=True)]
        selected += all(found)
    if not looked_at:
        return f"none of the {counted(read, 'event')} that were read is selected"
    of = f"of the {counted(read, 'event')} that were read"
    if looked_at < read:
        of += f", looking at the first {looked_at:,}"
    least_first = sorted(zip(counts, (option for option, _ in each), strict=True))
    parts = [f"{option} {count:,}" for count, option in least_first]
    return f"{of}, the options select {selected:,}; each by itself: {', '.join(parts)}"
