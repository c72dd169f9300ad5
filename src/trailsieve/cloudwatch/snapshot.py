"""Responses of read-only AWS calls, kept in the shapes that the AWS CLI prints.

A folder of responses has one file per call, `ACCOUNT/REGION/OPERATION[.SUBJECT].json`, with what
`aws SERVICE OPERATION …` prints. The subject is what the call asks about, such as the name of a trail; `/`
and other special characters in it are percent-encoded. Responses that were saved by hand from one account
need no folders, and no subject where there is only one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import orjson

from trailsieve import arn, jsontext
from trailsieve.cloudwatch.describe import OPERATIONS
from trailsieve.errors import UsageError

Json = dict[str, Any]


class ApiCall(NamedTuple):
    """A call in an account and region; `subject` is the trail or topic that it asks about, or ""."""

    account: str
    region: str
    operation: str
    subject: str = ""

    @property
    def path(self) -> str:
        """The file of the response in a folder of responses."""
        subject = f".{quote(self.subject, safe='')}" if self.subject else ""
        return f"{self.account}/{self.region}/{self.operation}{subject}.json"


@dataclass(slots=True)
class ApiResponse:
    """The response to a call.

    Attributes:
        content: the response, empty if the call failed.
        error: the error code of AWS, `unknown` if the call was never made, "" if it succeeded.
        message: the message of the error.
    """

    content: Json = field(default_factory=dict)
    error: str = ""
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return not self.error

    @property
    def not_found(self) -> bool:
        """Whether AWS answered that the subject does not exist."""
        return "NotFound" in self.error

    def items(self, key: str) -> list[Json]:
        """The objects in a list of the response; anything else in it is ignored."""
        found = self.content.get(key)
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


@dataclass(slots=True)
class Snapshot:
    """The responses of one or more accounts.

    Attributes:
        accounts: the ids of the accounts to audit.
        flat: whether the responses were saved by hand, without folders for accounts and regions.
    """

    responses: dict[ApiCall, ApiResponse] = field(default_factory=dict)
    accounts: list[str] = field(default_factory=list)
    flat: bool = False

    def has(self, account: str) -> bool:
        """Whether the responses of an account are in the snapshot."""
        return self.flat or account in self.accounts

    def response(self, account: str, region: str, operation: str, subject: str = "") -> ApiResponse:
        """The response to a call; its error is `unknown` if the call was never made."""
        if self.flat:
            account = region = ""
        for about in dict.fromkeys((subject, "")):
            found = self.responses.get(ApiCall(account, region, operation, about))
            if found is not None:
                return found
        missing = ApiCall(account, region, operation, subject).path.lstrip("/")
        return ApiResponse(error="unknown", message=f"{missing} is missing from the saved responses")

    def responses_to(self, account: str, operation: str) -> Iterator[tuple[str, ApiResponse]]:
        """The region and response of every call of one operation in an account."""
        account = "" if self.flat else account
        for call, response in self.responses.items():
            if (call.account, call.operation) == (account, operation):
                yield call.region, response

    def save(self, folder: Path) -> None:
        """Writes one file per response; errors are written as AWS's own error documents."""
        for call, response in self.responses.items():
            path = folder / call.path
            path.parent.mkdir(parents=True, exist_ok=True)
            error = {"Error": {"Code": response.error, "Message": response.message}}
            content = response.content if response.ok else error
            path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def load(folder: Path) -> Snapshot:
    """The responses in a folder.

    Raises:
        UsageError: the folder has no responses, or a file is not a JSON object.
    """
    flat = sorted(folder.glob("*.json"))
    files = flat or sorted(folder.glob("*/*/*.json"))
    snapshot = Snapshot(flat=bool(flat))
    for path in files:
        operation, _, subject = path.stem.partition(".")
        if operation in OPERATIONS:
            account, region = ("", "") if flat else path.relative_to(folder).parts[:2]
            snapshot.responses[ApiCall(account, region, operation, unquote(subject))] = _read(path)
    if not snapshot.responses:
        raise UsageError(
            f"{folder}: no AWS responses found; create them with `--save`, or with `aws cloudtrail "
            f"describe-trails > {folder}/describe-trails.json` and so on for {', '.join(OPERATIONS)}"
        )
    snapshot.accounts = (
        [_account(snapshot)] if flat else sorted({call.account for call in snapshot.responses})
    )
    return snapshot


def _read(path: Path) -> ApiResponse:
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: not a JSON object; save the AWS CLI's output with `--output json`")
    failure = content.get("Error")
    if isinstance(failure, dict):
        return ApiResponse(error=str(failure.get("Code", "error")), message=str(failure.get("Message", "")))
    return ApiResponse(content)


def _account(snapshot: Snapshot) -> str:
    """The account in the first ARN of responses that were saved by hand."""
    texts = (jsontext.encode(response.content) for response in snapshot.responses.values())
    accounts = (arn.parse(part).account for text in texts for part in text.split('"'))
    return next(filter(None, accounts), "unknown")
