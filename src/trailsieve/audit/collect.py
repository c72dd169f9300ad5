"""Collects the responses that the audit of an account needs, with read-only calls.

For each trail that the account can see, its own and its organization's, it gets status and event selectors.
In each region in which a trail delivers to a log group of the account, it gets metric filters, alarms and
the subscriptions to the topics that those alarms notify.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from msgspec import structs

from trailsieve import arn
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.describe import OPERATIONS, describe
from trailsieve.cloudwatch.snapshot import ApiCall, ApiResponse, Json, Snapshot
from trailsieve.errors import SourceError
from trailsieve.wire.aws import AwsConfig, explain, explained, fault, session

_EXPECTED = ("refused", "gone", "wrong")  # errors that are kept as responses: the audit says what they mean


def collect(configs: Sequence[AwsConfig], log: Callable[[str], None] = lambda text: None) -> Snapshot:
    """The responses of the accounts that these credentials belong to, one account after another.

    If there are several accounts, one that cannot be asked does not stop the audit of the others.

    Raises:
        SourceError: the only account cannot be asked: no credentials, a role refused, no network.
    """
    snapshot = Snapshot()
    for config in configs:
        try:
            collector = _Collector(config, snapshot)
            log(f"asking account {collector.account} in {collector.region}")
            collector.collect()
        except SourceError as error:
            if len(configs) == 1:
                raise
            log(str(error))
            _keep_failure(snapshot, config, str(error))
    return snapshot


def _keep_failure(snapshot: Snapshot, config: AwsConfig, reason: str) -> None:
    """Notes that an account could not be asked; its earlier responses are kept."""
    account = arn.parse(config.role_arn).account
    call = ApiCall(account, config.region or "unknown", "describe-trails")
    snapshot.responses.setdefault(call, ApiResponse(error="unknown", message=reason))
    if account not in snapshot.accounts:
        snapshot.accounts.append(account)


@dataclass(slots=True)
class _Collector:
    config: AwsConfig
    snapshot: Snapshot
    account: str = ""
    region: str = ""
    _session: Any = None

    def __post_init__(self) -> None:
        who = self.config.role_arn or self.config.profile or "these credentials"
        with explained(f"{who}: the account cannot be asked (sts:GetCallerIdentity)", SourceError):
            self._session = session(self.config)
            self.region = self._session.region_name or ""
            if not self.region:
                raise SourceError("no region to start in: give --region, or set AWS_REGION")
            self.account = self.client("sts", self.region).get_caller_identity()["Account"]
        if self.account not in self.snapshot.accounts:
            self.snapshot.accounts.append(self.account)

    def collect(self) -> None:
        trails = self.ask(self.region, "describe-trails").items("trailList")
        for region in dict.fromkeys(filter(None, map(self.ask_trail, trails))):
            self.ask_region(region)
        for trail in trails:
            if trail.get("SnsTopicARN"):
                self.ask_topic(str(trail["SnsTopicARN"]))

    def ask_trail(self, trail: Json) -> str:
        """Asks about a trail; returns the region of its log group if that is in this account, else ""."""
        home, name = str(trail.get("HomeRegion") or self.region), str(trail["Name"])
        self.ask(home, "get-trail-status", name, Name=trail["TrailARN"])
        self.ask(home, "get-event-selectors", name, TrailName=trail["TrailARN"])
        group = arn.parse(trail.get("CloudWatchLogsLogGroupArn", ""))
        return group.region if group.account == self.account else ""

    def ask_region(self, region: str) -> None:
        """Asks for metric filters, alarms, and the topics of alarms on those filters' metrics."""
        filters = self.ask(region, "describe-metric-filters")
        found = self.ask(region, "describe-alarms")
        metrics = {metric.key for item in filters.items("metricFilters") for metric in alarms.metrics(item)}
        watching = [a for a in found.items("MetricAlarms") if not metrics.isdisjoint(alarms.watched(a))]
        acting = (*watching, *found.items("CompositeAlarms"))
        for action in dict.fromkeys(action for alarm in acting for action in alarms.actions(alarm)):
            if arn.parse(action).service == "sns":
                self.ask_topic(action)

    def ask_topic(self, topic: str) -> None:
        parts = arn.parse(topic)
        self.ask(parts.region, "list-subscriptions-by-topic", parts.resource, TopicArn=topic)

    def ask(self, region: str, operation: str, subject: str = "", **parameters: Any) -> ApiResponse:
        """The response to a call, which is made only once."""
        from botocore.exceptions import BotoCoreError, ClientError

        call = ApiCall(self.account, region, operation, subject)
        if call in self.snapshot.responses:
            return self.snapshot.responses[call]
        known = OPERATIONS[operation]
        try:
            content = describe(self.client(known.service, region), known, **parameters)
            response = ApiResponse(_printed(content))
        except (ClientError, BotoCoreError) as error:
            if not isinstance(error, ClientError) or fault(error) not in _EXPECTED:
                where = f"account {self.account}, {region}, {known.action}"
                raise SourceError(f"{where}: {explain(error)}") from None
            failure = error.response["Error"]
            response = ApiResponse(error=failure["Code"], message=failure["Message"])
        self.snapshot.responses[call] = response
        return response

    def client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        patient = Config(retries={"mode": "standard", "max_attempts": 8})
        return self._session.client(
            service, region_name=region, endpoint_url=self.config.endpoint_url, config=patient
        )


def _printed(content: Json) -> Json:
    """A response as the AWS CLI prints it: times in ISO 8601, nothing about the request."""
    printed: Json = orjson.loads(orjson.dumps(content))
    printed.pop("ResponseMetadata", None)
    return printed


def configs(config: AwsConfig, accounts: Iterable[str]) -> list[AwsConfig]:
    """One configuration per account.

    Args:
        accounts: ARNs of roles to assume, or account ids. For account ids the configuration's `role_arn`
            contains `{account}`, or is the role of another account with the same name.
    """
    roles = [_role(config.role_arn or "", account) for account in accounts]
    return [structs.replace(config, role_arn=role) for role in roles] or [config]


def _role(role: str, account: str) -> str:
    if account.startswith("arn:"):
        return account
    if "{account}" in role:
        return role.replace("{account}", account)
    return ":".join(("arn", *arn.parse(role)._replace(account=account)))
