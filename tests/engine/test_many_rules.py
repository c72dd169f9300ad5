"""A thousand rules at once say what each says alone, and only rules that a record triggers are ever looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bench.rules import UNANCHORED, anchored, unanchored
from tests.engine.plain import decode
from trailsieve import jsontext
from trailsieve.pattern import interpret
from trailsieve.pattern.codegen import Generated
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.fused import FusedPatterns
from trailsieve.pattern.loader import load
from trailsieve.pattern.nodes import JsonPattern

COUNT = 1000


def json_pattern(text: str) -> JsonPattern:
    tree = compile(text).tree
    assert isinstance(tree, JsonPattern)
    return tree


@pytest.fixture(scope="module")
def patterns() -> list[JsonPattern]:
    """A thousand patterns, 14 % of them without a fixed text to look for."""
    loose = int(COUNT * UNANCHORED)
    texts = [*map(unanchored, range(loose)), *map(anchored, range(COUNT - loose))]
    random.Random(1).shuffle(texts)
    return [json_pattern(text) for text in texts]


def some_value(rng: random.Random, texts: list[str]) -> str:
    odd = ("null", "true", "7", "[]", "{}", '"-leak-3"', '""')
    return rng.choice(odd) if rng.random() < 0.1 else f'"{rng.choice(texts)}"'


def events(count: int) -> Iterator[bytes]:
    """Events of which most match something, some of them several rules."""
    rng = random.Random(2)
    for n in range(count):
        number = rng.randrange(140)
        fields = {
            "eventName": [f"Call{n}", "Describe"],
            "eventSource": [f"service{n % 300}.amazonaws.com"],
            "userAgent": [f"an exploit-kit-{number}", "console", "aws-cli"],
            "errorMessage": [f"secret-{number} is denied", "no"],
            "sourceIPAddress": [f"198.18.{number}.9", "10.0.0.1"],
            "errorCode": [f"Custom1Error{number}", "AccessDenied"],
        }
        members = [
            f'"{name}":{some_value(rng, texts)}' for name, texts in fields.items() if rng.random() < 0.8
        ]
        bucket, role = (
            some_value(rng, [f"x-leak-{number}"]),
            some_value(rng, [f"breakglass-{number}-x", "app"]),
        )
        user = some_value(rng, [f"ghost{number}s", "maria"])
        members.append(f'"requestParameters":{{"bucketName":{bucket},"roleName":{role}}}')
        members.append(f'"userIdentity":{{"arn":"arn:aws:iam::1:role/intruder-{number}","userName":{user}}}')
        yield f"{{{','.join(members)}}}".encode()


def per_message(patterns: list[JsonPattern], texts: list[bytes]) -> list[tuple[int, list[int]]]:
    answers = []
    for index, text in enumerate(texts):
        record = decode(text)
        numbers = [n for n, pattern in enumerate(patterns) if interpret.matches_record(pattern, record)]
        if numbers:
            answers.append((index, numbers))
    return answers


def decoded(many: FusedPatterns, texts: list[bytes]) -> list[Any]:
    decode_event = jsontext.decoder(many.decode_as).decode
    return [decode_event(text) for text in texts]


def test_together_they_say_what_each_says_alone(patterns: list[JsonPattern]) -> None:
    texts = list(events(300))
    many = FusedPatterns(patterns)
    found = many.matches(decoded(many, texts))
    assert found == per_message(patterns, texts)
    assert len({n for _, numbers in found for n in numbers}) > 150
    assert max(len(numbers) for _, numbers in found) >= 3
    assert many.matches(decoded(many, texts)) == found  # values are remembered now


def test_a_pattern_is_compiled_when_a_record_triggers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 860 rules that ask for an API call, one call concerns one, though three share its service."""
    calls = [json_pattern(anchored(number)) for number in range(860)]
    many = FusedPatterns(calls)
    compiled: list[Generated] = []

    def counted(generated: Generated) -> Any:
        compiled.append(generated)
        return load(generated)

    monkeypatch.setattr("trailsieve.pattern.fused.load", counted)
    event = b'{"eventName":"Call77","eventSource":"service77.amazonaws.com"}'
    assert len(many.matches(decoded(many, [event] * 5 + [b'{"eventName":"Other"}']))) == 5
    assert len(compiled) == 1


def test_a_wildcard_at_the_front_reads_whole_objects(patterns: list[JsonPattern]) -> None:
    """No projection holds "every field", so the objects are decoded in full; the answers are the same."""
    texts = list(events(60))
    many = FusedPatterns([*patterns[:50], json_pattern('{ $.*.userName = "ghost*" }')])
    assert many.decode_as == dict[str, Any]
    assert many.matches(decoded(many, texts)) == per_message(list(many.patterns), texts)
