"""Where addresses are, from databases in MaxMind's format: GeoLite2, DB-IP, IPinfo.

Format: maxmind.github.io/MaxMind-DB/. Fields: dev.maxmind.com/geoip/docs/databases/
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, NamedTuple

from trailsieve.errors import UsageError

_REMEMBERED = 65536  # addresses

# Paths to a field in the databases that have it, the most common first.
_COUNTRY = (
    ("country", "iso_code"),
    ("registered_country", "iso_code"),
    ("country_code",),
    ("country",),
)
_CITY = (("city", "names", "en"), ("city",))
_NUMBER = (("autonomous_system_number",), ("asn",))
_ORGANIZATION = (("autonomous_system_organization",), ("as_name",), ("name",))


class Place(NamedTuple):
    """Where an address is: country (ISO 3166), city, autonomous system; "" where nothing is known."""

    country: str = ""
    city: str = ""
    asn: str = ""


_NOWHERE = Place()


class GeoIp:
    """Databases that know addresses; the first one with a value is asked.

    Raises:
        UsageError: maxminddb is not installed, or a file is not in that format.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._readers = [(path, _opened(path)) for path in paths]
        self.place = lru_cache(_REMEMBERED)(self._place)

    def _place(self, text: str) -> Place:
        """Where an address is; nothing for the name of a service, or any other text."""
        try:
            ip_address(text)
        except ValueError:
            return _NOWHERE
        found = [_looked_up(path, reader, text) for path, reader in self._readers]
        number, organization = _first(found, _NUMBER), _first(found, _ORGANIZATION)
        number = f"AS{number}" if number.isdecimal() else number
        return Place(_first(found, _COUNTRY), _first(found, _CITY), f"{number} {organization}".strip())


def _opened(path: str) -> Any:
    try:
        import maxminddb
    except ImportError:
        raise UsageError("--geoip needs the package maxminddb: pip install 'trailsieve[geoip]'") from None
    try:
        return maxminddb.open_database(path)
    except OSError as error:
        raise UsageError(f"--geoip {path}: {error.strerror or error}") from None
    except (maxminddb.InvalidDatabaseError, ValueError):
        raise UsageError(f"--geoip {path}: not a database in MaxMind's format (.mmdb)") from None


def _looked_up(path: str, reader: Any, text: str) -> Any:
    try:
        return reader.get(text)
    except ValueError:  # an IPv6 address in a database of IPv4
        return None
    except RuntimeError as error:
        raise UsageError(f"--geoip {path}: a damaged database: {error}") from None


def _first(found: Sequence[Any], paths: Sequence[tuple[str, ...]]) -> str:
    """The first text or number at any of these paths."""
    for content in found:
        for path in paths:
            value = content
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, str | int) and value:
                return str(value)
    return ""
