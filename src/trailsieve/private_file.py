"""Files that only their owner may read: they hold records of an account, and alerts about it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_MODE = 0o600


def opener(path: str, flags: int) -> int:
    """An opener for `open` that creates files with mode 0600; existing files keep their mode."""
    return os.open(path, flags, _MODE)


def create(path: Path) -> None:
    """Creates an empty file with mode 0600, unless there is one.

    Raises:
        OSError: it cannot be created.
    """
    with open(path, "ab", opener=opener):
        pass


def write(path: str | Path, content: bytes) -> None:
    """Writes a file, which gets mode 0600 if there was none.

    Raises:
        OSError: it cannot be written.
    """
    with open(path, "wb", opener=opener) as file:
        file.write(content)


def warning(path: Path) -> str:
    """A line about an existing file that others than its owner may read or write; "" for all others."""
    try:
        status = path.stat()
    except OSError:
        return ""
    if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o077:
        return ""
    return f"{path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}): chmod 600 {path}"
