"""Asks AWS, read-only, for all that the audit of an account needs.

Of the trails that an account can see, those of its own and of its organization, it asks for state and event
selectors; then, in each region where a trail of this account writes to a log group, for metric filters,
alarms and the subscriptions of the topics that those alarms tell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from trailsieve import arn
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.snapshot import CALLS, Answer, Json, Question, Snapshot
from trailsieve.errors import SourceError
from trailsieve.wire.aws import AwsConfig, answer, explained, fault, session

_ALARM_TYPES = ["MetricAlarm", "CompositeAlarm"]
_EXPECTED = ("refused", "gone", "wrong")  # errors that are answers: the audit says what they mean


def collect(configs: Sequence[AwsConfig], say: Callable[[str], None] = lambda text: None) -> Snapshot:
    """The answers of the accounts that these credentials belong to, one account after another.

    Of several accounts, one that cannot be asked keeps no other from being judged.

    Raises:
        SourceError: the only account cannot be asked: no credentials, a role refused, no network.
    """
    snapshot = Snapshot()
    for config in configs:
        try:
            collector = _Collector(config, snapshot)
            say(f"asking account {collector.account} in {collector.region}")
            collector.collect()
        except SourceError as error:
            if len(configs) == 1:
                raise
            say(str(error))
            _keep_failure(snapshot, config, str(error))
    return snapshot


def _keep_failure(snapshot: Snapshot, config: AwsConfig, reason: str) -> None:
    """Notes that an account could not be asked; answers that it gave before are kept."""
    account = arn.parse(config.role_arn).account
    failure = Answer(error="unknown", message=reason)
    snapshot.answers.setdefault(Question(account, config.region or "unknown", "describe-trails"), failure)
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
                raise SourceError("no region to begin in: give --region, or set AWS_REGION")
            self.account = self.client("sts", self.region).get_caller_identity()["Account"]
        if self.account not in self.snapshot.accounts:
            self.snapshot.accounts.append(self.account)

    def collect(self) -> None:
        trails = self.ask(self.region, "describe-trails", keys=("trailList",)).items("trailList")
        regions = dict.fromkeys(filter(None, map(self.ask_trail, trails)))
        for region in regions:
            self.ask_region(region)
        for trail in trails:
            if trail.get("SnsTopicARN"):
                self.ask_topic(str(trail["SnsTopicARN"]))

    def ask_trail(self, trail: Json) -> str:
        """Asks for one trail; the region of its log group when that is in this account, else ""."""
        home, name = str(trail.get("HomeRegion") or self.region), str(trail["Name"])
        self.ask(home, "get-trail-status", name, Name=trail["TrailARN"])
        self.ask(home, "get-event-selectors", name, TrailName=trail["TrailARN"])
        group = arn.parse(trail.get("CloudWatchLogsLogGroupArn", ""))
        return group.region if group.account == self.account else ""

    def ask_region(self, region: str) -> None:
        """Asks for metric filters, alarms, and the topics of alarms on those filters' metrics."""
        filters = self.ask(region, "describe-metric-filters", keys=("metricFilters",))
        found = self.ask(
            region, "describe-alarms", keys=("MetricAlarms", "CompositeAlarms"), AlarmTypes=_ALARM_TYPES
        )
        metrics = {metric.key for item in filters.items("metricFilters") for metric in alarms.metrics(item)}
        watching = [a for a in found.items("MetricAlarms") if not metrics.isdisjoint(alarms.watched(a))]
        acting = (*watching, *found.items("CompositeAlarms"))
        told = dict.fromkeys(action for alarm in acting for action in alarms.actions(alarm))
        for action in told:
            if arn.parse(action).service == "sns":
                self.ask_topic(action)

    def ask_topic(self, topic: str) -> None:
        parts = arn.parse(topic)
        call = "list-subscriptions-by-topic"
        self.ask(parts.region, call, parts.resource, keys=("Subscriptions",), TopicArn=topic)

    def ask(
        self, region: str, call: str, subject: str = "", keys: tuple[str, ...] = (), **parameters: Any
    ) -> Answer:
        """Asks once and keeps the answer, all pages of it, as the AWS CLI would print it.

        Args:
            keys: the lists that come in pages.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        question = Question(self.account, region, call, subject)
        if question in self.snapshot.answers:
            return self.snapshot.answers[question]
        service, operation, action = CALLS[call]
        try:
            client = self.client(service, region)
            content = _pages(client, operation, keys, parameters)
            kept = Answer(_as_printed(content))
        except ClientError as error:
            if fault(error) not in _EXPECTED:
                raise SourceError(f"account {self.account}, {region}, {action}: {answer(error)}") from None
            kept = Answer(error=error.response["Error"]["Code"], message=error.response["Error"]["Message"])
        except BotoCoreError as error:
            raise SourceError(f"account {self.account}, {region}, {action}: {answer(error)}") from None
        self.snapshot.answers[question] = kept
        return kept

    def client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        patient = Config(retries={"mode": "standard", "max_attempts": 8})
        return self._session.client(
            service, region_name=region, endpoint_url=self.config.endpoint_url, config=patient
        )


def _pages(client: Any, operation: str, keys: tuple[str, ...], parameters: dict[str, Any]) -> Json:
    if not client.can_paginate(operation):
        content: Json = getattr(client, operation)(**parameters)
        return content
    whole: Json = {key: [] for key in keys}
    for page in client.get_paginator(operation).paginate(**parameters):
        for key in keys:
            whole[key] += page.get(key, [])
    return whole


def _as_printed(content: Json) -> Json:
    """An answer as the AWS CLI prints it: times in ISO 8601, nothing about the request."""
    shown = {key: value for key, value in content.items() if key != "ResponseMetadata"}
    printed: Json = json.loads(json.dumps(shown, default=lambda value: value.isoformat()))
    return printed


def configs(config: AwsConfig, accounts: Iterable[str]) -> list[AwsConfig]:
    """One configuration an account.

    Args:
        accounts: ARNs of roles to assume; or account ids, for which `role_arn` of the configuration has
            `{account}` in it, or is the role of another account whose name they share.
    """
    found = []
    for account in accounts:
        role = account if account.startswith("arn:") else _role(config.role_arn or "", account)
        found.append(structs.replace(config, role_arn=role))
    return found or [config]


def _role(role: str, account: str) -> str:
    if "{account}" in role:
        return role.replace("{account}", account)
    parts = arn.parse(role)
    return ":".join(("arn", *parts._replace(account=account)))
