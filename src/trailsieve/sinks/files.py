"""Alerts in a JSON lines file, rotated by size."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from trailsieve import private_file
from trailsieve.errors import DeliveryError, SinkError
from trailsieve.formats import native
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.toml_file import NotNegative


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        path: the file; rotated files are path.1 (the newest), path.2 and so on.
        max_bytes: size at which the file is rotated; 0 for never.
        keep: how many rotated files to keep.
        fsync: whether each delivery is synced to disk.
    """

    path: str
    max_bytes: NotNegative = 100 * 2**20
    keep: NotNegative = 10
    fsync: bool = True


class FilesSink:
    """Appends lines; first ends a line that a crash left unfinished, so that it does not corrupt the next."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._path = Path(config.path)
        self._file = self._opened()

    def deliver(self, alerts: Sequence[Alert]) -> None:
        lines = b"".join(native.encode(alert) + b"\n" for alert in alerts)
        start = self._file.tell()
        try:
            self._write(lines)
            if self._config.fsync:
                os.fsync(self._file.fileno())
        except OSError as error:
            self._undo(start)
            again = frozenset(alert.id for alert in alerts)
            raise DeliveryError(f"{self._path}: {error.strerror or error}", again) from None
        if 0 < self._config.max_bytes <= self._file.tell():
            self._rotate()

    def check(self) -> str:
        return f"{self._path} can be written"

    def close(self) -> None:
        self._file.close()

    def _opened(self) -> BinaryIO:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = open(self._path, "ab", buffering=0, opener=private_file.opener)  # noqa: SIM115
            size = file.seek(0, os.SEEK_END)
            if size and not _ends_a_line(self._path):
                file.write(b"\n")
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {error.strerror or error}") from None
        return file

    def _write(self, data: bytes) -> None:
        """Writes everything: on a nearly full disk a single write may be partial without an error."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _undo(self, start: int) -> None:
        """Removes a partial delivery, which a full disk may leave behind."""
        try:
            os.ftruncate(self._file.fileno(), start)
            self._file.seek(start)
        except OSError:
            return

    def _rotate(self) -> None:
        mode = stat.S_IMODE(os.fstat(self._file.fileno()).st_mode)
        self._file.close()
        names = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, self._config.keep + 1))]
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            if newer.exists():
                newer.replace(older)
        self._file = self._opened()
        os.fchmod(self._file.fileno(), mode)  # whoever may read the old file may read the new one


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def open_sink(config: Config, context: RunContext) -> FilesSink:
    """A file as a sink."""
    if wide := private_file.warning(Path(config.path)):
        context.info(wide)
    return FilesSink(config)
