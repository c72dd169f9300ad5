"""Where addresses are, out of databases that the test writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from trailsieve.enrichment.geoip import GeoIp, Place
from trailsieve.errors import UsageError


def database(path: Path, networks: dict[str, Any], version: int = 4) -> str:
    writer = MMDBWriter(ip_version=version)
    for network, content in networks.items():
        writer.insert_network(IPSet([network]), content)
    writer.to_db_file(str(path))
    return str(path)


GEOLITE_CITY = {
    "203.0.113.0/24": {"country": {"iso_code": "NL"}, "city": {"names": {"en": "Amsterdam", "de": "A"}}},
    "198.51.100.0/24": {"registered_country": {"iso_code": "US"}},
}
GEOLITE_ASN = {
    "203.0.113.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Net"}
}
IPINFO = {"2001:db8::/32": {"country_code": "DE", "country": "Germany", "asn": "AS64501", "as_name": "Other"}}


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.77", Place("NL", "Amsterdam", "AS64500 Example Net")),
        ("198.51.100.7", Place("US")),
        ("192.0.2.1", Place()),
        ("2001:db8::1", Place("DE", "", "AS64501 Other")),
        ("2001:db9::1", Place()),
        ("AWS Internal", Place()),
        ("", Place()),
    ],
)
def test_what_several_databases_know(address: str, place: Place, tmp_path: Path) -> None:
    paths = [
        database(tmp_path / "city.mmdb", GEOLITE_CITY),
        database(tmp_path / "asn.mmdb", GEOLITE_ASN),
        database(tmp_path / "ipinfo.mmdb", IPINFO, version=6),
    ]
    assert GeoIp(paths).place(address) == place


@pytest.mark.parametrize(
    "content", [{"country": 5}, {"country": ["NL"]}, {"city": {"names": []}}, {}, {"asn": False}]
)
def test_a_database_with_other_fields_says_nothing_wrong(content: dict[str, Any], tmp_path: Path) -> None:
    found = GeoIp([database(tmp_path / "odd.mmdb", {"203.0.113.0/24": content})]).place("203.0.113.1")
    assert found in (Place(), Place("5"))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "not.mmdb").write_text("203.0.113.0/24,NL")
    with pytest.raises(UsageError, match=r"not\.mmdb: not a database in MaxMind's format"):
        GeoIp([str(tmp_path / "not.mmdb")])
    with pytest.raises(UsageError, match=r"no\.mmdb: No such file"):
        GeoIp([str(tmp_path / "no.mmdb")])


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(UsageError, match=r"pip install 'trailsieve\[geoip\]'"):
        GeoIp(["any.mmdb"])
