"""Names of accounts, from a CSV file or the saved answer of `aws organizations list-accounts`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import orjson

from trailsieve.errors import UsageError

_ID_DIGITS = 12


def account_names(path: str) -> dict[str, str]:
    """The names by account id of a CSV file (`id,name`) or of JSON as `list-accounts` prints it.

    A line of CSV whose first column is not an account id is left out: a header. Further columns are ignored.
    Source: docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html

    Raises:
        UsageError: the file cannot be read, or has no account.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
        found = _of_json(text) if text.lstrip()[:1] in ("{", "[") else _of_csv(text)
    except OSError as error:
        raise UsageError(f"--account-names {path}: {error.strerror or error}") from None
    except (ValueError, csv.Error) as error:
        raise UsageError(f"--account-names {path}: neither CSV nor JSON in UTF-8: {error}") from None
    if not found:
        raise UsageError(
            f"--account-names {path}: no account in it; write lines such as 111122223333,production, or save "
            "what `aws organizations list-accounts` prints"
        )
    return found


def _of_csv(text: str) -> dict[str, str]:
    rows = ([cell.strip() for cell in row] for row in csv.reader(text.splitlines()))
    return {row[0]: row[1] for row in rows if len(row) > 1 and _is_id(row[0])}


def _of_json(text: str) -> dict[str, str]:
    content: Any = orjson.loads(text)
    accounts = content.get("Accounts") if isinstance(content, dict) else content
    return {
        account["Id"]: account["Name"]
        for account in (accounts if isinstance(accounts, list) else ())
        if isinstance(account, dict) and _is_id(account.get("Id")) and isinstance(account.get("Name"), str)
    }


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == _ID_DIGITS and value.isdecimal()
