"""Lists the folders of a bucket with several requests at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from trailsieve.sources.s3.request_pool import RequestPool

_MOST_AHEAD = 10_000  # folders that are listed and not yet asked for

Folder = tuple[list[str], bool]  # the folders directly in it, and whether it contains log files too


class FolderTree:
    """Folders whose contents are requested as soon as the folder above is listed.

    Args:
        list_folder: makes the request; called in threads.
        to_list: of the folders in a folder, those to list too.
    """

    def __init__(
        self,
        list_folder: Callable[[str], Folder],
        to_list: Callable[[str, list[str]], list[str]],
        pool: RequestPool,
    ) -> None:
        self._list_folder = list_folder
        self._to_list = to_list
        self._pool = pool
        self._lock = threading.Lock()
        self._requested: set[str] = set()
        self._ahead: dict[str, Future[Folder]] = {}

    def contents(self, folder: str) -> Folder:
        """Returns what a folder contains; raises what its request raised. Ask for each folder once."""
        self._request(folder)
        return self._ahead.pop(folder).result()

    def _request(self, folder: str) -> None:
        with self._lock:  # the folder above may have been listed in another thread just now
            if folder in self._requested:
                return
            self._requested.add(folder)
            requested = self._ahead[folder] = self._pool.submit(self._list_folder, folder)
        requested.add_done_callback(lambda done: self._descend(folder, done))

    def _descend(self, folder: str, done: Future[Folder]) -> None:
        if done.cancelled() or done.exception():
            return
        for inner in self._to_list(folder, done.result()[0]):
            if len(self._ahead) < _MOST_AHEAD:
                self._request(inner)
