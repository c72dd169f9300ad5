"""Regexes: what is refused and where, what matches, and that RE2 alone ever sees a user's regex."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import re2

import trailsieve
from trailsieve.pattern import regex
from trailsieve.pattern.regex import check_regex, searcher


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        ("", 0, "an empty regex"),
        ("a b", 1, "a regex cannot contain a blank"),
        ("(a)", 0, "a regex cannot contain `(`"),
        (r"a\(", 2, "a regex cannot contain `(`, not even escaped"),
        ("a!", 1, "a regex cannot contain `!`"),
        ("a&", 1, "a regex cannot contain `&`"),
        ('a"', 1, 'a regex cannot contain `"`'),
        ("aé", 1, "a regex cannot contain `é` (ASCII only)"),
        ("a\x00", 1, "a regex cannot contain the character U+0000"),
        ("a\n", 1, "a regex cannot contain the character U+000A"),
        ("a\u202e", 1, "a regex cannot contain the character U+202E"),
        ("a\\", 1, "nothing follows this backslash"),
        (r"a\p", 1, r"unknown escape \p"),
        (r"a\b", 1, r"unknown escape \b"),
        (r"a\1", 1, r"unknown escape \1"),
        (r"\xg0", 0, r"\x needs two hexadecimal digits"),
        (r"\x4", 0, r"\x needs two hexadecimal digits"),
        ("a++", 0, "failed to compile this regex: bad repetition operator: ++"),
        ("[b-a]", 0, "failed to compile this regex: invalid character class range: b-a"),
        ("*a", 0, "failed to compile this regex: no argument for repetition operator: *"),
        ("[a", 0, "failed to compile this regex: missing ]: [a"),
    ],
)
def test_refused(source: str, offset: int, message: str) -> None:
    problem = check_regex(source)
    assert problem is not None
    assert (problem.offset, problem.message) == (offset, message)


def test_the_error_points_at_the_character_in_the_pattern() -> None:
    with pytest.raises(trailsieve.PatternError) as caught:
        trailsieve.compile("{ $.a = %ab(c% }")
    assert caught.value.column == 1 + "{ $.a = %ab(c% }".index("(")


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("c$", "abc", True),
        ("c$", "abc\n", False),
        ("a.c", "a\nc", False),
        (r"a\sc", "a\nc", True),
        (r"\x41", "A", True),
        ("[0-9]{3}", "12a345", True),
        ("a+?b", "aab", True),
        ("a|b", "xb", True),
        (r"\.", "a", False),
        ("A", "a", False),
        ("a.b", "a\ud800b", True),
        ("a.b", "a😀b", True),
        (r"\d", "٣", False),
    ],
)
def test_search(source: str, text: str, found: bool) -> None:
    assert searcher(source)(text) is found


class Ledger:
    """Stands in for a regex module and keeps what it was asked to compile or match."""

    def __init__(self) -> None:
        self.sources: list[str] = []


@pytest.fixture
def ledgers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Ledger, Ledger]]:
    """What `re` and what RE2 compile, while the cache of regexes is empty."""
    python, linear = Ledger(), Ledger()

    def watch(module: Any, ledger: Ledger) -> None:
        compile_it = module.compile

        def compile(source: Any, *arguments: Any, **options: Any) -> Any:
            ledger.sources.append(str(source))
            return compile_it(source, *arguments, **options)

        monkeypatch.setattr(module, "compile", compile)

    regex._compile.cache_clear()
    compiler = re._compiler  # type: ignore[attr-defined]
    watch(compiler, python)
    watch(re2, linear)
    yield python, linear
    regex._compile.cache_clear()


@pytest.mark.parametrize("text", ["%qq+z%", "{ $.a = %qq+z% }", "{ $.a[*] != %qq+z% }", "[a, b = %qq+z%]"])
def test_only_re2_compiles_what_a_user_wrote(ledgers: tuple[Ledger, Ledger], text: str) -> None:
    python, linear = ledgers
    re.compile("a pattern nobody has compiled yet" + text.replace("%", ""))
    assert len(python.sources) == 1, "the ledger sees what `re` compiles"
    pattern = trailsieve.compile(text)
    pattern.matches('{"a": "qqz"}')
    pattern.explain('{"a": "qqz"}')
    assert linear.sources == ["qq+z"]
    assert [source for source in python.sources[1:] if "qq" in source] == []


def test_a_regex_is_compiled_once_however_many_events(ledgers: tuple[Ledger, Ledger]) -> None:
    pattern = trailsieve.compile("{ $.a = %qq+z% || $.b = %qq+z% }")
    assert sum(pattern.matches('{"a": "qqz"}') for _ in range(100)) == 100
    assert ledgers[1].sources == ["qq+z"]


@pytest.mark.parametrize(
    "source", ["a*a*a*a*a*a*b", "a?a?a?a?a?a?a?a?a?a?aaaaaaaaaa$b", "[a-z]*[a-z]*[a-z]*1"]
)
def test_what_explodes_elsewhere_just_does_not_match(source: str) -> None:
    """With a backtracking engine none of these would ever come back."""
    assert trailsieve.compile(f"%{source}%").matches("a" * 100_000) is False
