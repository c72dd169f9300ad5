"""A process on a real terminal, and what the terminal shows in the end."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

MAIN = (sys.executable, "-c", "from trailsieve.cli.main import main; main()")

_PATIENCE = 120.0  # seconds; a process that hangs must not hang the tests


class Terminal:
    """Runs a command line on a terminal of so many columns.

    Attributes:
        written: every byte that reached the terminal so far.
    """

    def __init__(self, *arguments: str | Path, columns: int = 120, **environment: str) -> None:
        self._master, slave = pty.openpty()
        env = {
            **os.environ,
            "COLUMNS": str(columns),
            "TERM": "xterm",
            "PYTHONIOENCODING": "utf-8",
            "NO_COLOR": "1",
        } | environment
        self.process = subprocess.Popen(
            [*MAIN, *map(str, arguments)], stdout=slave, stderr=slave, stdin=slave, env=env
        )
        os.close(slave)
        self.written = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Reads until the pattern is there; fails when the process ends before."""
        while not (found := re.search(pattern, self.written.decode("utf-8", "replace"))):
            assert self._read(), f"{pattern!r} is not in {self.written.decode()}"
        return found

    def end(self, encoding: str = "utf-8") -> list[str]:
        """Reads to the end of the process; returns the lines that the terminal shows then."""
        while self._read():
            pass
        assert self.process.wait() == 0
        return screen(self.written.decode(encoding))

    def _read(self) -> bytes:
        ready, _, _ = select.select([self._master], [], [], _PATIENCE)
        assert ready, f"the process is silent after {self.written.decode()}"
        try:
            part = os.read(self._master, 65536)
        except OSError:  # Linux's way to say that nobody holds the other end
            part = b""
        self.written += part
        return part


def screen(written: str) -> list[str]:
    """The lines after carriage returns and erasures, which may be the only control characters."""
    lines, place = [""], 0
    for piece in re.findall(r"\r|\n|\x1b\[K|[^\r\n\x1b]+|.", written):
        if piece == "\r":
            place = 0
        elif piece == "\n":
            lines.append("")
            place = 0
        elif piece == "\x1b[K":
            lines[-1] = lines[-1][:place]
        else:
            assert piece.isprintable(), ascii(piece)
            lines[-1] = lines[-1][:place].ljust(place) + piece + lines[-1][place + len(piece) :]
            place += len(piece)
    return lines
