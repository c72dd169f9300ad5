"""What AWS answered to `describe-*` calls, kept in the shapes that the AWS CLI prints.

A folder of answers has one file a call, `ACCOUNT/REGION/CALL[.SUBJECT].json`: what
`aws SERVICE CALL … > CALL.SUBJECT.json` writes. The subject is what the call was about, such as a trail's
name, with `/` and other odd characters percent-encoded. An account that was saved by hand needs no folders,
and no subject where there is only one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from trailsieve import arn
from trailsieve.errors import UsageError

Json = dict[str, Any]


class Call(NamedTuple):
    """A call of the AWS CLI, and what it needs.

    Attributes:
        service: as boto3 names it.
        operation: as boto3 names it.
        action: the permission in IAM.
    """

    service: str
    operation: str
    action: str


CALLS = {
    "describe-trails": Call("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails"),
    "get-trail-status": Call("cloudtrail", "get_trail_status", "cloudtrail:GetTrailStatus"),
    "get-event-selectors": Call("cloudtrail", "get_event_selectors", "cloudtrail:GetEventSelectors"),
    "describe-metric-filters": Call("logs", "describe_metric_filters", "logs:DescribeMetricFilters"),
    "describe-alarms": Call("cloudwatch", "describe_alarms", "cloudwatch:DescribeAlarms"),
    "list-subscriptions-by-topic": Call("sns", "list_subscriptions_by_topic", "sns:ListSubscriptionsByTopic"),
}


class Question(NamedTuple):
    """A call in an account and region; `subject` is the trail or topic that it is about, or ""."""

    account: str
    region: str
    call: str
    subject: str = ""

    @property
    def path(self) -> str:
        """Where the answer is kept in a folder of answers."""
        subject = f".{quote(self.subject, safe='')}" if self.subject else ""
        return f"{self.account}/{self.region}/{self.call}{subject}.json"


@dataclass(slots=True)
class Answer:
    """What was answered; `content` is empty when it was an error, and `unknown` when nobody asked."""

    content: Json = field(default_factory=dict)
    error: str = ""
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call was answered."""
        return not self.error

    @property
    def gone(self) -> bool:
        """Whether the answer is that there is no such thing."""
        return "NotFound" in self.error

    def items(self, key: str) -> list[Json]:
        """The objects of a list in the answer; whatever else stands there is none."""
        found = self.content.get(key)
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


@dataclass(slots=True)
class Snapshot:
    """The answers of one or several accounts.

    Attributes:
        accounts: the ids of the accounts that are to be judged.
        flat: whether the answers were saved by hand, without folders for accounts and regions.
    """

    answers: dict[Question, Answer] = field(default_factory=dict)
    accounts: list[str] = field(default_factory=list)
    flat: bool = False

    def answer(self, account: str, region: str, call: str, subject: str = "") -> Answer:
        """The answer to a question; `unknown` is its error when it was never asked."""
        if self.flat:
            account = region = ""
        for about in dict.fromkeys((subject, "")):
            found = self.answers.get(Question(account, region, call, about))
            if found is not None:
                return found
        wanted = Question(account, region, call, subject).path.lstrip("/")
        return Answer(error="unknown", message=f"there is no answer {wanted}")

    def all_of(self, account: str, call: str) -> Iterator[tuple[str, Answer]]:
        """The region and answer of every such call in an account."""
        account = "" if self.flat else account
        for question, answer in self.answers.items():
            if (question.account, question.call) == (account, call):
                yield question.region, answer

    def save(self, folder: Path) -> None:
        """Writes one file an answer; errors are kept too, as AWS's own error documents."""
        for question, answer in self.answers.items():
            path = folder / question.path
            path.parent.mkdir(parents=True, exist_ok=True)
            error = {"Error": {"Code": answer.error, "Message": answer.message}}
            content = answer.content if answer.ok else error
            path.write_text(json.dumps(content, indent=4) + "\n", "utf-8")


def load(folder: Path) -> Snapshot:
    """The answers in a folder.

    Raises:
        UsageError: there are none, or a file is no JSON object.
    """
    flat = sorted(folder.glob("*.json"))
    files = flat or sorted(folder.glob("*/*/*.json"))
    snapshot = Snapshot(flat=bool(flat))
    for path in files:
        call, _, subject = path.stem.partition(".")
        if call in CALLS:
            account, region = ("", "") if flat else path.relative_to(folder).parts[:2]
            snapshot.answers[Question(account, region, call, unquote(subject))] = _read(path)
    if not snapshot.answers:
        raise UsageError(
            f"{folder}: no answers of AWS in it; `--save` writes them, or `aws cloudtrail describe-trails > "
            f"{folder}/describe-trails.json` and so on for {', '.join(CALLS)}"
        )
    snapshot.accounts = [_account(snapshot)] if flat else sorted({q.account for q in snapshot.answers})
    return snapshot


def _read(path: Path) -> Answer:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: no JSON object; save what the AWS CLI prints with `--output json`")
    refusal = content.get("Error")
    if isinstance(refusal, dict):
        return Answer(error=str(refusal.get("Code", "error")), message=str(refusal.get("Message", "")))
    return Answer(content)


def _account(snapshot: Snapshot) -> str:
    """The account in the first ARN of answers that were saved by hand."""
    texts = (json.dumps(answer.content) for answer in snapshot.answers.values())
    accounts = (arn.parse(part).account for text in texts for part in text.split('"'))
    return next(filter(None, accounts), "unknown")
