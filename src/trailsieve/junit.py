"""JUnit XML, the report that CI systems read.

XML 1.0 has no control characters, not even escaped ones, so they are replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from trailsieve.errors import visible_lines

Outcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case; the first line of `text` is the message of its failure, error or skip."""

    classname: str
    name: str
    file: str = ""
    outcome: Outcome = "passed"
    text: str = ""


def document(name: str, cases: Sequence[Case]) -> bytes:
    """A test suite as UTF-8 XML, with an XML declaration."""
    counts = Counter(case.outcome for case in cases)
    totals = {"failures": counts["failure"], "errors": counts["error"], "skipped": counts["skipped"]}
    attributes = {key: str(count) for key, count in {"tests": len(cases), **totals}.items()}
    suite = ElementTree.Element("testsuite", {"name": name, **attributes})
    for case in cases:
        _add(suite, case)
    ElementTree.indent(suite)
    content: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add(suite: ElementTree.Element, case: Case) -> None:
    names = {"classname": case.classname, "name": case.name, "file": case.file}
    shown = {key: visible_lines(text) for key, text in names.items() if text}
    element = ElementTree.SubElement(suite, "testcase", shown)
    if case.outcome != "passed":
        text = visible_lines(case.text)
        ElementTree.SubElement(element, case.outcome, message=text.partition("\n")[0]).text = text
