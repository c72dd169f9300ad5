"""The shared table in Amazon DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trailsieve.alarms.shared.table import Item
from trailsieve.errors import CheckpointError
from trailsieve.wire.aws import AwsConfig, client, explain, fault
from trailsieve.wire.backoff import Backoff

_CHECK = Item("check", "check", b"")
_KEYS = {"pk": "HASH", "sk": "RANGE"}


class DynamoTable:
    """See `Table`. A request that fails for now is retried until it succeeds.

    Args:
        pause: called with seconds to wait before a retry; may raise to give up.
        report: is told, in one line, that the table cannot be reached, and that it can again.
    """

    def __init__(
        self,
        config: AwsConfig,
        table: str,
        pause: Callable[[float], None],
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.name = table
        self._client = client("dynamodb", config, connect_timeout=5, read_timeout=5)
        self._pause = pause
        self._report = report

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
        keys = {key["AttributeName"]: key["KeyType"] for key in found["KeySchema"]}
        if keys != _KEYS:
            raise CheckpointError(
                f"{self._label}: its keys are {', '.join(keys)}; "
                "it needs the partition key `pk` and the sort key `sk`, both strings"
            )
        self.put(_CHECK)
        items = list(self.query(_CHECK.pk))
        self.swap(_CHECK, "")
        self.delete(_CHECK.pk, _CHECK.sk)
        members = len(list(self.query("member")))
        return (
            f"{self.name} ({found['TableStatus']}): {len(items)} test item written, {members} processes known"
        )

    @property
    def _label(self) -> str:
        return f"DynamoDB table {self.name}"

    def _request(self, call: str, **request: Any) -> Any:
        """The response; None where the condition of the request does not hold."""
        backoff = Backoff(longest=10.0)
        while True:
            try:
                response = getattr(self._client, call)(TableName=self.name, **request)
            except Exception as error:
                if "ConditionalCheckFailed" in str(error):
                    return None
                if fault(error) != "later":
                    raise CheckpointError(f"{self._label} ({_permission(call)}): {explain(error)}") from None
                if not backoff.failures:
                    self._report(f"{self._label}: {explain(error)}; retrying")
                self._pause(backoff.next())
            else:
                if backoff.failures:
                    self._report(f"{self._label} is reachable again")
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
