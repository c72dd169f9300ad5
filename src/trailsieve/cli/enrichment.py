"""The options `--geoip` and `--account-names`, and the columns that they add."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trailsieve.formats.columns import Column, middle
from trailsieve.formats.named_columns import NamedColumn, Row

if TYPE_CHECKING:
    from trailsieve.enrichment.geoip import Place

F = TypeVar("F", bound=Callable[..., Any])

_BESIDE = {"ip": ("country", "city", "asn"), "account": ("account_name",)}


def enrichment_options(command: F) -> F:
    """Adds `--geoip` and `--account-names`; the command gets their columns by name, as `known: Mapping`."""

    @click.option(
        "--geoip",
        metavar="FILE",
        multiple=True,
        help="Add country, city and asn of addresses from a database in MaxMind's format (.mmdb); may be "
        "repeated.",
    )
    @click.option(
        "--account-names",
        metavar="FILE",
        help="Add account_name, from CSV (id,name) or from what `aws organizations list-accounts` prints.",
    )
    @wraps(command)
    def wrapper(*args: Any, geoip: tuple[str, ...], account_names: str | None, **options: Any) -> Any:
        return command(*args, known=_columns(geoip, account_names), **options)

    return wrapper  # type: ignore[return-value]


def beside(names: Iterable[str], known: Mapping[str, NamedColumn]) -> list[str]:
    """The names of columns, with what is known of an address and an account beside it."""
    found: list[str] = []
    for name in names:
        found += [name, *(other for other in _BESIDE.get(name, ()) if other in known)]
    return found


def _placed(place: Callable[[str], Place], number: int, row: Row) -> str:
    return place(row.alert.source_ip or "")[number]


def _columns(databases: Sequence[str], names: str | None) -> dict[str, NamedColumn]:
    found: dict[str, NamedColumn] = {}
    if databases:
        from trailsieve.enrichment.geoip import GeoIp

        place = GeoIp(databases).place
        for n, (name, cells) in enumerate({"country": (7, 7), "city": (8, 20), "asn": (8, 24)}.items()):
            text = partial(_placed, place, n)
            found[name] = NamedColumn(name, text, Column(name.upper(), *cells, rank=4 + n))
    if names:
        from trailsieve.enrichment.accounts import account_names

        accounts = account_names(names)
        found["account_name"] = NamedColumn(
            "account_name",
            lambda row: accounts.get(row.alert.account or "", ""),
            Column("ACCOUNT NAME", 12, 24, 5, middle),
        )
    return found
