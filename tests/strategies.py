"""Random filter patterns and random events that share few names and values, so that selectors often hit."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from trailsieve.pattern import nodes
from trailsieve.pattern.operators import Operator
from trailsieve.pattern.regex import check_regex

NAMES = ["a", "b", "c", "user-id", "é_1", "two words", 'quo"te', "back\\slash", "\ufffd", "\ud800", "*"]
TEXTS = [
    "",
    "a",
    "ab",
    "AccessDenied",
    "Access",
    "1",
    "1.0",
    "-0",
    "4*",
    "*",
    "a*b",
    "*b",
    'say "a"',
    "\\",
    "é",
]
TEXTS += ["1.1.1.1", "*1.1", "1*3", "null", "true", "Infinity", "\n", "\ud800", "\u2028", "😀"]
NUMBERS = ["0", "-0", "1", "+1", "-1", "1.0", "1.50", ".5", "5.", "1e2", "100", "1E400", "1e-999", "007"]
NUMBERS += ["9007199254740993", "9007199254740992.0", "9" * 310, "1" * 450, "-1e2147483647"]
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
JSON_NUMBERS = [text for text in NUMBERS if JSON_NUMBER.fullmatch(text)]
JSON_NUMBERS += ["-0.0", "1e0", "0e5", "1e400", "-1e400", "1e99999999999999999999", "0.1", "3" * 5000]
OPERATORS: list[Operator] = ["=", "=", "!=", "!=", "<", "<=", ">", ">="]
REGEXES = ["a", "^a", "b$", "^$", "1", r"\.0", "[ab]+?", "a|b", ".", r"\s", r"\x28", r"\d{1,3}", "^.$"]

# --- patterns ---

keys = st.sampled_from(NAMES[:3]) | st.sampled_from(NAMES[:3]) | st.sampled_from(NAMES)
words = st.sampled_from(TEXTS) | st.sampled_from(TEXTS) | st.text(max_size=4)
regexes = st.builds(
    nodes.Regex,
    st.sampled_from(REGEXES)
    | st.text("ab1.*+?[]{}|\\^$-:", min_size=1, max_size=6).filter(
        lambda source: check_regex(source) is None
    ),
)


def _number(text: str) -> nodes.Number:
    return nodes.Number(text, int(text) if re.fullmatch(r"[+-]?[0-9]{1,399}", text) else Decimal(text))


def _is_bare(text: str) -> bool:
    return not re.fullmatch(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE]-?[0-9]+)?|null", text)


numbers = st.builds(_number, st.sampled_from(NUMBERS) | st.integers(-20, 20).map(str))
quoted = st.builds(nodes.String, words)
bare = st.builds(
    nodes.String,
    (st.sampled_from([t for t in TEXTS if re.fullmatch(r"[\w.*-]+", t)]) | st.text("ab1.*-é_", min_size=1))
    .map(lambda text: text[:8])
    .filter(_is_bare),
    st.just(False),
)
values = numbers | quoted | bare | regexes


@st.composite
def selectors(draw: st.DrawFn) -> nodes.Selector:
    """Names, few indexes, at most one wildcard; the first step is no index, as the language has it."""
    steps: list[nodes.Step] = draw(st.lists(keys | st.integers(0, 2), max_size=3))
    steps.insert(0, draw(keys))
    if draw(st.integers(0, 2)) == 0:
        steps[draw(st.integers(0, len(steps) - 1))] = nodes.Wildcard.ALL
    return nodes.Selector(tuple(steps))


@st.composite
def comparisons(draw: st.DrawFn, target: nodes.Selector | nodes.Field) -> nodes.Comparison:
    operator = draw(st.sampled_from(OPERATORS))
    return nodes.Comparison(target, operator, draw(numbers if operator in ("<", "<=", ">", ">=") else values))


@st.composite
def terms(draw: st.DrawFn) -> nodes.Term:
    target = draw(selectors())
    kind = draw(st.integers(0, 7))
    if kind == 0:
        return nodes.NotExists(target)
    if kind == 1:
        return nodes.IsType(target, draw(st.sampled_from(["NULL", "TRUE", "FALSE"])))
    return draw(comparisons(target))


def _joined(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """&& and || over children; the parser has no && right inside && and no || right inside ||."""

    def flat(node: type[nodes.And] | type[nodes.Or], found: list[Any]) -> Any:
        return node(tuple(t for e in found for t in (e.terms if isinstance(e, node) else (e,))))

    return st.builds(flat, st.sampled_from([nodes.And, nodes.Or]), st.lists(children, min_size=2, max_size=3))


expressions = st.recursive(terms(), _joined, max_leaves=6)
json_patterns = st.builds(nodes.JsonPattern, expressions)
regex_patterns = st.builds(nodes.RegexPattern, regexes)
_plain_terms = st.tuples(st.from_regex(r"[\w.=]{1,6}", fullmatch=True), st.just(False))
_quoted_terms = st.tuples(words.filter(bool), st.just(True))
text_terms = st.builds(
    lambda term, role: nodes.TextTerm(term[0], role, term[1]),
    _plain_terms | _quoted_terms,
    st.sampled_from(["required", "excluded", "optional"]),
)
text_patterns = st.builds(nodes.TextPattern, st.lists(text_terms, max_size=4).map(tuple))


@st.composite
def delimited_patterns(draw: st.DrawFn) -> nodes.DelimitedPattern:
    names = draw(st.lists(st.sampled_from(["ip", "user", "status-code", "é", "bytes", ""]), max_size=5))
    columns: list[nodes.Column | nodes.Ellipsis] = []
    for number, name in enumerate(names):
        if not name or name in names[:number]:
            columns.append(nodes.Column(""))
        else:
            tests = comparisons(nodes.Field(name))
            both = st.lists(tests, min_size=2, max_size=2).map(lambda two: nodes.And(tuple(two)))
            either = st.lists(tests | both, min_size=2, max_size=3).map(lambda two: nodes.Or(tuple(two)))
            columns.append(nodes.Column(name, draw(st.none() | tests | both | either)))
    if draw(st.booleans()):
        columns.insert(draw(st.integers(0, len(columns))), nodes.Ellipsis())
    return nodes.DelimitedPattern(() if columns == [nodes.Column("")] else tuple(columns))


patterns: st.SearchStrategy[nodes.Pattern] = (
    json_patterns | json_patterns | text_patterns | delimited_patterns() | regex_patterns
)

_PIECES = [
    "{",
    "}",
    "[",
    "]",
    "%",
    '"',
    "\\",
    "(",
    ")",
    "$.",
    "$.a",
    ".['",
    "']",
    "[*]",
    ".*",
    "=",
    "!=",
    "<=",
]
_PIECES += [
    "&&",
    "||",
    " ",
    "\n",
    "\t",
    "IS",
    "NULL",
    "NOT",
    "EXISTS",
    "true",
    "...",
    ",",
    "-",
    "?",
    "1",
    "1e",
    "é",
]
_PIECES += [
    "AND",
    "==",
    "'",
    "\ud800",
    "\x00",
    "\u202e",
    "null",
    "*",
    "exists",
    "!",
    "{ $.a = 1 }",
    "[a, b]",
    "$",
]
# What people may type, and what nobody would: pieces of the language in any order, or any text at all.
pattern_texts = st.one_of(
    st.lists(st.sampled_from(_PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(_PIECES), max_size=10).map(lambda pieces: f"{{ {' '.join(pieces)} }}"),
    st.text(max_size=30),
)

# --- events, as raw JSON text ---


def _quoted_json(text: str, ascii_only: bool) -> str:
    """A JSON string; lone surrogates always as escapes, for they have no UTF-8 form."""
    found = json.dumps(text, ensure_ascii=ascii_only)
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", found)


json_strings = st.builds(_quoted_json, words, st.booleans())
json_keys = st.builds(_quoted_json, keys, st.booleans())
json_scalars = st.one_of(
    json_strings, json_strings, st.sampled_from(JSON_NUMBERS), st.sampled_from(["null", "true", "false"])
)
_commas = st.sampled_from([",", ", ", " ,\n\t"])


def _object(pairs: list[tuple[str, str]], comma: str) -> str:
    return "{" + comma.join(f"{key}:{value}" for key, value in pairs) + "}"


def _objects(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects; a key may stand twice."""
    return st.builds(_object, st.lists(st.tuples(json_keys, children), max_size=5), _commas)


def _arrays(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda items, comma: f"[{comma.join(items)}]", st.lists(children, max_size=3), _commas)


json_texts = st.recursive(
    json_scalars, lambda children: _objects(children) | _objects(children) | _arrays(children), max_leaves=12
)
json_objects = _objects(json_texts)

lines = st.lists(st.sampled_from([*TEXTS, '"', "[", "]", " ", "\t", "  "]) | words, max_size=10).map(" ".join)
messages = json_objects | json_texts | lines


@st.composite
def events_for(draw: st.DrawFn, *trees: nodes.Pattern) -> str:
    """An object in which the patterns' selectors lead far: to what they are compared with, or to anything."""
    tests = [term for tree in trees for e in nodes.expressions_of(tree) for term in nodes.terms_of(e)]
    members: list[tuple[str, str]] = []
    for term in draw(st.lists(st.sampled_from(tests), max_size=4)) if tests else []:
        assert isinstance(term.target, nodes.Selector)
        first, *rest = term.target.steps[: draw(st.sampled_from([9, 9, 9, 3, 2, 1]))]
        value = draw(_values_for(term))
        for step in reversed(rest):
            value = draw(_holding(step, value))
        name = first if isinstance(first, str) else draw(keys)
        members.append((_quoted_json(name, draw(st.booleans())), value))
    return _object(draw(st.permutations(members + draw(st.lists(_members, max_size=2)))), draw(_commas))


def _values_for(term: nodes.Term) -> st.SearchStrategy[str]:
    text = getattr(getattr(term, "value", None), "text", "a").replace("*", "1")
    wanted = [_quoted_json(text, True), "null", "true", "1", "[]", "{}", "[1,null]"]
    if JSON_NUMBER.fullmatch(text):
        wanted += [text, text]
    return st.sampled_from([*wanted, wanted[0]]) | json_texts


def _holding(step: nodes.Step, value: str) -> st.SearchStrategy[str]:
    """Something in which a step leads to the value: mostly."""
    if isinstance(step, str):
        found = [f"{{{_quoted_json(step, True)}:{value}}}"]
    elif isinstance(step, int):
        found = [f"[{','.join(['null'] * step + [value])}]"]
    else:
        found = [f"[{value}]", f'{{"a":{value}}}', f"[null,{value},1]", f'{{"b":"a","c":{value}}}', "[]"]
    return st.sampled_from(found) | st.sampled_from(found) | json_scalars


_members = st.tuples(json_keys, json_texts)


def with_messages(trees: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, list[str]]]:
    """A pattern and messages that it may match."""
    return trees.flatmap(
        lambda tree: st.tuples(
            st.just(tree),
            st.lists(events_for(tree) if isinstance(tree, nodes.JsonPattern) else messages, max_size=5),
        )
    )
