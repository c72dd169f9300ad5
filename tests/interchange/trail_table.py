"""The table that AWS documents for CloudTrail logs, in DuckDB, which runs Athena's SQL in the dialect that sqlglot makes of it.

Source: docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import duckdb
import sqlglot

Kind = Any  # "TEXT", "JSON", or the fields of a struct, or a list of one
_ISSUER = dict.fromkeys(["type", "principalId", "arn", "accountId", "userName"], "TEXT")
_SESSION = {
    "attributes": {"mfaAuthenticated": "TEXT", "creationDate": "TEXT"},
    "sessionIssuer": _ISSUER,
}
_USER = [*_ISSUER, "invokedBy", "accessKeyId"]
_TEXTS = """eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage
    requestID eventID readOnly eventType apiVersion recipientAccountId sharedEventID vpcEndpointId eventCategory
    sessionCredentialFromConsole"""
_JSONS = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"]
_TABLE: dict[str, Kind] = {
    **dict.fromkeys(_TEXTS.split(), "TEXT"),
    "userIdentity": {**dict.fromkeys(_USER, "TEXT"), "sessionContext": _SESSION},
    "resources": [{"ARN": "TEXT", "accountId": "TEXT", "type": "TEXT"}],
    **dict.fromkeys(_JSONS, "JSON"),
    "tlsDetails": dict.fromkeys(["tlsVersion", "cipherSuite", "clientProvidedHostHeader"], "TEXT"),
}


def filled(events: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """A database with a row for each event, whose id is its number from 0."""
    database = duckdb.connect()
    columns = ", ".join(f"{name} {_type(kind)}" for name, kind in _TABLE.items())
    database.execute(f"CREATE TABLE cloudtrail_logs (id INT, {columns})")
    rows = [[number, *_row(event)] for number, event in enumerate(events)]
    places = ", ".join("?" * (len(_TABLE) + 1))
    database.executemany(f"INSERT INTO cloudtrail_logs VALUES ({places})", rows)
    return database


def answer(database: duckdb.DuckDBPyConnection, sql: str, columns: str) -> list[tuple[Any, ...]]:
    """Some columns of what a query for Athena finds."""
    [query] = sqlglot.transpile(sql, read="athena", write="duckdb")
    return database.execute(f"SELECT {columns} FROM ({query})").fetchall()


def _type(kind: Kind) -> str:
    if isinstance(kind, list):
        return f"{_type(kind[0])}[]"
    if isinstance(kind, dict):
        return f"STRUCT({', '.join(f'{name} {_type(inner)}' for name, inner in kind.items())})"
    return "TEXT"


class _Digits(str):
    """A number as the event has it."""

    __slots__ = ()


def _row(event: str) -> list[Any]:
    record = json.loads(event, parse_int=_Digits, parse_float=_Digits)
    return [_cell(record.get(name), kind) for name, kind in _TABLE.items()]


def _cell(value: Any, kind: Kind) -> Any:
    """A value as the table's SerDe gives it."""
    if isinstance(kind, list):
        return [_cell(one, kind[0]) for one in value] if isinstance(value, list) else None
    if isinstance(kind, dict):
        inside = value if isinstance(value, dict) else {}
        return {name: _cell(inside.get(name), inner) for name, inner in kind.items()}
    if value is None or (kind == "TEXT" and isinstance(value, str)):
        return value
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(map(_json, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_json(child)}" for key, child in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
