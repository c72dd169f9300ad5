"""A compiled filter pattern: a predicate on events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from trailsieve import jsontext
from trailsieve.errors import PatternError
from trailsieve.pattern.codegen import Generated, generate
from trailsieve.pattern.delimited import extracted
from trailsieve.pattern.loader import load
from trailsieve.pattern.nodes import DelimitedPattern, JsonPattern, Pattern, selectors_of
from trailsieve.pattern.parser import parse

if TYPE_CHECKING:
    from trailsieve.pattern.explanation import Explanation


@dataclass(frozen=True, slots=True)
class TestMatch:
    """One match of `FilterPattern.test`, as AWS's TestMetricFilter returns it.

    Attributes:
        event_number: position of the message, from 1 (rule 6).
        event_message: the message itself.
        extracted_values: the tokens of a space-delimited pattern by `$name` or `$N`, else empty.
    """

    __test__ = False  # pytest would collect a class with this name

    event_number: int
    event_message: str
    extracted_values: dict[str, str]


class FilterPattern:
    """A compiled filter pattern; make one with `trailsieve.compile`.

    Attributes:
        text: the pattern as given.
        tree: its syntax tree.
    """

    def __init__(self, text: str, tree: Pattern, *, limits: bool = True) -> None:
        self.text = text
        self.tree = tree
        self.limits = limits

    def __repr__(self) -> str:
        return f"trailsieve.compile({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(compile, limits=self.limits), (self.text,)

    @cached_property
    def _generated(self) -> Generated:
        return generate(self.tree)

    @property
    def python_source(self) -> str:
        """The source of the generated predicate."""
        return self._generated.source

    @cached_property
    def predicate(self) -> Callable[[Any], bool]:
        """The generated function: takes a decoded JSON object or a text, see `reads_records`."""
        return load(self._generated)

    @property
    def reads_records(self) -> bool:
        """True when `predicate` takes a decoded JSON object, False when it takes the event's text."""
        return isinstance(self.tree, JsonPattern)

    @cached_property
    def selectors(self) -> tuple[str, ...]:
        """The different selectors of a JSON pattern as written, in order."""
        return tuple(self.text[s.span.start : s.span.end] for s in selectors_of(self.tree))

    def matches(self, message: str | bytes) -> bool:
        """Whether one raw log event matches, as TestMetricFilter would say.

        Bytes are read as UTF-8; what is not UTF-8 counts as U+FFFD.
        """
        if self.reads_records:
            record = jsontext.decode_object(message)
            return record is not None and self.predicate(record)
        return self.predicate(_text(message))

    def matches_record(self, record: dict[str, Any]) -> bool:
        """Whether an already decoded JSON object matches.

        A pattern of another language is matched against the object's compact JSON text.
        """
        if self.reads_records:
            return record.__class__ is dict and self.predicate(record)
        return self.predicate(jsontext.encode(record))

    def test(self, messages: Iterable[str | bytes]) -> list[TestMatch]:
        """The matching messages, numbered from 1, in the shape of TestMetricFilter (rule 6)."""
        return [
            TestMatch(number, _text(message), self.extract(message))
            for number, message in enumerate(messages, 1)
            if self.matches(message)
        ]

    def extract(self, message: str | bytes) -> dict[str, str]:
        """The values that a space-delimited pattern extracts from an event; empty for others (rule 6)."""
        if not isinstance(self.tree, DelimitedPattern):
            return {}
        return extracted(self.tree, _text(message)) or {}

    def explain(self, message: str | bytes) -> Explanation:
        """Why one raw log event matches or not: a tree of all terms, each with its value and result."""
        import trailsieve  # what would have to change is proved in a room above

        return trailsieve.explain(self, message)


def compile(pattern: str, *, limits: bool = True) -> FilterPattern:
    """Compiles a CloudWatch Logs filter pattern.

    Args:
        pattern: the text as CloudWatch takes it: JSON `{ … }`, space-delimited `[ … ]`, regex `%…%` or terms.
        limits: refuse what AWS refuses for its size (length, regexes, wildcard selectors).

    Raises:
        PatternError: AWS would refuse the pattern; the error shows where, and what to write instead.
    """
    try:
        return FilterPattern(pattern, parse(pattern, limits=limits), limits=limits)
    except PatternError as error:
        hint = _hint(pattern, error.hint, limits=limits)
        raise PatternError(error.message, error.column, hint, pattern) from None


def _hint(pattern: str, hint: str, *, limits: bool) -> str:
    """The hint of an error, what to know of the pattern that was probably meant, and that pattern."""
    import trailsieve  # which fields exist, and whether any event can match, is known in rooms above
    from trailsieve.pattern.repair import suggest

    found = suggest(pattern, partial(parse, limits=limits))
    meant, said = trailsieve.corrected(found.text, limits=limits) if found.text else ("", [])
    remarks = [sentence for sentence in (hint, *found.remarks, *said) if sentence]
    proposal = f"did you mean: {meant}" if meant else ""
    return "\n      ".join(filter(None, ("; ".join(remarks), proposal)))


def _text(message: str | bytes) -> str:
    return message if isinstance(message, str) else message.decode("utf-8", "replace")
