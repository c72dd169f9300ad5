"""The lines of tables and keys in a TOML file, however it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from trailsieve.toml_file import Place, TableReader, TomlFile

TEXT = """\
# id = "comment"
[pack]
name = "ours"

[[rule]]
id = "one"
  "pattern" = 'x'
[rule.tests]
match = []

[[ rule ]]  # the second
'id' = "two"
tests.match = []
description = '''
id = "text"
[[rule]]
'''
list = [
  { id = "inline", text = "]" },
]
["quoted.name".sub]
a . b = '''
"quoted" '''
[[rule.exceptions]]
reason = "first"
[[rule.exceptions]]
reason = "second"
"""


@pytest.fixture
def file(tmp_path: Path) -> TomlFile:
    path = tmp_path / "r.toml"
    path.write_text(TEXT)
    return TomlFile(path)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("pack",), 2),
        (("pack", "name"), 3),
        (("absent",), 1),
        (("rule",), 5),
        (("rule", 0), 5),
        (("rule", 0, "id"), 6),
        (("rule", 0, "pattern"), 7),
        (("rule", 0, "tests"), 8),
        (("rule", 0, "tests", "match"), 9),
        (("rule", 0, "absent"), 5),
        (("rule", 1), 11),
        (("rule", 1, "id"), 12),
        (("rule", 1, "tests"), 13),
        (("rule", 1, "tests", "match"), 13),
        (("rule", 1, "pattern"), 11),
        (("rule", 1, "list", 0, "id"), 18),
        (("quoted.name", "sub"), 21),
        (("quoted.name", "sub", "a", "b"), 22),
        (("rule", 1, "exceptions", 0, "reason"), 25),
        (("rule", 1, "exceptions", 1, "reason"), 27),
        (("rule", 1, "exceptions", 1, "owner"), 26),
    ],
)
def test_the_line_of_a_table_or_key(place: Place, line: int, file: TomlFile) -> None:
    assert file.line(place) == line


def test_mistakes_are_in_the_order_of_their_lines(file: TomlFile) -> None:
    file.report(("rule", 1, "id"), "second")
    file.report(("pack", "name"), "first")
    assert file.mistakes == [f"{file.path}:3: first", f"{file.path}:12: second"]


def test_what_is_not_toml_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("\n\nx = \n")
    with pytest.raises(ValueError, match=rf"^{path}:3: Invalid value$"):
        TomlFile(path)


@dataclass
class Inner:
    """A table in a table."""

    size: int
    color: Literal["red", "green"] = "red"


@dataclass
class Outer:
    """A table."""

    name: str
    share: float = 0
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    words: tuple[str, ...] = ()
    mixed: tuple[str | dict[str, int], ...] = ()
    flag: bool = False


def read(table: object) -> tuple[Outer | None, list[str]]:
    found: list[str] = []
    return TableReader(lambda _, text: found.append(text)).read(Outer, table, ("table",)), found


def test_a_table_becomes_a_struct() -> None:
    table = {"name": "x", "share": 1, "inner": {"size": 2}, "many": [{"size": 3, "color": "green"}]}
    assert read(table) == (Outer("x", 1.0, Inner(2), (Inner(3, "green"),)), [])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (3, "expected a table"),
        ({}, "`name` is missing"),
        ({"nmae": "x", "name": "x"}, "unknown key `nmae`; did you mean `name`? (allowed: name, share, "),
        ({"name": 1}, "`name`: expected a string"),
        ({"name": "x", "share": "x"}, "`share`: expected a number"),
        ({"name": "x", "flag": 1}, "`flag`: expected true or false"),
        ({"name": "x", "words": [1]}, "`words`: expected a list of strings"),
        ({"name": "x", "mixed": 1}, "`mixed`: expected a list of strings and tables"),
        ({"name": "x", "inner": {}}, "`inner.size` is missing"),
        ({"name": "x", "inner": []}, "`inner`: expected a table"),
        ({"name": "x", "inner": {"size": 1.5}}, "`inner.size`: expected a whole number"),
        ({"name": "x", "many": {}}, "`many`: expected a list of tables"),
        ({"name": "x", "many": [1]}, "`many`: expected a table"),
        (
            {"name": "x", "many": [{"size": 1, "color": "gren"}]},
            "`many.color`: expected one of red, green; did you mean `green`?",
        ),
    ],
)
def test_a_mistake_says_what_is_allowed(table: object, message: str) -> None:
    made, [problem] = read(table)
    assert made is None
    assert problem.startswith(message)


def test_all_mistakes_are_reported() -> None:
    assert len(read({"x": 1, "inner": {"color": 1}, "many": [{"size": ""}, {}]})[1]) == 6
