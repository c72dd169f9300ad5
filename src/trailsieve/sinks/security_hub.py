"""Alerts as findings of AWS Security Hub.

At most 100 findings per request, 240 KB per finding and 6 MB per request. Only the account itself can import
findings into it: either set `account_role`, a role that exists in every account, or all findings go to our
own account, with the alert's account in their ProductFields. A finding with a known Id is an update, so a
duplicate alert does not make a second finding. Source:
docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from trailsieve.errors import DeliveryError, SinkError
from trailsieve.formats import asff
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.sinks.aws_batching import call_aws, raise_failed_entries, sending_client
from trailsieve.sinks.batching import Batch, Encoded, latest, send_batches
from trailsieve.wire.aws import AwsConfig, explained

_COUNT, _BYTES, _FINDING = 100, 6_000_000, 240_000


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        account_role: the role to assume in the account of each alert, with {account} for its id, as in
            arn:aws:iam::{account}:role/trailsieve-findings.
    """

    account_role: str | None = None

    def __post_init__(self) -> None:
        if self.account_role is not None and "{account}" not in self.account_role:
            raise ValueError("`account_role` must contain {account} in place of the account id")


class SecurityHubSink:
    """Imports findings account by account; a failing account does not hold up the others."""

    overwrites = True

    def __init__(self, config: Config) -> None:
        self._config = config
        with explained("security hub", SinkError):
            self._own = sending_client("securityhub", config)
        self._region: str = self._own.meta.region_name
        self._own_account = ""
        self._clients: dict[str, Any] = {}

    def deliver(self, alerts: Sequence[Alert]) -> None:
        if not alerts:
            return
        again, refused = set[str](), dict[str, str]()
        reason, wait = "", None
        self._find_own_account(alerts)
        by_account: dict[str, list[Alert]] = {}
        for alert in latest(alerts):
            by_account.setdefault(self._account(alert), []).append(alert)
        for account, some in by_account.items():
            try:
                self._import(account, some)
            except DeliveryError as error:
                again |= error.again
                refused |= error.refused
                reason, wait = error.reason, error.retry_after
            except SinkError as error:
                if not self._config.account_role:
                    raise
                # Other accounts must not wait until somebody fixes the role in this one.
                reason = str(error)
                refused |= {alert.id: reason for alert in some}
        if again or refused:
            raise DeliveryError(reason, frozenset(again), refused, wait)

    def check(self) -> str:
        with explained("security hub", SinkError):
            hub = self._own.describe_hub()
        return f"{hub['HubArn']} exists"

    def close(self) -> None:
        for each in (self._own, *self._clients.values()):
            each.close()

    def _import(self, account: str, alerts: Sequence[Alert]) -> None:
        name = f"security hub of {account}"

        def send(batch: Batch) -> None:
            findings = [orjson.loads(one.body) for one in batch]
            ids = {finding["Id"]: one.id for finding, one in zip(findings, batch, strict=True)}
            response = call_aws(
                name, ids.values(), lambda: self._client(account).batch_import_findings(Findings=findings)
            )
            failed = response.get("FailedFindings", ())
            if response.get("SuccessCount", 0) + len(failed) < len(batch):
                raise DeliveryError(f"{name}: the response has no results", frozenset(ids.values()))
            raise_failed_entries(
                name,
                ((ids[one["Id"]], one["ErrorCode"], one["ErrorMessage"], True) for one in failed),
            )

        encoded = (
            Encoded(alert.id, encode_within(alert, self._encoder(account), _FINDING)) for alert in alerts
        )
        send_batches(encoded, send, _BYTES, _COUNT)

    def _encoder(self, account: str) -> Any:
        def encode(alert: Alert) -> bytes:
            finding = asff.document(alert, account, self._region)
            if alert.account and alert.account != account:
                finding["ProductFields"]["trailsieve/account"] = alert.account
            if alert.region and alert.region != self._region:
                finding["ProductFields"]["trailsieve/region"] = alert.region
            return orjson.dumps(finding)

        return encode

    def _account(self, alert: Alert) -> str:
        """The account that a finding is imported into."""
        known = alert.account or ""
        if self._config.account_role and len(known) == 12 and known.isascii() and known.isdigit():
            return known
        return self._own_account

    def _find_own_account(self, alerts: Sequence[Alert]) -> None:
        """Asks STS for our own account id, once."""
        if not self._own_account:
            ids = [alert.id for alert in alerts]
            sts = sending_client("sts", self._config)
            self._own_account = call_aws("sts", ids, sts.get_caller_identity)["Account"]
            sts.close()

    def _client(self, account: str) -> Any:
        if not self._config.account_role or account == self._own_account:
            return self._own
        if account not in self._clients:
            role = self._config.account_role.replace("{account}", account)
            self._clients[account] = sending_client(
                "securityhub", msgspec.structs.replace(self._config, role_arn=role, account_role=None)
            )
        return self._clients[account]


def open_sink(config: Config, context: RunContext) -> SecurityHubSink:
    """Security Hub as a sink."""
    return SecurityHubSink(config)
