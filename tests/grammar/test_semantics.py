"""`grammar/semantics.md` has every rule, with an example and its evidence, and every rule that is referred to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GRAMMAR = ROOT / "grammar"
TEXT = (GRAMMAR / "semantics.md").read_text("utf-8")
RULES = {
    int(number): f"{title}\n{body}"
    for number, title, body in re.findall(
        r"^### (\d+)\. ([^\n]+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL
    )
}
SOURCES = [
    *sorted((ROOT / "src").rglob("*.py")),
    *sorted(path for path in GRAMMAR.glob("*") if path.is_file()),
]
MENTION = re.compile(r"\brules?:? ((?:\d+(?:, | and | to | or |-|–)?)+)", re.IGNORECASE)


def mentioned(text: str) -> Iterator[int]:
    """The numbers in `rule 7`, `rules 26 to 29, 36`, …"""
    for mention in MENTION.finditer(text):
        yield from map(int, re.findall(r"\d+", mention[1]))


def anchor(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown as a page."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_rule_is_there_in_order() -> None:
    assert list(RULES) == list(range(1, 69))


@pytest.mark.parametrize("rule", RULES)
def test_rule_has_example_and_evidence(rule: int) -> None:
    body = RULES[rule]
    assert re.search(r"^Example: ", body, re.MULTILINE)
    evidence = re.search(r"^Evidence: (recorded|documented|inferred|unknown)\b", body, re.MULTILINE)
    assert evidence
    assert body.index("Example: ") < body.index("Evidence: ")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_mentioned_rules_exist(path: Path) -> None:
    assert set(mentioned(path.read_text("utf-8"))) <= set(RULES)


def test_mentions_are_found() -> None:
    assert list(mentioned("see Rules 26 to 29, 36 and rule 5; 7 rules")) == [26, 29, 36, 5]
    text = "".join(path.read_text("utf-8") for path in SOURCES if path.suffix == ".py")
    assert len(set(mentioned(text))) > 30


def test_links_lead_somewhere() -> None:
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https://"):
            assert (GRAMMAR / target).exists()
    defined = set(re.findall(r"^\[([\w-]+)\]: https://", TEXT, re.MULTILINE))
    used = set(re.findall(r"\[([\w-]+)\](?![:(])", re.sub(r"`[^`]*`", "", TEXT)))
    assert used == defined


def test_contents_list_every_section() -> None:
    sections = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    listed = re.findall(r"^- \[(.+?)\]\(#", TEXT, re.MULTILINE)
    assert listed == [section for section in sections if section != "Contents"]
