"""Where the rules and keys of a TOML file stand: the standard library's reader does not tell."""

from __future__ import annotations

import re
from pathlib import Path

_RULE = re.compile(r"\s*\[\[\s*rule\s*\]\]")
_KEY = re.compile(r"""\s*(?:\[+\s*(?:rule\s*\.\s*)?)?["']?([\w-]+)""")


class RuleLines:
    """Line numbers of one file, found by its [[rule]] headers."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self._lines = text.split("\n")
        self._headers = [number for number, line in enumerate(self._lines) if _RULE.match(line)]

    def line(self, rule: int) -> int:
        """The line, from 1, where the rule of that number, from 0, begins."""
        return self._headers[rule] + 1 if rule < len(self._headers) else 1

    def at(self, rule: int, key: str) -> str:
        """`file:line` of a rule's key; of the rule itself when the key cannot be found."""
        start = self.line(rule)
        end = self.line(rule + 1) - 1 if rule + 1 < len(self._headers) else len(self._lines)
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
