"""The shared table in Amazon DynamoDB."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from trailsieve.alarms.shared.table import Item
from trailsieve.errors import CheckpointError
from trailsieve.wire.aws import AwsConfig, client, explain, explained, fault, in_region_of
from trailsieve.wire.backoff import Backoff

_KEYS = {"HASH": "pk", "RANGE": "sk"}


class DynamoTable:
    """See `Table`.

    Args:
        report: is called with one line when the table does not answer, and when it answers again.

    Attributes:
        pause: called with seconds to wait before a request that failed for now is retried; may raise to give
            up. None: such a request fails at once.

    Raises:
        CheckpointError: AWS credentials or the region are missing.
    """

    def __init__(
        self, config: AwsConfig, table: str, report: Callable[[str], None] = lambda text: None
    ) -> None:
        self.name = table
        self.label = f"DynamoDB table {table}"
        self.pause: Callable[[float], None] | None = None
        self._report = report
        with explained(self.label, CheckpointError):
            self._client = client(
                "dynamodb",
                in_region_of(config, table),
                connect_timeout=5,
                read_timeout=5,
                retries={"mode": "standard", "total_max_attempts": 2},
            )

    def query(self, pk: str, first: str = "", last: str = "~") -> Iterator[Item]:
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": pk},
                ":first": {"S": first or " "},
                ":last": {"S": last},
            },
            "ConsistentRead": True,
        }
        while True:
            page = self._request("query", **request)
            yield from map(_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, item: Item) -> None:
        self._request("put_item", Item=_attributes(item))

    def swap(self, item: Item, version: str) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if version:
            condition = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":version": {"S": version}},
            }
        if self._request("put_item", Item=_attributes(item), **condition) is not None:
            return True
        # An earlier try of the same request may have been made although its response was lost.
        return any(found.version == item.version for found in self.query(item.pk, item.sk, item.sk))

    def delete(self, pk: str, sk: str) -> None:
        self._request("delete_item", Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def check(self) -> str:
        """Returns a short description of the table, after a test item was written, read and removed.

        Raises:
            CheckpointError: the table would not serve; the text has the response and the remedy.
        """
        found = self._request("describe_table")["Table"]
        types = {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
        keys = {key["KeyType"]: key["AttributeName"] for key in found["KeySchema"]}
        if keys != _KEYS or any(types[name] != "S" for name in keys.values()):
            shown = ", ".join(f"{name} ({types[name]})" for name in keys.values())
            raise CheckpointError(
                f"{self.label}: its key is {shown}; it needs the partition key `pk` and the sort key `sk`, "
                "both strings (S)"
            )
        item = Item("check", uuid.uuid4().hex, b"", version="1")
        if not self.swap(item, "") or list(self.query(item.pk, item.sk, item.sk)) != [item]:
            raise CheckpointError(f"{self.label}: an item that was just written is not there")
        self.delete(item.pk, item.sk)
        ttl = self._request("describe_time_to_live")["TimeToLiveDescription"]
        note = "" if ttl.get("AttributeName") == "ttl" else "; TTL on `ttl` is off: samples are never removed"
        return f"{self.name} is {found['TableStatus']}, an item can be written, read and deleted{note}"

    def _request(self, call: str, **request: Any) -> Any:
        """The response; None where the condition of the request does not hold."""
        backoff = Backoff(longest=10.0)
        while True:
            try:
                response = getattr(self._client, call)(TableName=self.name, **request)
            except self._client.exceptions.ConditionalCheckFailedException:
                return None
            except Exception as error:
                if self.pause is None or fault(error) != "later":
                    raise CheckpointError(f"{self.label} ({_permission(call)}): {explain(error)}") from None
                if backoff.failures == 1:  # a single failure is not worth a line
                    self._report(f"{self.label}: {explain(error)}; retrying")
                self.pause(backoff.next())
            else:
                if backoff.failures > 1:
                    self._report(f"{self.label} answers again")
                return response


def _attributes(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"pk": {"S": item.pk}, "sk": {"S": item.sk}, "data": {"B": item.data}}
    if item.version:
        found["version"] = {"S": item.version}
    if item.ttl:
        found["ttl"] = {"N": str(item.ttl)}
    return found


def _item(found: dict[str, Any]) -> Item:
    version = found.get("version", {}).get("S", "")
    return Item(found["pk"]["S"], found["sk"]["S"], bytes(found["data"]["B"]), version)


def _permission(call: str) -> str:
    return "dynamodb:" + "".join(part.capitalize() for part in call.split("_"))
