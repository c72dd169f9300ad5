"""`trailsieve tune`: what a rule, or another version of it, would have raised over an archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from trailsieve.analysis.simulation import Archive
from trailsieve.analysis.tuning import (
    Outcome,
    difference,
    keeps,
    outcomes,
    proposals,
    proposed_alarm,
    with_exception,
)
from trailsieve.cli.inputs import over, time_range
from trailsieve.cli.json_output import print_json
from trailsieve.cli.options import global_options, max_object_size, no_limits, rule_packs, screen
from trailsieve.did_you_mean import did_you_mean
from trailsieve.errors import UsageError, counted, shorten, visible_lines
from trailsieve.pattern.compiler import compile
from trailsieve.rules.alarm import RuleException
from trailsieve.rules.load import built_in, load_pack
from trailsieve.rules.rule import Rule, joined
from trailsieve.trail.selection import Selection

_EXAMPLES = """\b
Examples:
  trailsieve tune cis-aws-4.1 --over samples/archive
  trailsieve tune denied-calls --rules samples/rules/alarms.toml --over samples/archive
  trailsieve tune cis-aws-4.1 --over ./AWSLogs --against '{ $.errorCode = "AccessDenied*" }'
  trailsieve tune denied-calls --rules rules/old.toml --against rules/new.toml --over ./AWSLogs --since 7d
"""
_TOP = 5
_WIDTH = 70
_BY = ("principal", "service", "account")


@click.command("tune", epilog=_EXAMPLES)
@click.argument("rule_id", metavar="RULE")
@over
@rule_packs("The pack or file that has RULE. Default: the built-in packs.")
@click.option(
    "--against",
    metavar="PATTERN|FILE",
    help="Another version of RULE: a pattern, or a rule file that has it.",
)
@click.option("--tp", metavar="EVENTS", multiple=True, help="True positives: propose nothing that hides one.")
@click.option("--fp", metavar="EVENTS", multiple=True, help="False positives: propose what hides these.")
@time_range
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@no_limits
@max_object_size
@global_options
def command(
    rule_id: str,
    inputs: tuple[str, ...],
    packs: tuple[str, ...],
    against: str | None,
    as_json: bool,
    no_limits: bool,
    max_object_size: int,
    **options: Any,
) -> None:
    """Show what RULE would have raised over an archive: how often, for whom, and what would reduce it.

    Exceptions are proposed with the number of events that each would hide and of alerts that would be left:
    treat them as questions for the owner of the caller. Where one caller has all events, an alarm that counts
    them is proposed instead. With --against the two versions are compared.
    """
    rule = _find(rule_id, packs, limits=not no_limits)
    other = _version(rule, against, limits=not no_limits) if against else None
    true, false = options.pop("tp"), options.pop("fp")
    archive = Archive.open(inputs, Selection.parse(**options), max_object_size)
    found = outcomes([rule] + ([other] if other else []), archive, screen().problem)
    noise = _labelled(rule, "--fp", false, max_object_size) if false else found[0]
    proposed = proposals(noise)
    if true:
        _labelled(rule, "--tp", true, max_object_size)
        proposed = keeps(rule, proposed, Archive.open(true, Selection(), max_object_size))
    tried = outcomes([with_exception(rule, one) for one in proposed], archive) if proposed else []
    pairs = [(one, outcome) for one, outcome in zip(proposed, tried, strict=True) if outcome.events]
    alarm = None if pairs or true else proposed_alarm(found[0], archive)
    if as_json:
        print_json(_as_dict(found, pairs, alarm))
        return
    lines = [*_overview(found[0]), *_proposed(found[0], pairs, alarm)]
    print(visible_lines("\n".join(lines + (list(_comparison(found[0], found[1])) if other else []))))


def _find(rule_id: str, packs: Sequence[str], *, limits: bool) -> Rule:
    rules = joined(load_pack(pack, limits=limits) for pack in packs or built_in())
    rule = next((rule for rule in rules if rule.id == rule_id), None)
    if rule is None:
        hint = did_you_mean(rule_id, (known.id for known in rules), 3) or "see `trailsieve rules list`"
        raise UsageError(f"no rule {rule_id!r}; {hint}")
    if rule.sequence:
        raise UsageError(f"rule {rule_id!r} has a sequence; tune the rules that it names")
    return rule


def _version(rule: Rule, against: str, *, limits: bool) -> Rule:
    """The rule of the same id in a rule file, or its only rule; or the rule with another pattern."""
    if not Path(against).exists():
        return replace(rule, pattern=compile(against, limits=limits))
    pack = load_pack(against, limits=limits)
    found = pack.rule(rule.id) or (pack.rules[0] if len(pack.rules) == 1 else None)
    if found is None:
        raise UsageError(f"{against} has no rule {rule.id!r}: name the file that has its other version")
    return found


def _labelled(rule: Rule, option: str, inputs: Sequence[str], max_object_size: int) -> Outcome:
    """What the rule matches in events that a person has judged; they prove nothing if it matches none."""
    archive = Archive.open(inputs, Selection(), max_object_size)
    found = outcomes([rule], archive, screen().problem)[0]
    if not found.events:
        raise UsageError(f"{option} {', '.join(inputs)}: rule {rule.id!r} matches no event in it")
    return found


def _overview(outcome: Outcome) -> Iterator[str]:
    days = outcome.days
    events, alerts = len(outcome.events), len(outcome.alerts)
    hidden = f", {outcome.hidden:,} more hidden by its exceptions" if outcome.hidden else ""
    span = f"{days[0]} to {days[-1]}, {len(days)} days with events" if len(days) > 1 else "".join(days)
    yield f"{outcome.rule.id}: {_matched(events, alerts)}{hidden}"
    if not days:
        return
    yield f"{span}: {events / len(days):,.1f} events and {alerts / len(days):,.1f} alerts a day"
    for field in _BY:
        raised = outcome.raised({"service": "event_source"}.get(field, field))
        yield f"\n{'events':>8} {'alerts':>7} {'a day':>7}  by {field}"
        counts = outcome.counts(field)
        for name, count in counts[:_TOP]:
            alerted = raised[name]
            yield f"{count:>8,} {alerted:>7,} {alerted / len(days):>7,.1f}  {shorten(name, _WIDTH)}"
        if len(counts) > _TOP:
            yield f"{sum(count for _, count in counts[_TOP:]):>8,} {'':>15}  {len(counts) - _TOP:,} others"


def _matched(events: int, alerts: int) -> str:
    match = "matches" if events == 1 else "match"
    return f"{counted(events, 'event')} {match}, {counted(alerts, 'alert')}"


def _proposed(
    outcome: Outcome, pairs: list[tuple[RuleException, Outcome]], alarm: Outcome | None
) -> Iterator[str]:
    if not pairs:
        yield from _alternative(outcome, alarm)
        return
    yield "\nExceptions to consider: who owns the caller, and is the call intended?"
    for exception, tried in pairs:
        hides, left = len(outcome.events) - len(tried.events), counted(len(tried.alerts), "alert")
        yield f"\n# hides {hides:,} of {len(outcome.events):,} events; {left} left"
        yield f"[[rule.exceptions]]\npattern = '{exception.pattern.text}'"
        yield 'reason = ""\nowner = ""'


def _alternative(outcome: Outcome, alarm: Outcome | None) -> Iterator[str]:
    """Why there is no exception to propose, and the alarm to consider instead."""
    if not outcome.events:
        return
    if outcome.rule.alarm and outcome.rule.alarm.on_absence:
        yield "\nNo exception to propose: the alarm is raised when matches are missing."
        return
    top, total = outcome.busiest(), len(outcome.events)
    who = f"The busiest caller has {top.events:,} of {total:,} events" if total > 1 else "The only event"
    when = top.first if top.first == top.last else f"{top.first} to {top.last}"
    share = (
        "" if top.events == 1 else "all of them " if top.calls == top.events else f"{top.calls:,} of them "
    )
    yield f"\nNo exception to propose. {who}:"
    yield f"{shorten(top.principal, _WIDTH)}, {when}, {share}{top.call}"
    if alarm and alarm.rule.alarm:
        yield "\nAn alarm to consider, which counts the events of each caller:"
        yield f"\n# {counted(len(alarm.alerts), 'alert')} instead of {len(outcome.alerts):,}"
        yield f'[rule.alarm]\nthreshold = {alarm.rule.alarm.threshold}\nperiod = "5m"'
        yield f'by = ["{alarm.rule.alarm.by[0].text}"]'


def _comparison(one: Outcome, other: Outcome) -> Iterator[str]:
    yield f"\nAgainst {other.rule.pattern.text}"
    yield f"{_matched(len(other.events), len(other.alerts))}"
    for word, a, b in (("added", other, one), ("removed", one, other)):
        events, alerts = difference(a.events, b.events), difference(a.alerts, b.alerts)
        yield f"\n{word}: {counted(len(events), 'event')}, {counted(len(alerts), 'alert')}"
        counts = Counter(
            f"{seen.principal}  {seen.event_name}  {seen.error_code}"
            for seen in map(a.events.__getitem__, events)
        )
        for name, count in counts.most_common(_TOP):
            yield f"{count:>8,}  {shorten(name.rstrip(), 120)}"


def _as_dict(
    found: list[Outcome], pairs: list[tuple[RuleException, Outcome]], alarm: Outcome | None
) -> dict[str, Any]:
    one = found[0]
    shown: dict[str, Any] = {
        "rule": one.rule.id,
        "events": len(one.events),
        "alerts": len(one.alerts),
        "hidden": one.hidden,
        "days": one.days,
        "by": {field: dict(one.counts(field)) for field in _BY},
        "exceptions": [
            {
                "pattern": exception.pattern.text,
                "hides": len(one.events) - len(tried.events),
                "alerts_left": len(tried.alerts),
            }
            for exception, tried in pairs
        ],
        "alarm": None,
    }
    if alarm and alarm.rule.alarm:
        settings = {
            "threshold": alarm.rule.alarm.threshold,
            "period": "5m",
            "by": [alarm.rule.alarm.by[0].text],
        }
        shown["alarm"] = {**settings, "alerts": len(alarm.alerts)}
    for other in found[1:]:
        shown["against"] = {
            "pattern": other.rule.pattern.text,
            "events": len(other.events),
            "alerts": len(other.alerts),
        }
        for word, a, b in (("added", other, one), ("removed", one, other)):
            shown["against"][word] = {
                "events": difference(a.events, b.events),
                "alerts": len(difference(a.alerts, b.alerts)),
            }
    return shown
