"""`grammar/railroad.html` is what `grammar/draw_railroad.py` draws from the running grammar."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("railroad")
pytest.importorskip("jinja2")

GRAMMAR = Path(__file__).parents[2] / "grammar"
PAGE = GRAMMAR / "railroad.html"
COARSER = {"Operator", "Test", "TextTerm"}  # names of the parser that the EBNF takes apart


@pytest.mark.parametrize("seed", ["0", "1"])
def test_page_is_up_to_date(seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, str(GRAMMAR / "draw_railroad.py"), "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_wrong_use() -> None:
    command = [sys.executable, str(GRAMMAR / "draw_railroad.py"), "--chekc"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--check" in done.stderr


def test_page_stands_alone() -> None:
    text = PAGE.read_text("utf-8")
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", text)


def test_links_lead_somewhere() -> None:
    text = PAGE.read_text("utf-8")
    targets = re.findall(r'\bid="([^"]+)"', text)
    assert len(set(targets)) == len(targets)
    links = set(re.findall(r'href="([^"]+)"', text))
    assert {link[1:] for link in links if link.startswith("#")} <= set(targets)
    assert all((GRAMMAR / link).is_file() for link in links if not link.startswith("#"))


def test_names_are_those_of_the_ebnf() -> None:
    drawn = set(re.findall(r"<h3>(\w+)</h3>", PAGE.read_text("utf-8")))
    productions = set(
        re.findall(r"^(\w+) +::=", (GRAMMAR / "filter-pattern.ebnf").read_text("utf-8"), re.MULTILINE)
    )
    assert drawn - productions == COARSER
