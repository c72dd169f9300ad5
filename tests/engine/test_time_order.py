"""Lines by event time, whatever fits into memory."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.engine.time_order import TimeOrder
from trailsieve.errors import TemporaryFileError

TIMES = [
    "2026-03-14T02:12:08Z",
    "2026-03-14T02:12:08.5Z",
    "2026-03-14T02:12:09+00:00",
    "1969-01-01",
    "",
    None,
]


def ordered(added: list[tuple[object, bytes]], memory: int = 1000) -> list[bytes]:
    with TimeOrder(memory) as order:
        for time, line in added:
            order.add(time, line)
        return list(order)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["2026-03-14T02:00:01Z", "2026-03-14T02:00:00Z"], "10"),
        (["2026-03-14T02:00:00Z", "2026-03-14T03:00:00+01:00", "2026-03-14T01:59:59.999Z"], "201"),
        (["2026-03-14T02:00:00Z", "2026-03-14T02:00:00Z"], "01"),
        (["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1969-12-31"], "120"),
        ([None, "yesterday", 1773453600, ["2026-03-14"], "", "2026-03-14"], "501234"),
    ],
    ids=["later first", "offsets", "same time", "far away", "invalid"],
)
@pytest.mark.parametrize("memory", [1, 10**6])
def test_order(times: list[object], expected: str, memory: int) -> None:
    lines = ordered([(time, b"%d" % n) for n, time in enumerate(times)], memory)
    assert b"".join(lines).decode() == expected


@given(
    times=st.lists(st.sampled_from(TIMES), max_size=60),
    sizes=st.lists(st.sampled_from([0, 1, 300, 5000]), min_size=60, max_size=60),
    memory=st.sampled_from([1, 500, 3000]),
)
@settings(max_examples=examples(100))
def test_files_sort_as_memory_does(times: list[object], sizes: list[int], memory: int) -> None:
    added = [
        (time, b"%d " % n + b"x" * size) for n, (time, size) in enumerate(zip(times, sizes, strict=False))
    ]
    assert ordered(added, memory) == ordered(added, 10**9)


def test_memory_stays_bounded() -> None:
    line = b"x" * 1000
    with TimeOrder(100_000) as order:
        tracemalloc.start()
        for second in range(5000):
            order.add(f"2026-03-14T02:{second % 7:02}:00Z", line + b"%d" % second)
        count = sum(1 for _ in order)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 5000
    assert peak < 1_000_000  # of five million bytes


def test_the_temporary_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with TimeOrder(1) as order:
        order.add("2026-03-14", b"line")
        assert list(tmp_path.iterdir()) == []
        assert list(order) == [b"line"]


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with TimeOrder(1) as order, pytest.raises(TemporaryFileError) as raised:
        order.add("2026-03-14", b"line")
    assert str(raised.value) == (
        f"the time order needs a temporary file in {tmp_path / 'none'}: No such file or directory; "
        "set TMPDIR to a folder with more room, or use --order file"
    )
