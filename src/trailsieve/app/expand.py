"""`${NAME}`, `${NAME:-default}` and `${file:/path}` in the strings of a configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

_MARK = re.compile(
    r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{file:(?P<file>[^}]+)\}"
)


class Expansion:
    """Expands strings and remembers what was missing, and the values that must never be shown.

    Attributes:
        missing: what could not be had, one text each.
        secrets: values that came from the environment or a file.
    """

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.secrets: set[str] = set()

    def expand(self, value: Any) -> Any:
        """`value` with every mark in its strings replaced, however deep they lie."""
        if isinstance(value, str):
            return _MARK.sub(self._replace, value)
        if isinstance(value, dict):
            return {key: self.expand(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expand(item) for item in value]
        return value

    def _replace(self, mark: re.Match[str]) -> str:
        found = self._from_file(mark["file"]) if mark["file"] else self._from_environment(mark)
        if found:
            self.secrets.add(found)
        return found

    def _from_environment(self, mark: re.Match[str]) -> str:
        value = os.environ.get(mark["name"])
        if value:
            return value
        if mark["default"] is None:
            self.missing.append(f"the environment has no {mark['name']}")
        return mark["default"] or ""

    def _from_file(self, path: str) -> str:
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.missing.append(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
            return ""
