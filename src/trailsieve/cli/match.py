"""`trailsieve match`: print the log events that match."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from trailsieve.cli.inputs import Inputs, open_bucket, split_inputs
from trailsieve.cli.json_output import print_json, to_json
from trailsieve.cli.options import (
    Screen,
    global_options,
    max_object_size,
    no_limits,
    order_option,
    rule_packs,
    screen,
)
from trailsieve.cli.pattern_argument import compiled
from trailsieve.engine.decode import Decoder
from trailsieve.errors import visible
from trailsieve.model import Match, Problem
from trailsieve.ports import RunContext
from trailsieve.sources.files import FilesSource, list_files
from trailsieve.trail.selection import Selection

_EXAMPLES = """\b
Examples:
  trailsieve match '{ $.eventName = "ConsoleLogin" }' samples/events/console-login-no-mfa.json
  zcat trail/*.json.gz | trailsieve match -c '{ $.errorCode = "AccessDenied*" }'
  trailsieve match --rules cis-aws samples/archive
  trailsieve match --explain '{ $.userIdentity.type = "Root" }' samples/events/root-login.json
"""

if TYPE_CHECKING:
    from trailsieve.pattern.compiler import FilterPattern

_COUNTED = 10_000  # events on which proposed patterns are tried
_PROPOSALS = 5  # that are counted


@click.command("match", epilog=_EXAMPLES)
@click.argument("arguments", metavar="PATTERN [INPUT]...", nargs=-1)
@rule_packs("Rules instead of PATTERN; may be repeated.")
@click.option("-c", "--count", is_flag=True, help="Print only the number of matching events.")
@click.option(
    "--explain",
    is_flag=True,
    help="Print why each event matched or not; with --json as lines of JSON.",
)
@order_option("With --rules: print matches", "time on a terminal, else file")
@click.option("--json", "as_json", is_flag=True, help="Print the same JSON as `aws logs test-metric-filter`.")
@no_limits
@max_object_size
@global_options
def command(
    arguments: tuple[str, ...],
    packs: tuple[str, ...],
    count: bool,
    explain: bool,
    order: str | None,
    as_json: bool,
    no_limits: bool,
    max_object_size: int,
) -> int:
    """Print the log events that match, one per line, in their exact original text.

    INPUT is a file, a directory (searched recursively), a folder of a bucket (s3://bucket/prefix), or - for
    standard input, the default. A .json file holds a CloudTrail file, an array or a single event; any other
    file, such as .jsonl, .ndjson or .log, one event per line; each may be gzipped. With --rules each match is
    a JSON object: rule, file, index (the number of the record or line in the file, from 1), eventID,
    eventTime, eventName.

    Exit code 1 means that nothing matched; what may be wrong with the pattern is then noted on stderr.
    """
    if count and (explain or as_json):
        raise click.UsageError("--count cannot be combined with --explain or --json.")
    if packs and (explain or as_json):
        raise click.UsageError("--explain and --json need a PATTERN, not --rules.")
    if order and not packs:
        raise click.UsageError("--order needs --rules: the log events of a PATTERN may have no time.")
    if not packs and not arguments:
        raise click.UsageError(
            "Missing PATTERN, such as '{ $.eventName = \"ConsoleLogin\" }'; or use --rules."
        )
    if packs and arguments and arguments[0][:1] in ("{", "[", "%"):
        raise click.UsageError("PATTERN cannot be combined with --rules.")
    inputs = arguments if packs else arguments[1:]
    events = _Events(inputs or ("-",), max_object_size, screen())
    if packs:
        order = order or ("time" if sys.stdout.isatty() else "file")
        return _match_rules(packs, events, count, in_time=order == "time" and not count, limits=not no_limits)
    pattern = compiled(arguments[0], limits=not no_limits)
    if explain:
        code = _print_explained(pattern, events, as_json=as_json)
    elif as_json:
        code = _print_test_metric_filter(pattern, events)
    else:
        code = _print(filter(pattern.matches, (text for text, _ in events)), count, lambda text: text)
    if code:
        _print_why_nothing(pattern, explained=explain)
    return code


def _print_why_nothing(pattern: FilterPattern, *, explained: bool) -> None:
    """What may be wrong with a pattern that matches no event, on stderr."""
    from trailsieve.cli.notes import print_notes  # a pattern that matches needs no lint

    print_notes(pattern, lint=not explained)  # an explanation has reasons of its own
    if sys.stderr.isatty() and not explained:
        screen().info("nothing matched; `trailsieve match --explain` says why for each event")


def _match_rules(packs: Sequence[str], events: _Events, count: bool, *, in_time: bool, limits: bool) -> int:
    from trailsieve.engine.matcher import Matcher  # a pattern alone does not need rules
    from trailsieve.rules.load import load_pack
    from trailsieve.rules.rule import joined

    rules = joined(load_pack(pack, limits=limits) for pack in packs)
    matcher = Matcher([rule for rule in rules if not rule.sequence])
    matches = (found for decoded in events.decoded() for found in events.kept(matcher.match(decoded)))
    if in_time:
        return _print_in_time(matches)
    return _print(matches, count, _as_json)


def _print_in_time(matches: Iterator[Match]) -> int:
    from trailsieve.engine.alerts import time_of
    from trailsieve.engine.time_order import TimeOrder

    with TimeOrder() as lines:
        for match in matches:
            lines.add(time_of(match.record.event), _as_json(match))
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


class _Events:
    """The events of the inputs; problems are reported on stderr."""

    def __init__(self, inputs: Sequence[str], limit: int, shown: Screen) -> None:
        self._inputs = inputs
        self._limit = limit
        self._screen = shown

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        """Yields each event's text and its number, from 1 over all inputs."""
        number = 0
        for decoded in self.decoded():
            for _, text in decoded.texts():
                number += 1
                yield text, number

    def decoded(self) -> Iterator[Any]:
        paths, urls = split_inputs(self._inputs)
        sources = [self._files(paths)] if paths else []
        source = Inputs(sources + ([self._bucket(urls)] if urls else []), Selection())
        decoder = Decoder(self._limit, any_object=True)
        while not source.exhausted:
            for message in source.poll():
                decoded = decoder.decode(message)
                yield decoded
                for problem in decoded.problems:
                    self._screen.problem(problem)

    def _files(self, paths: Sequence[str]) -> Any:
        selection, files = Selection(), []
        for file in list_files(paths):
            reason = selection.reason_to_skip(file.path) if file.walked else ""
            if reason:
                self._skip(f"{file.name}: {reason}")
            else:
                files.append(file)
        return FilesSource(files, RunContext(max_object_size=self._limit), selection)

    def _bucket(self, urls: Sequence[str]) -> Any:
        return open_bucket(urls, Selection(), RunContext(self._screen.info, self._limit, skip=self._skip))

    def _skip(self, reason: str) -> None:
        if self._screen.verbose:
            self._screen.info(f"skipped: {reason}")

    def kept(self, found: Iterator[Match | Problem]) -> Iterator[Match]:
        """Yields the matches; reports the problems."""
        for item in found:
            if isinstance(item, Problem):
                self._screen.problem(item)
            else:
                yield item


def _print(matches: Iterator[Any], count: bool, encode: Callable[[Any], bytes]) -> int:
    output = sys.stdout.buffer
    finish = _for_a_terminal if sys.stdout.isatty() else _one_line
    number = 0
    for match in matches:
        number += 1
        if not count:
            output.write(finish(encode(match)) + b"\n")
    if count:
        output.write(b"%d\n" % number)
    output.flush()
    return 0 if number else 1


def _one_line(text: bytes) -> bytes:
    """A pretty-printed record on one line: outside of strings, JSON has line breaks only as whitespace."""
    return text.replace(b"\r\n", b" ").replace(b"\n", b" ") if b"\n" in text else text


def _for_a_terminal(text: bytes) -> bytes:
    """The text without control characters, which could control the terminal."""
    return visible(_one_line(text).decode("utf-8", "replace")).encode("utf-8", "replace")


def _print_test_metric_filter(pattern: FilterPattern, events: _Events) -> int:
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


def _print_explained(pattern: FilterPattern, events: _Events, *, as_json: bool) -> int:
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
    said = {pattern.text: "match"} | dict.fromkeys(proposals[:_PROPOSALS], "would match")
    for text, verb in said.items():
        found = sum(map(compiled(text, limits=False).matches, events))
        yield f"  {found:>{len(str(len(events)))}} {verb} {visible(text)}"
