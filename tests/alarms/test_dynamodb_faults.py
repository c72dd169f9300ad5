"""A table that is throttled, cannot be reached, or refuses: what is retried, what is reported, what ends the run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from trailsieve.alarms.shared.dynamodb import DynamoTable
from trailsieve.alarms.shared.table import Item
from trailsieve.errors import CheckpointError
from trailsieve.wire.aws import AwsConfig

ITEM = Item("samples/a", "000000000001", b"x")
THROTTLED = "ProvisionedThroughputExceededException"


class Stubbed:
    """A table whose responses are set, with its pauses and reports."""

    def __init__(self) -> None:
        self.reports: list[str] = []
        self.pauses: list[float] = []
        self.table = DynamoTable(AwsConfig(region="us-east-1"), "trail-alarms", self.reports.append)
        self.table.pause = self.pauses.append
        self.responses = Stubber(self.table._client)

    def fails(self, call: str, code: str, status: int = 400, times: int = 1) -> None:
        for _ in range(times):
            self.responses.add_client_error(call, code, http_status_code=status)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubbed]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    made = Stubbed()
    with made.responses:
        yield made
    made.responses.assert_no_pending_responses()


def test_a_short_failure_is_retried_without_a_word(stubbed: Stubbed) -> None:
    stubbed.fails("put_item", THROTTLED)
    stubbed.responses.add_response("put_item", {})
    stubbed.table.put(ITEM)
    assert len(stubbed.pauses) == 1
    assert stubbed.reports == []


def test_an_outage_is_waited_for_and_reported_once(stubbed: Stubbed) -> None:
    stubbed.fails("put_item", "InternalServerError", 500, times=9)
    stubbed.responses.add_response("put_item", {})
    stubbed.table.put(ITEM)
    assert len(stubbed.pauses) == 9
    assert max(stubbed.pauses) <= 10
    first, last = stubbed.reports
    assert first.startswith("DynamoDB table trail-alarms: ")
    assert first.endswith("; retrying")
    assert last == "DynamoDB table trail-alarms answers again"


def test_a_pause_may_give_up(stubbed: Stubbed) -> None:
    def give_up(seconds: float) -> None:
        raise InterruptedError

    stubbed.table.pause = give_up
    stubbed.fails("put_item", THROTTLED)
    with pytest.raises(InterruptedError):
        stubbed.table.put(ITEM)


def test_without_pauses_nothing_is_retried(stubbed: Stubbed) -> None:
    stubbed.table.pause = None
    stubbed.fails("put_item", THROTTLED)
    with pytest.raises(CheckpointError, match="dynamodb:PutItem"):
        stubbed.table.put(ITEM)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "dynamodb:PutItem.*the credentials lack the permission"),
        ("ResourceNotFoundException", "is the name right, and `region`"),
        ("ExpiredTokenException", "the credentials have expired"),
        ("ValidationException", "dynamodb:PutItem"),
    ],
)
def test_what_no_retry_helps_ends_the_run(code: str, hint: str, stubbed: Stubbed) -> None:
    stubbed.fails("put_item", code)
    with pytest.raises(CheckpointError, match=hint):
        stubbed.table.put(ITEM)
    assert stubbed.pauses == []


def test_a_swap_whose_response_was_lost_still_succeeded(stubbed: Stubbed) -> None:
    stubbed.fails("put_item", "InternalServerError", 500)
    stubbed.fails("put_item", "ConditionalCheckFailedException")
    kept = {"pk": {"S": "head"}, "sk": {"S": "head"}, "data": {"B": b""}, "version": {"S": "mine"}}
    stubbed.responses.add_response("query", {"Items": [kept]})
    assert stubbed.table.swap(Item("head", "head", b"", "mine"), "before")


def test_a_swap_fails_when_another_process_was_faster(stubbed: Stubbed) -> None:
    stubbed.fails("put_item", "ConditionalCheckFailedException")
    kept = {"pk": {"S": "head"}, "sk": {"S": "head"}, "data": {"B": b""}, "version": {"S": "theirs"}}
    stubbed.responses.add_response("query", {"Items": [kept]})
    assert not stubbed.table.swap(Item("head", "head", b"", "mine"), "before")


def test_a_region_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(CheckpointError, match=r"table trail-alarms: .*set `region` or AWS_REGION"):
        DynamoTable(AwsConfig(), "trail-alarms")
