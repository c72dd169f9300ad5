"""`grammar/filter-pattern.ebnf` and the parser take the same patterns.

The file is read with a small grammar of W3C's notation. Out of it come a recogniser (Lark's Earley parser, one
character at a time, so that nothing is hidden in a lexer) and a generator of sentences. Sentences must parse;
of sentences with mistakes put in, recogniser and parser must think alike. What the productions leave to the
side conditions C1 to C7 is told apart here by one small function each.
"""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark, Token, Transformer, v_args
from lark.exceptions import LarkError

from tests.examples import examples
from trailsieve.errors import PatternError
from trailsieve.pattern.parser import parse

EBNF = Path(__file__).parents[2] / "grammar" / "filter-pattern.ebnf"
START = "FilterPattern"

# --- the notation ---


@dataclass(frozen=True)
class Text:
    """A quoted literal, or `#xN`."""

    text: str


@dataclass(frozen=True)
class Characters:
    """`[…]` or `[^…]`: inclusive ranges of code points."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    options: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    node: Node
    mark: str  # ? * +


Node = Text | Characters | Name | Sequence | Choice | Repeat

NOTATION = Lark(
    r"""
    start: production+
    production: HEAD "::=" choice
    choice: sequence ("|" sequence)*
    sequence: repeat+
    repeat: primary MARK?
    ?primary: NAME -> name | STRING -> string | CODE -> code | SET -> set | "(" choice ")"
    HEAD.2: /[A-Z][A-Za-z]*(?=\s*::=)/
    NAME: /[A-Z][A-Za-z]*/
    STRING: /'[^']*'|"[^"]*"/
    CODE: /#x[0-9A-F]+/
    SET: /\[[^\]]+\]/
    MARK: /[?*+]/
    %ignore /\s+/
    %ignore /\/\*(.|\n)*?\*\//
    """,
    parser="lalr",
)
SET_MEMBER = re.compile(
    r"\\p\{(?P<category>\w+)\}|(?P<first>#x[0-9A-F]+|.)(?:-(?P<last>#x[0-9A-F]+|.))?", re.DOTALL
)


def code_point(text: str) -> int:
    return int(text[2:], 16) if text.startswith("#x") else ord(text)


@cache
def category(name: str) -> tuple[tuple[int, int], ...]:
    """The ranges of a Unicode general category; `L` stands for `Lu`, `Ll`, …"""
    ranges: list[tuple[int, int]] = []
    for point in range(sys.maxunicode + 1):
        if unicodedata.category(chr(point)).startswith(name):
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1] = (ranges[-1][0], point)
            else:
                ranges.append((point, point))
    return tuple(ranges)


def characters(text: str) -> Characters:
    """`text` is a set with its brackets."""
    negated = text[1] == "^"
    ranges: list[tuple[int, int]] = []
    for member in SET_MEMBER.finditer(text[2 if negated else 1 : -1]):
        if member["category"]:
            ranges += category(member["category"])
        else:
            ranges.append((code_point(member["first"]), code_point(member["last"] or member["first"])))
    return Characters(tuple(ranges), negated)


@v_args(inline=True)
class _Reader(Transformer[Token, dict[str, Node]]):
    def start(self, *productions: tuple[str, Node]) -> dict[str, Node]:
        names = [name for name, _ in productions]
        assert len(set(names)) == len(names), "a production is there twice"
        return dict(productions)

    def production(self, name: Token, node: Node) -> tuple[str, Node]:
        return str(name), node

    def choice(self, *options: Node) -> Node:
        return options[0] if len(options) == 1 else Choice(options)

    def sequence(self, *parts: Node) -> Node:
        return parts[0] if len(parts) == 1 else Sequence(parts)

    def repeat(self, node: Node, mark: Token | None = None) -> Node:
        return Repeat(node, str(mark)) if mark else node

    def name(self, token: Token) -> Node:
        return Name(str(token))

    def string(self, token: Token) -> Node:
        return Text(token[1:-1])

    def code(self, token: Token) -> Node:
        return Text(chr(code_point(token)))

    def set(self, token: Token) -> Node:
        return characters(token)


@cache
def productions() -> dict[str, Node]:
    return _Reader().transform(NOTATION.parse(EBNF.read_text("utf-8")))


def nodes(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Sequence(parts) | Choice(parts):
            for part in parts:
                yield from nodes(part)
        case Repeat(inner):
            yield from nodes(inner)


# --- the recogniser ---


def _regex_set(node: Characters) -> str:
    """The set as Python and Lark write it; Lark undoes `\\U` itself, so punctuation takes a plain backslash."""

    def escaped(point: int) -> str:
        punctuation = 32 <= point < 127 and not chr(point).isalnum()
        return f"\\{chr(point)}" if punctuation else rf"\U{point:08x}"

    members = "".join(f"{escaped(first)}-{escaped(last)}" for first, last in node.ranges)
    return f"[{'^' if node.negated else ''}{members}]"


class _LarkGrammar:
    """The productions in Lark's own notation; every character class becomes a terminal."""

    def __init__(self) -> None:
        self.terminals: dict[Characters, str] = {}
        rules = [f"{self.rule(name)}: {self.expression(node)}" for name, node in productions().items()]
        sets = [f"{name}: /{_regex_set(node)}/" for node, name in self.terminals.items()]
        self.text = "\n".join([*rules, *sets])

    @staticmethod
    def rule(name: str) -> str:
        return "r" + re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name)

    def expression(self, node: Node) -> str:
        match node:
            case Text(text):
                return '"' + "".join(rf"\U{ord(character):08x}" for character in text) + '"'
            case Characters():
                return self.terminals.setdefault(node, f"SET{len(self.terminals)}")
            case Name(name):
                return self.rule(name)
            case Sequence(parts):
                return " ".join(map(self.expression, parts))
            case Choice(options):
                return "(" + " | ".join(map(self.expression, options)) + ")"
            case Repeat(inner, mark):
                return f"({self.expression(inner)}){mark}"


@cache
def recogniser() -> Lark:
    grammar = _LarkGrammar()
    return Lark(grammar.text, start=grammar.rule(START), parser="earley", lexer="dynamic")


def grammar_takes(text: str) -> bool:
    try:
        recogniser().parse(text)
    except LarkError:
        return False
    return True


def parser_error(text: str) -> PatternError | None:
    try:
        parse(text, limits=False)
    except PatternError as error:
        return error
    return None


# --- side conditions: the text from the column of the error on says which one is broken ---


def exponent_too_big(text: str, at: int) -> bool:
    """C1."""
    number = re.match(r"[+-]?[0-9.]+[eE]([+-]?[0-9]+)", text[at:])
    return number is not None and abs(int(number[1])) > 2**31 - 1


def null_as_value(text: str, at: int) -> bool:
    """C2."""
    return bool(re.match(r"null(?![\w.*+-])", text[at:]))


def regex_does_not_compile(text: str, at: int) -> bool:
    """C3: the regex engine's word for it, of which only these can come from what the productions allow."""
    error = parser_error(text)
    return text[at - 1] == "%" and bool(
        re.search(
            r"invalid character class range"
            r"|invalid escape sequence: \\[dDwWsS]$"  # at the end of a range
            r"|missing \]: \[\^\]"  # a ^ at the start of a class negates it, so this ] is a member
            r"|invalid repetition size: \{"
            r"|no argument for repetition operator: \{"
            r"|bad repetition operator: .*\{"
            r"|pattern too large",
            error.message if error else "",
        )
    )


def second_ellipsis(text: str, at: int) -> bool:
    """C4."""
    return text[at:].lstrip().startswith("...") and "..." in text[:at]


def _column(text: str, at: int) -> tuple[str, str]:
    """What stands in a column before an offset (quoted commas and regexes aside), and the name there."""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"|%[^%]*%', lambda value: "_" * len(value[0]), text)
    name = re.match(r"[\w-]+", plain[at:])
    return plain[:at].rsplit(",", 1)[-1].lstrip("["), name[0] if name else ""


def duplicate_name(text: str, at: int) -> bool:
    """C5: an earlier column has the name that starts here."""
    before, name = _column(text, at)
    if before.strip() or not name:
        return False
    earlier = text[: at - len(before)]
    return bool(re.search(rf"[\[,]\s*{re.escape(name)}(?![\w-])", earlier))


def other_name_in_column(text: str, at: int) -> bool:
    """C6: behind && or ||, another name than the column's first."""
    before, name = _column(text, at)
    first = re.match(r"\s*([\w-]+)", before)
    return before.rstrip().endswith(("&&", "||")) and first is not None and first[1] != name


SIDE_CONDITIONS: tuple[Callable[[str, int], bool], ...] = (
    exponent_too_big,
    null_as_value,
    regex_does_not_compile,
    second_ellipsis,
    duplicate_name,
    other_name_in_column,
)  # C7 lies beyond what the generator nests


def breaks_side_condition(text: str, error: PatternError) -> bool:
    return any(broken(text, error.column - 1) for broken in SIDE_CONDITIONS)


def check_agreement(text: str) -> bool:
    """Parser and recogniser think alike of `text`, side conditions apart; returns whether it parses."""
    error = parser_error(text)
    taken = grammar_takes(text)
    if error is None:
        assert taken, f"the parser takes {text!r}, the grammar does not"
    elif taken:
        assert breaks_side_condition(text, error), f"the grammar takes {text!r}, the parser does not: {error}"
    return error is None


# --- the generator ---

POOL = "".join(map(chr, range(32, 127))) + "\t\n\r\0\x0b\u00a0éßλ鍵٣²Ⅳ😀\u0301"
MAX_DEPTH = 4  # of expressions in expressions
MORE = {"?": (0, 1), "*": (0, 0, 0, 0, 1, 1, 3), "+": (1, 1, 2, 3)}


def holds(node: Characters, character: str) -> bool:
    inside = any(first <= ord(character) <= last for first, last in node.ranges)
    return inside != node.negated


@cache
def pool(node: Characters) -> str:
    return "".join(character for character in POOL if holds(node, character))


def sentence(chance: random.Random, node: Node, depth: int = 0) -> str:
    match node:
        case Text(text):
            return text
        case Characters():
            return chance.choice(pool(node))
        case Name(name):
            if name == "Operand" and (depth > MAX_DEPTH or chance.random() < 0.6):
                name = "Term"  # so that sentences end
            return sentence(chance, productions()[name], depth + (name == "Expression"))
        case Sequence(parts):
            return "".join(sentence(chance, part, depth) for part in parts)
        case Choice(options):
            return sentence(chance, chance.choice(options), depth)
        case Repeat(inner, mark):
            return "".join(sentence(chance, inner, depth) for _ in range(chance.choice(MORE[mark])))


def sentences(start: str = START) -> st.SearchStrategy[str]:
    seeds = st.integers(0, 2**48)
    return seeds.map(lambda seed: sentence(random.Random(seed), productions()[start]))


TELLING = "{}[]()\"%$.*|&=!<>-+?,\\ \n'_:^0n"


def with_mistakes(text: str, seed: int) -> str:
    """`text` with one to three characters inserted, deleted or replaced."""
    chance = random.Random(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(text) + 1)
        new = chance.choice(chance.choice((TELLING, POOL)))
        gone = chance.choice((0, 1))
        text = text[:at] + (new if not gone or chance.random() < 0.5 else "") + text[at + gone :]
    return text


# --- tests ---

LANGUAGES = ("JsonPattern", "RegexPattern", "TextPattern", "DelimitedPattern")


def test_every_production_is_defined_and_reached() -> None:
    reached = {START}
    ahead = [START]
    while ahead:
        for node in nodes(productions()[ahead.pop()]):
            if isinstance(node, Name) and node.name not in reached:
                reached.add(node.name)
                ahead.append(node.name)
    assert reached == set(productions())


def test_every_side_condition_is_checked_here() -> None:
    named = set(re.findall(r"^ +(C[0-9])  ", EBNF.read_text("utf-8"), re.MULTILINE))
    told = {str(condition.__doc__)[:2] for condition in SIDE_CONDITIONS}
    assert named - told == {"C7"}


def test_letters_and_digits_are_those_of_the_parser() -> None:
    """Python's `\\w` and `[^\\W\\d]` are the sets that the file writes with Unicode categories."""
    for name, python in ((r"[_\p{L}\p{N}]", r"\w"), (r"[_\p{L}\p{Nl}\p{No}]", r"[^\W\d]")):
        of_file = re.compile(_regex_set(characters(name)))
        of_parser = re.compile(python)
        for point in range(sys.maxunicode + 1):
            assert bool(of_file.match(chr(point))) == bool(of_parser.match(chr(point))), hex(point)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=examples(60))
@given(data=st.data())
def test_parser_takes_every_sentence(language: str, data: st.DataObject) -> None:
    text = data.draw(sentences(language))
    error = parser_error(text)
    assert error is None or breaks_side_condition(text, error), f"{text!r}: {error}"


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=examples(25))
@given(data=st.data())
def test_recogniser_takes_what_the_generator_makes(language: str, data: st.DataObject) -> None:
    assert grammar_takes(data.draw(sentences(language)))


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=examples(60))
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_parser_and_grammar_agree_on_mistakes(language: str, data: st.DataObject, seed: int) -> None:
    check_agreement(with_mistakes(data.draw(sentences(language)), seed))


@settings(max_examples=examples(80))
@given(text=st.text(alphabet=st.sampled_from(TELLING + "a1"), max_size=12))
def test_parser_and_grammar_agree_on_noise(text: str) -> None:
    check_agreement(text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("", True),
        (" \t", True),
        ("{$.a=1}", True),
        (" {$.a=1}", False),
        ("{ $.a[*]IS NULL }", True),
        ("{ $.aIS NULL }", False),
        ("{ $.a is null }", True),
        ("{ $.a = b c }", False),
        ("{ $.a > b }", False),
        ("{ $[0] = 1 }", False),
        ("{ $.a.['x y'][0].* != %[a-z]+?\\x20% }", True),
        ("%a b%", False),
        ("%(a)%", False),
        ("%%", False),
        ("%z++%", False),
        ("a-b", True),
        ('a"b"', False),
        ('""', False),
        ("[a, ..., b != 4* && b > 3]", True),
        ("[(a = 1)]", False),
        ("[1a]", False),
        ("[]", True),
    ],
)
def test_known_patterns(text: str, taken: bool) -> None:
    assert grammar_takes(text) == taken
    assert check_agreement(text) == taken


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("{ $.a = 1e2147483648 }", exponent_too_big),
        ("{ $.a != null }", null_as_value),
        ("[a = null]", null_as_value),
        ("%[z-a]%", regex_does_not_compile),
        ("%[a-\\d]%", regex_does_not_compile),
        ("%[^]a%", regex_does_not_compile),
        ("%a{3,2}%", regex_does_not_compile),
        ("%{2}%", regex_does_not_compile),
        ("{ $.a = %a{2}{3}% }", regex_does_not_compile),
        ("[..., a, ...]", second_ellipsis),
        ("[a = 1, b, a]", duplicate_name),
        ("[a = 1 && b = 2]", other_name_in_column),
    ],
)
def test_side_conditions(text: str, condition: Callable[[str, int], bool]) -> None:
    error = parser_error(text)
    assert grammar_takes(text)
    assert error is not None
    assert condition(text, error.column - 1)
    assert [other for other in SIDE_CONDITIONS if other(text, error.column - 1)] == [condition]
