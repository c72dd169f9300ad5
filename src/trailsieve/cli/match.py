"""`trailsieve match`: print the log events that match."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from trailsieve.cli.events import Events, for_a_terminal, one_line
from trailsieve.cli.json_output import print_json, to_json
from trailsieve.cli.options import (
    global_options,
    max_object_size,
    no_limits,
    order_option,
    rule_packs,
    screen,
)
from trailsieve.cli.pattern_argument import compiled
from trailsieve.cli.selectors import rule_choice, rules_to_run, selectors, with_patterns
from trailsieve.errors import visible

_EXAMPLES = """\b
Examples:
  trailsieve match '{ $.eventName = "ConsoleLogin" }' samples/events/console-login-no-mfa.json
  zcat trail/*.json.gz | trailsieve match -c '{ $.errorCode = "AccessDenied*" }'
  trailsieve match --rules cis-aws samples/archive
  trailsieve match --explain '{ $.userIdentity.type = "Root" }' samples/events/root-login.json
"""

if TYPE_CHECKING:
    from trailsieve.engine.wanted import Wanted
    from trailsieve.model import Match, Severity
    from trailsieve.pattern.compiler import FilterPattern
    from trailsieve.rules.rule import Rule

_COUNTED = 10_000  # events on which proposed patterns are tried
_PROPOSALS = 5  # that are counted
_NOTED = re.compile(r"(?![{\[%]).*(?:^|\s)[-?]|\{.*!=", re.DOTALL)


@click.command("match", epilog=_EXAMPLES)
@click.argument("arguments", metavar="PATTERN [INPUT]...", nargs=-1)
@rule_packs("Rules instead of PATTERN; may be repeated.")
@rule_choice
@selectors()
@click.option("-c", "--count", is_flag=True, help="Print only the number of matching events.")
@click.option(
    "--explain",
    is_flag=True,
    help="Print why each event matched or not; with --json as lines of JSON.",
)
@order_option("With --rules or a selector: print matches", "time on a terminal, else file")
@click.option("--json", "as_json", is_flag=True, help="Print the same JSON as `aws logs test-metric-filter`.")
@no_limits
@max_object_size
@global_options
def command(
    arguments: tuple[str, ...],
    packs: tuple[str, ...],
    rule_ids: tuple[str, ...],
    min_severity: Severity | None,
    max_object_size: int,
    **options: Any,
) -> int:
    """Print the log events that match, one per line, in their exact original text.

    INPUT is a file, a directory (searched recursively), a folder of a bucket (s3://bucket/prefix), or - for
    standard input, the default. A .json file holds a CloudTrail file, an array or a single event; any other
    file, such as .jsonl, .ndjson or .log, one event per line; each may be gzipped. With --rules each match is
    a JSON object: rule, file, index (the number of the record or line in the file, from 1), eventID,
    eventTime, eventName.

    Options such as --principal select records. The values of a repeated option are alternatives, different
    options must all hold, and * in a name is a wildcard. With any of them PATTERN may be left out; if it is
    given, it begins with {, [ or %.

    Exit code 1 means that nothing matched; what may be wrong with the pattern is then noted on stderr.
    """
    chosen = _Options(**options)
    if chosen.count and (chosen.explain or chosen.as_json):
        raise click.UsageError("--count cannot be combined with --explain or --json.")
    with_rules = bool(packs or rule_ids or min_severity)
    selective = bool(chosen.wanted.narrows or chosen.patterns)
    if chosen.order and not with_rules and not selective:
        raise click.UsageError(
            "--order needs --rules or a selector: the log events of a PATTERN may have no time."
        )
    pattern, inputs = _split(arguments, with_rules, selective)
    events = Events(inputs or ("-",), max_object_size, screen(), chosen.wanted)
    if with_rules:
        if chosen.explain or chosen.as_json:
            raise click.UsageError("--explain and --json need a PATTERN, not rules.")
        rules = rules_to_run(packs, chosen.patterns, rule_ids, min_severity, limits=not chosen.no_limits)
        return _match_rules(rules, events, chosen)
    return _match_pattern(pattern, events, chosen)


@dataclass(frozen=True, slots=True)
class _Options:
    """Options of the command line, by the names that click gives them."""

    wanted: Wanted
    patterns: tuple[str, ...]
    count: bool
    order: str | None
    explain: bool
    as_json: bool
    no_limits: bool


def _split(arguments: Sequence[str], with_rules: bool, selective: bool) -> tuple[str | None, Sequence[str]]:
    """PATTERN, or None where something else says what matches, and the inputs."""
    marked = bool(arguments) and arguments[0][:1] in ("", "{", "[", "%")
    if with_rules and marked:
        raise click.UsageError("PATTERN cannot be combined with rules; --pattern adds it to them.")
    if not arguments and not with_rules and not selective:
        raise click.UsageError(
            "Missing PATTERN, such as '{ $.eventName = \"ConsoleLogin\" }'; or use --rules or --principal."
        )
    if with_rules or (selective and not marked):
        return None, arguments
    return arguments[0], arguments[1:]


def _match_pattern(text: str | None, events: Events, chosen: _Options) -> int:
    """Prints the events that a pattern matches and the options select."""
    limits = not chosen.no_limits
    pattern = None if text is None else compiled(text, limits=limits)
    if pattern is None and len(chosen.patterns) == 1 and (chosen.explain or chosen.as_json):
        pattern = compiled(chosen.patterns[0], limits=limits)
    elif chosen.patterns:
        events.wanted = with_patterns(chosen.wanted, chosen.patterns, limits=limits)
    if chosen.explain or chosen.as_json:
        if not pattern:
            raise click.UsageError("--explain and --json need a PATTERN.")
        show = (
            partial(_print_explained, as_json=chosen.as_json) if chosen.explain else _print_test_metric_filter
        )
        code = show(pattern, events)
    elif events.wanted.narrows:
        code = _print_matches(events.selected(pattern), chosen, lambda match: match.record.text)
    else:
        assert pattern is not None
        code = _print(filter(pattern.matches, (text for text, _ in events)), chosen.count, lambda text: text)
    if code and pattern:
        _print_why_nothing(pattern, events, explained=chosen.explain)
    elif pattern and not chosen.explain and _NOTED.match(pattern.text):
        from trailsieve.cli.notes import print_notes_on_matches  # most patterns that match need no lint

        print_notes_on_matches(pattern, events.first)
    if code and events.wanted.narrows:
        events.print_why_nothing()
    return code


def _print_why_nothing(pattern: FilterPattern, events: Events, *, explained: bool) -> None:
    """What may be wrong with a pattern that matches no event, on stderr."""
    from trailsieve.cli.notes import print_notes  # a pattern that matches needs no lint

    print_notes(pattern, events.first, lint=not explained)  # an explanation has reasons of its own
    if sys.stderr.isatty() and not explained:
        screen().info("nothing matched; `trailsieve match --explain` says why for each event")


def _match_rules(rules: Sequence[Rule], events: Events, chosen: _Options) -> int:
    from trailsieve.engine.matcher import Matcher  # a pattern alone does not need rules

    wanted = events.wanted
    matcher = Matcher([rule for rule in rules if not rule.sequence], wanted.wants if wanted.narrows else None)
    code = _print_matches(events.matches(matcher), chosen, _as_json)
    if code and wanted.narrows:
        events.print_why_nothing()
    return code


def _print_matches(matches: Iterator[Match], chosen: _Options, encode: Callable[[Match], bytes]) -> int:
    order = chosen.order or ("time" if sys.stdout.isatty() else "file")
    if order == "file" or chosen.count:
        return _print(matches, chosen.count, encode)
    return _print_in_time(matches, encode)


def _print_in_time(matches: Iterator[Match], encode: Callable[[Match], bytes]) -> int:
    from trailsieve.engine.alerts import time_of
    from trailsieve.engine.time_order import TimeOrder

    with TimeOrder() as lines:
        for match in matches:
            lines.add(time_of(match.record.event), encode(match))
        return _print(iter(lines), False, lambda line: line)


def _as_json(match: Match) -> bytes:
    event = match.record.event
    line = {
        "rule": match.rule.id,
        "file": match.origin,
        "index": match.record.index,
        **{name: getattr(event, name) for name in ("eventID", "eventTime", "eventName")},
    }
    return to_json(line, indent=False).encode()


def _print(matches: Iterator[Any], count: bool, encode: Callable[[Any], bytes]) -> int:
    output = sys.stdout.buffer
    finish = for_a_terminal if sys.stdout.isatty() else one_line
    number = 0
    for match in matches:
        number += 1
        if not count:
            output.write(finish(encode(match)) + b"\n")
    if count:
        output.write(b"%d\n" % number)
    output.flush()
    return 0 if number else 1


def _print_test_metric_filter(pattern: FilterPattern, events: Events) -> int:
    matches = [
        {
            "eventNumber": number,
            "eventMessage": text.decode("utf-8", "replace"),
            "extractedValues": pattern.extract(text),
        }
        for text, number in events
        if pattern.matches(text)
    ]
    print_json({"matches": matches})
    return 0 if matches else 1


def _print_explained(pattern: FilterPattern, events: Events, *, as_json: bool) -> int:
    seen: list[bytes] = []
    proposals: dict[str, None] = {}
    matched = 0
    for text, number in events:
        explanation = pattern.explain(text)
        matched += explanation.matched
        if len(seen) < _COUNTED:
            seen.append(text)
            proposals |= {explanation.proposal: None} if explanation.proposal else {}
        if as_json:
            print_json({"eventNumber": number, **explanation.as_dict()}, indent=False)
        else:
            first, *rest = explanation.lines()
            print("\n".join((f"event {number}: {first}", *rest, "")))
    if proposals and len(seen) > 1 and not as_json:
        print("\n".join(_counts(pattern, list(proposals), seen)))
    return 0 if matched else 1


def _counts(pattern: FilterPattern, proposals: Sequence[str], events: Sequence[bytes]) -> Iterator[str]:
    """How many of the events the pattern matches, and how many each pattern that was proposed."""
    first = "first " if len(events) == _COUNTED else ""
    yield f"of the {first}{len(events)} events"
    verbs = {pattern.text: "match"} | dict.fromkeys(proposals[:_PROPOSALS], "would match")
    for text, verb in verbs.items():
        found = sum(map(compiled(text, limits=False).matches, events))
        yield f"  {found:>{len(str(len(events)))}} {verb} {visible(text)}"
