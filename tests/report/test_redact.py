"""Pseudonyms: one for all names of a principal, and nothing else is changed."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import factory
from trailsieve.investigation.model import Verdict
from trailsieve.report.redact import KINDS, any_of, redacted


def sentence(text: str, kinds: tuple[str, ...] = KINDS) -> str:
    chief, *others = factory.investigated().suspects
    suspects = [msgspec.structs.replace(chief, name=f"user/{chief.name}"), *others]
    found = msgspec.structs.replace(factory.investigated(), verdict=Verdict([text]), suspects=suspects)
    return redacted(found, [], kinds)[0].verdict.sentences[0]  # type: ignore[arg-type]


def test_all_names_of_a_user_have_one_pseudonym() -> None:
    names = ("build-bot", "user/build-bot", "arn:aws:iam::111122223333:user/build-bot")
    assert len({sentence(name) for name in names}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "AdministratorAccess of account 111122223333 at 2026-03-14T02:16:55Z",
        "opened 0.0.0.0/0 and ::/0 to the world",
        "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36",
        "from s3.amazonaws.com by root",
        "aws-cli/2.24.5 md/awscrt#0.23.8",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert sentence(text) == text


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("(203.0.113.77)", r"\(ip-\d+\)"),
        ("203.0.113.77: never seen", r"ip-\d+: never seen"),
        ("from 203.0.113.77.", r"from ip-\d+\."),
        ("https://198.51.100.9:8443/x", r"https://ip-\d+:8443/x"),
        ("agent/203.0.113.77", r"agent/ip-\d+"),
        ("2001:db8::7, ::1 and ::ffff:192.0.2.1", r"ip-\d+, ip-\d+ and ip-\d+"),
        ("j.marlow@example.org", r"principal-\d+@example.org"),
        ("policy-of-build-bot-2", r"policy-of-principal-\d+-2"),
        ("user/build-b… made a key", r"principal-\d+ made a key"),
        ("ASIA2… and key AKIAIOS…", r"key-\d+… and key key-\d+…"),
        ("key AKIAIOSFODNN7EXAMPLE.", r"key key-\d+\."),
    ],
)
def test_values_are_found_wherever_they_stand(text: str, pattern: str) -> None:
    assert re.fullmatch(pattern, sentence(text))


@given(st.sets(st.text("ab.", min_size=1, max_size=6), min_size=1), st.text("ab.c", max_size=20))
def test_the_expression_of_many_words_finds_the_longest(words: set[str], text: str) -> None:
    longest_first = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    assert re.findall(any_of(words), text) == re.findall(longest_first, text)
