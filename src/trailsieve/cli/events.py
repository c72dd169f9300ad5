"""The events of INPUT, one by one: all of them, or those that options select."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from trailsieve.cli.inputs import Inputs, open_bucket, split_inputs
from trailsieve.cli.options import Screen
from trailsieve.cli.selectors import nothing_selected
from trailsieve.engine.decode import Decoded, Decoder
from trailsieve.engine.wanted import Wanted
from trailsieve.errors import visible
from trailsieve.model import Match, Problem
from trailsieve.ports import RunContext, Source
from trailsieve.sources.files import STDIN, FilesSource, list_files

if TYPE_CHECKING:
    from trailsieve.engine.matcher import Matcher
    from trailsieve.pattern.compiler import FilterPattern

_NOTED = 200  # events that are kept for notes


class Events:
    """The events of the inputs that are wanted; problems are reported on stderr."""

    def __init__(self, inputs: Sequence[str], limit: int, shown: Screen, wanted: Wanted) -> None:
        self._inputs = inputs
        self._limit = limit
        self._screen = shown
        self._read = 0
        self.wanted = wanted
        self.first: list[bytes] = []  # for notes on a pattern that matches nothing

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        """Yields each event's text and its number, from 1 over all inputs."""
        for decoded in self._decoded():
            for _, text in decoded.texts():
                self._read += 1
                if not self.wanted.narrows or self.wanted.wants_text(text):
                    if self._read <= _NOTED:
                        self.first.append(text)
                    yield text, self._read

    def selected(self, pattern: FilterPattern | None) -> Iterator[Match]:
        """Yields each record that is wanted and matches the pattern, if there is one."""
        for found in self._found(self.wanted.matcher(pattern)):
            if isinstance(found, Match):  # what is not a record matches no pattern either
                yield found

    def matches(self, matcher: Matcher) -> Iterator[Match]:
        """Yields the matches of rules; reports the records that cannot be read."""
        for found in self._found(matcher):
            if isinstance(found, Problem):
                self._screen.problem(found)
            else:
                yield found

    def print_why_nothing(self, read: int | None = None) -> None:
        """Prints how many events were read, and what each option alone selects.

        Args:
            read: their number, where they were read by something else.
        """
        read_once = any(name == STDIN or "://" in name for name in self._inputs)  # a bucket costs requests
        again = () if read_once else self._again()
        note = nothing_selected(self.wanted, self._read if read is None else read, again)
        self._screen.info(f"note: {note}")

    def _again(self) -> Iterator[bytes]:
        for decoded in self._decoded(report=False):
            for _, text in decoded.texts():
                yield text

    def _found(self, matcher: Matcher) -> Iterator[Match | Problem]:
        for decoded in self._decoded():
            yield from matcher.match(decoded, self._count)

    def _count(self, count: int, times: Sequence[Any], ids: Sequence[bytes]) -> None:
        self._read += count

    def _decoded(self, *, report: bool = True) -> Iterator[Decoded]:
        paths, urls = split_inputs(self._inputs)
        sources: list[Source] = [self._files(paths)] if paths else []
        source = Inputs([*sources, *([self._bucket(urls)] if urls else [])], self.wanted.selection)
        decoder = Decoder(self._limit, any_object=True)
        for message in source.messages():
            decoded = decoder.decode(message)
            yield decoded
            for problem in decoded.problems if report else ():
                self._screen.problem(problem)

    def _files(self, paths: Sequence[str]) -> FilesSource:
        selection, files = self.wanted.selection, []
        for file in list_files(paths):
            reason = selection.reason_to_skip(file.path) if file.walked else ""
            if reason:
                self._skip(f"{file.name}: {reason}")
            else:
                files.append(file)
        return FilesSource(files, RunContext(max_object_size=self._limit), selection)

    def _bucket(self, urls: Sequence[str]) -> Source:
        return open_bucket(
            urls, self.wanted.selection, RunContext(self._screen.info, self._limit, skip=self._skip)
        )

    def _skip(self, reason: str) -> None:
        if self._screen.verbose:
            self._screen.info(f"skipped: {reason}")


def one_line(text: bytes) -> bytes:
    """A pretty-printed record on one line: outside of strings, JSON has line breaks only as whitespace."""
    return text.replace(b"\r\n", b" ").replace(b"\n", b" ") if b"\n" in text else text


def for_a_terminal(text: bytes) -> bytes:
    """The text without control characters, which could control the terminal."""
    return visible(one_line(text).decode("utf-8", "replace")).encode("utf-8", "replace")
