"""Where the tables and keys of a configuration file stand: the standard library's reader does not tell."""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = re.compile(r"""\s*\[{1,2}\s*["']?([\w-]+)""")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*[=.]""")


class TableLines:
    """Line numbers of one file."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._lines = text.split("\n")

    def at(self, table: str, number: int = 0, key: str = "") -> str:
        """`file:line` of a key in the table of that name and number (from 0), or as near as can be found."""
        headers = [
            n for n, line in enumerate(self._lines) if (found := _HEADER.match(line)) and found[1] == table
        ]
        if number >= len(headers):
            return f"{self._file}:{headers[-1] + 1 if headers else 1}"
        start = headers[number]
        for offset, line in enumerate(self._lines[start + 1 :], start + 2):
            if _HEADER.match(line):
                break
            if key and (found := _KEY.match(line)) and found[1] == key:
                return f"{self._file}:{offset}"
        return f"{self._file}:{start + 1}"
