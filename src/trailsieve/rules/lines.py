"""Where the rules and keys of a TOML file stand: the standard library's reader does not tell."""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = re.compile(r"\s*\[\[\s*(rule|override)\s*\]\]")
_KEY = re.compile(r"""\s*(?:\[+\s*(?:(?:rule|override)\s*\.\s*)?)?["']?([\w-]+)""")


class RuleLines:
    """Line numbers of one file's tables of one kind, found by their [[rule]] or [[override]] headers."""

    def __init__(self, file: Path, text: str, kind: str = "rule") -> None:
        self.file = file
        self._lines = text.split("\n")
        headers = [(n, match[1]) for n, line in enumerate(self._lines) if (match := _HEADER.match(line))]
        ends = [number for number, _ in headers[1:]] + [len(self._lines)]
        self._tables = [(n, end) for (n, found), end in zip(headers, ends, strict=False) if found == kind]

    def line(self, table: int) -> int:
        """The line, from 1, where the table of that number, from 0, begins."""
        return self._tables[table][0] + 1 if table < len(self._tables) else 1

    def at(self, table: int, key: str) -> str:
        """`file:line` of a table's key; of the table itself when the key cannot be found."""
        start = self.line(table)
        end = self._tables[table][1] if table < len(self._tables) else len(self._lines)
        return f"{self.file}:{self._find(key, start, end) or start}"

    def at_top(self, key: str) -> str:
        """`file:line` of a key or table outside the rules."""
        return f"{self.file}:{self._find(key, 0, len(self._lines)) or 1}"

    def _find(self, key: str, start: int, end: int) -> int:
        for number in range(start, end):
            match = _KEY.match(self._lines[number])
            if match and match[1] == key:
                return number + 1
        return 0
