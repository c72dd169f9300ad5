"""Many patterns at once over whole CloudTrail files find what the interpreter finds record by record."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trailsieve
from tests import strategies as some
from tests.examples import examples
from tests.laws import by_interpreter, by_matcher
from trailsieve import jsontext
from trailsieve.engine.decode import Decoded
from trailsieve.engine.matcher import Matcher
from trailsieve.model import Problem
from trailsieve.pattern import interpret
from trailsieve.pattern.fused import FusedPatterns
from trailsieve.pattern.nodes import Comparison, JsonPattern, Selector, String
from trailsieve.pattern.parser import parse
from trailsieve.rules.rule import Rule

laws = settings(max_examples=examples(120), suppress_health_check=[HealthCheck.too_slow])

Case = tuple[list[JsonPattern], list[bytes]]  # patterns and records


# --- records: ordinary ones, and every odd one at any place ---


def _nested(depth: int, opening: str, closing: str) -> str:
    return f'{{"a":{opening * depth}1{closing * depth},"b":"a"}}'


ODD = [
    b'{"a":"\xff"}',
    b'{"a":"a","unread":"\xff\xfe"}',
    b'{"\xff":"a","b":1}',
    rb'{"a":"\ud800","b":"a"}',
    rb'{"unread":"\udfff","a":"a"}',
    rb'{"\u0061":"a","b":{"\u0063":1}}',
    b'{"a":"a","a":"b"}',
    b'{"a":{"b":1},"a":{"c":1}}',
    b'{"a":{"b":"a"},"a":"a"}',
    b'{"a":"},{\\"a\\":"}',
    b'{"a":[{"a":"a"},{"a":"b"},{"a":null}]}',
    b'{"a":"]}{\\"Records\\":[","b":"]}"}',
    b'{"a":{"a":[{"a":"a"}]}}',
    *(b'{"a":%s,"b":{"c":%s}}' % (text.encode(), text.encode()) for text in some.JSON_NUMBERS[-6:]),
    _nested(1500, "[", "]").encode(),
    _nested(1500, '{"b":', "}").encode(),
    *(b"{}", b"[]", b"null", b"1", b'"a"', b"[{}]", b"true"),
]
# Equality tests of plain selectors, as most rules have: they share triggers.
tests_of_text = st.builds(
    lambda name, text: JsonPattern(Comparison(Selector((name,)), "=", String(text))),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["a", "ab", "1"]),
)
pattern_lists = st.lists(some.json_patterns | tests_of_text, min_size=1, max_size=6)


def cases(max_size: int = 8) -> st.SearchStrategy[Case]:
    """Patterns, and records that they may match, with odd ones among them."""

    def records(patterns: list[JsonPattern]) -> st.SearchStrategy[list[bytes]]:
        hits = some.events_for(*patterns).map(str.encode)
        odd = some.json_texts.map(str.encode) | st.sampled_from(ODD)
        return st.lists(hits | hits | hits | odd, max_size=max_size)

    return pattern_lists.flatmap(lambda patterns: st.tuples(st.just(patterns), records(patterns)))


def plain(texts: list[bytes]) -> bytes:
    """A file as CloudTrail writes it."""
    return b'{"Records":[' + b",".join(texts) + b"]}"


blocks = st.integers(0, 400)
blanks = st.sampled_from([b"", b" ", b"\n", b"\r\n\t "])


@laws
@given(cases(), blocks)
def test_a_plain_file_in_blocks_of_any_size(case: Case, block: int) -> None:
    patterns, texts = case
    found, problems = by_matcher(patterns, plain(texts), block)
    assert found == by_interpreter(patterns, texts)
    assert len(problems) == sum(jsontext.decode_object(text) is None for text in texts)


@laws
@given(cases(), st.lists(blanks, min_size=9, max_size=9), blocks)
def test_whitespace_between_records_never_matters(case: Case, space: list[bytes], block: int) -> None:
    patterns, texts = case
    records = (space[7] + b"," + space[8]).join(texts)
    parts = [b"{", b'"Records"', b":", b"[", records, b"]", b"}"]
    data = b"".join(blank + part for blank, part in zip(space, parts, strict=False))
    assert by_matcher(patterns, data, block)[0] == by_interpreter(patterns, texts)


@laws
@given(cases(), st.lists(st.integers(0, 8), min_size=1, max_size=3).map(sorted), blocks)
def test_joined_files_are_one(case: Case, cuts: list[int], block: int) -> None:
    patterns, texts = case
    data = b"".join(plain(texts[start:end]) for start, end in pairwise([0, *cuts, len(texts)]))
    assert by_matcher(patterns, data, block)[0] == by_interpreter(patterns, texts)


@laws
@given(cases())
def test_what_was_seen_before_never_matters(case: Case) -> None:
    patterns, texts = case
    fused = FusedPatterns(patterns)
    decode = jsontext.decoder(fused.decode_as).decode
    for text in (*texts, *texts, *reversed(texts)):
        try:
            found = fused.matches([decode(text)])
        except jsontext.REFUSALS:
            continue
        record = jsontext.decode_object(text)
        wanted = [n for n, pattern in enumerate(patterns) if interpret.matches_record(pattern, record)]
        assert found == ([(0, wanted)] if wanted else [])


@pytest.mark.parametrize("key", ['a"b', "a\\b", "a\x01", "\ud800", "__class__", "f0", "type", "é", "a b"])
def test_any_key_can_be_read(key: str) -> None:
    patterns = [parse(f"{{ $.['{key}'] = 1 }}"), parse(f"{{ $.a.['{key}'].b = 1 || $.a.c[*] = 2 }}")]
    trees = [tree for tree in patterns if isinstance(tree, JsonPattern)]
    quoted = jsontext.encode(key).encode()
    texts = [b"{%s:1}" % quoted, b'{"a":{%s:{"b":1}}}' % quoted, b'{"a":{"c":[2]}}', b'{"a":1}']
    found, problems = by_matcher(trees, plain(texts))
    assert [(record, pattern) for record, pattern, _ in found] == [(1, 0), (2, 1), (3, 1)]
    assert problems == []


def test_bytes_that_are_no_utf8_read_the_same_in_a_key() -> None:
    tree = parse("{ $.['\ufffd'] = 1 }")
    assert isinstance(tree, JsonPattern)
    text = b'{"\xff":1}'
    assert by_matcher([tree], plain([text]))[0] == by_interpreter([tree], [text]) == [(1, 0, text)]


def test_the_examples_hit_and_miss() -> None:
    """The strategies are worth something only if patterns are both true and false of the odd records."""
    texts = [
        "{ $.a = a }",
        "{ $.b = 1 }",
        "{ $.a.b = 1 }",
        "{ $.a[*] = 1 }",
        "{ $.a != a }",
        "{ $.a NOT EXISTS }",
    ]
    trees = [tree for tree in map(parse, texts) if isinstance(tree, JsonPattern)]
    hits = Counter(pattern for _, pattern, _ in by_interpreter(trees, ODD))
    assert all(0 < hits[number] < len(ODD) for number in (0, 1, 4, 5))
    found, _ = by_matcher(trees, plain(ODD))
    assert found == by_interpreter(trees, ODD)


@pytest.mark.parametrize("pattern", ["{ $.a = 9 }", "nowhere", "%nowhere%", "[a, b, c, d, e]"])
def test_what_cannot_be_read_is_a_problem_for_rules_of_any_language(pattern: str) -> None:
    matcher = Matcher([Rule("r", "", "low", trailsieve.compile(pattern))])
    decoded = Decoded(
        "trail.json", plain([b'{"a":1}', b"5", b"nonsense", rb'{"a":"\ud800"}', b'{"b":"\xff"}'])
    )
    problems = [found for found in matcher.match(decoded) if isinstance(found, Problem)]
    assert [problem.index for problem in problems] == [2, 3]
