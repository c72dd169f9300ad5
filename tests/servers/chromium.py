"""Chromium, driven by Playwright: an installed one, as Debian's package `chromium` has it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

from tests.servers.unavailable import UnavailableError

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def running() -> Iterator[Browser]:
    """A browser without a window.

    Raises:
        UnavailableError: none is installed, or it does not start.
    """
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        raise UnavailableError("tests of pages need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            raise UnavailableError(f"{path} does not start: {error}") from None
        yield browser
        browser.close()
