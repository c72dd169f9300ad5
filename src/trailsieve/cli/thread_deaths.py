"""Threads that die of an unexpected error: shown with a traceback, and remembered so that the run ends."""

from __future__ import annotations

import sys
import threading
import traceback

from trailsieve.errors import ThreadError
from trailsieve.secret import masked


class ThreadDeaths:
    """Watches all threads of the process from now on, those of libraries too."""

    def __init__(self) -> None:
        self._error: ThreadError | None = None
        threading.excepthook = self._on_death

    def check(self) -> None:
        """Does nothing while all threads work.

        Raises:
            ThreadError: a thread died; it names the first one and the cause.
        """
        if self._error:
            raise self._error

    def _on_death(self, death: threading.ExceptHookArgs) -> None:
        name = death.thread.name if death.thread else "without a name"
        lines = traceback.format_exception(death.exc_type, death.exc_value, death.exc_traceback)
        print(masked("".join(lines)), end="", file=sys.stderr)
        cause = "".join(traceback.format_exception_only(death.exc_type, death.exc_value)).strip()
        self._error = self._error or ThreadError(f"the thread {name!r} died: {cause}")
