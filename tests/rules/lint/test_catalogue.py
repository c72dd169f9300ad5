"""The catalogues hold what real records have."""

from __future__ import annotations

import gzip
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trailsieve import jsontext
from trailsieve.trail.catalogue import calls
from trailsieve.trail.catalogue.fields import fields, name_of, top_level
from trailsieve.trail.catalogue.ordinary import ordinary_records

TOOL = runpy.run_path(str(Path(__file__).parents[3] / "tools" / "measure_fields.py"))


@pytest.fixture(scope="module")
def records(shared: Path) -> list[dict[str, Any]]:
    files = [
        shared / "data" / "events" / f"{name}.jsonl.gz"
        for name in ("invictus-a", "traildiscover-a", "aws-docs")
    ]
    return [json.loads(line) for file in files for line in gzip.open(file)]


def test_shares_are_those_of_the_measured_records(records: list[dict[str, Any]]) -> None:
    count, have, odd = TOOL["measured"](records)
    assert odd == []
    table = TOOL["TABLE"].read_text("utf-8")
    assert TOOL["written"](table, count, have) == table


def test_real_names_are_known(records: list[dict[str, Any]]) -> None:
    assert set(unknown_names(records)) == set()


def unknown_names(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for record in records:
        source, name = record.get("eventSource"), record.get("eventName")
        if source and name:
            names = calls.names_of(source)
            if source not in calls.event_sources() or (
                names is not None and not {name, calls.plain(name)} & names
            ):
                yield source, name


def test_real_error_codes_are_known_but_those_of_ec2(records: list[dict[str, Any]]) -> None:
    codes = {code for record in records if (code := record.get("errorCode"))}
    assert len(codes) > 20
    unknown = {code for code in codes if code not in calls.error_codes() and not calls.names_its_origin(code)}
    assert unknown <= {"DBInstanceNotFoundFault"}


def test_presence_in_words() -> None:
    presence = {name: fields()[name].presence for name in ("eventName", "tlsDetails", "errorCode")}
    assert presence == {"eventName": "always", "tlsDetails": "often", "errorCode": "rarely"}


def test_names_of_selectors() -> None:
    assert name_of(("resources", 0, "ARN")) == "resources[].ARN"
    assert {"eventName", "userIdentity"} < top_level()


def test_ordinary_records_are_in_the_catalogue() -> None:
    assert len(ordinary_records()) == 12
    for text in ordinary_records():
        record = jsontext.decode_object(text)
        assert record is not None
        assert set(record) <= top_level()
        assert not list(unknown_names([record]))
        assert "errorCode" not in record


@pytest.mark.parametrize(
    ("written", "meant"),
    [("consolelogin", "ConsoleLogin"), ("StopLoging", "StopLogging"), ("NeverCalledAtAll", "")],
)
def test_nearest(written: str, meant: str) -> None:
    assert calls.nearest(written, calls.event_names()) == meant
