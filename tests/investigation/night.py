"""Archives made up for tests: people and programs who call AWS through a day, and what is concluded of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from trailsieve.investigation.collect import collect
from trailsieve.investigation.conclusions import conclude
from trailsieve.investigation.model import Investigation
from trailsieve.model import Message, Position
from trailsieve.ports import RunContext
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule, joined
from trailsieve.sources.memory import MemorySource

Record = dict[str, Any]
ACCOUNT = "444455556666"
DAY = datetime(2026, 5, 4, tzinfo=UTC)
CLI = "aws-cli/2.24.5 md/awscrt#0.23.8 ua/2.0 os/linux#6.1"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/136.0"


@dataclass(frozen=True)
class Who:
    """Somebody with a key, an address and a program."""

    identity: Record = field(hash=False)
    address: str = "198.51.100.20"
    agent: str = CLI

    @property
    def arn(self) -> str:
        return str(self.identity["arn"])

    def at(self, address: str, agent: str = "") -> Who:
        return Who(self.identity, address, agent or self.agent)

    def with_key(self, key: str) -> Who:
        return Who(self.identity | {"accessKeyId": key}, self.address, self.agent)


def user(name: str, key: str = "", address: str = "198.51.100.20") -> Who:
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    identity = {"type": "IAMUser", "arn": arn, "userName": name, "accountId": ACCOUNT}
    return Who(identity | {"accessKeyId": key or f"AKIA{name.upper()}"}, address)


def session(role: str, name: str, address: str = "198.51.100.30", key: str = "") -> Who:
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "userName": role}
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"
    identity = {
        "type": "AssumedRole",
        "arn": arn,
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": issuer},
    }
    return Who(identity | {"accessKeyId": key or f"ASIA{role.upper()}{name.upper()}"}, address)


def root(address: str = "198.51.100.99") -> Who:
    arn = f"arn:aws:iam::{ACCOUNT}:root"
    return Who(
        {"type": "Root", "arn": arn, "accountId": ACCOUNT, "accessKeyId": "ASIAROOT"}, address, BROWSER
    )


def service(name: str) -> Who:
    host = f"{name}.amazonaws.com"
    return Who({"type": "AWSService", "invokedBy": host}, host, host)


def call(
    who: Who, minute: float, name: str, request: Any = None, response: Any = None, **fields: Any
) -> Record:
    """One record: `iam:CreateUser` at a minute of the day."""
    source, _, event = name.partition(":")
    time = (DAY + timedelta(minutes=minute)).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "eventVersion": "1.11",
        "eventID": f"{event}-{time}-{json.dumps(request)[-40:]}-{who.address}",
        "eventTime": time,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": event,
        "eventType": "AwsApiCall",
        "awsRegion": "eu-west-1",
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": who.address,
        "userAgent": who.agent,
        "userIdentity": who.identity,
        "readOnly": event.startswith(("Get", "List", "Describe", "Head")),
        "requestParameters": request,
        "responseElements": response,
        **fields,
    }


def denied(who: Who, minute: float, name: str, request: Any = None) -> Record:
    return call(who, minute, name, request, errorCode="AccessDenied", errorMessage="not authorized")


def assumes(who: Who, minute: float, to: Who) -> Record:
    """The call by which one becomes another."""
    role = to.identity["sessionContext"]["sessionIssuer"]["arn"]
    response = {
        "credentials": {"accessKeyId": to.identity["accessKeyId"]},
        "assumedRoleUser": {"arn": to.arn},
    }
    return call(who, minute, "sts:AssumeRole", {"roleArn": role}, response, readOnly=True)


def makes_key(who: Who, minute: float, name: str, key: str) -> Record:
    made = {"accessKey": {"userName": name, "accessKeyId": key, "status": "Active"}}
    return call(who, minute, "iam:CreateAccessKey", {"userName": name}, made)


def benign() -> list[Record]:
    """A day of services, scanners that are refused, pipelines, an app that moves objects, and root's console."""
    scanner, app = session("scanner", "nightly", "198.51.100.31"), session("shop", "shop", "198.51.100.40")
    found = [
        *(denied(scanner, m * 1.1, "s3:GetBucketPolicy", {"bucketName": f"b{m % 7}"}) for m in range(1000)),
        *(call(root(), 300 + m * 0.1, "ec2:DescribeInstances") for m in range(500)),
        *(call(root(), 300 + m * 0.3, "cloudtrail:DescribeTrails") for m in range(156)),
        *(call(service("autoscaling"), m * 14, "ec2:RunInstances", {"imageId": "ami-1"}) for m in range(100)),
    ]
    for m in range(0, 1430, 5):
        key = {"bucketName": "shop-carts", "key": f"cart/{m}.json"}
        found += [call(app, m + 0.2, f"s3:{name}Object", key) for name in ("Get", "Put", "Delete")]
    for number in range(20):
        deploy = session("deploy", f"run-17{number:06}", "198.51.100.50")
        found.append(assumes(service("codebuild"), number * 70, deploy))
        found += [
            call(deploy, number * 70 + 1, "lambda:UpdateFunctionCode20150331v2", {"functionName": "shop"}),
            call(deploy, number * 70 + 2, "iam:PutRolePolicy", {"roleName": "shop", "policyName": "p"}),
            call(deploy, number * 70 + 3, "ec2:AuthorizeSecurityGroupIngress", {"groupId": "sg-1"}),
        ]
    return found


@cache
def rules() -> tuple[Rule, ...]:
    """The rules that the command runs by default."""
    return tuple(joined([load_pack("cis-aws"), load_pack("aws-threats")]))


def told(records: Iterable[Record]) -> Investigation:
    """What is concluded of an archive with these records."""
    data = json.dumps({"Records": list(records)}, separators=(",", ":")).encode()
    source = MemorySource([Message(data, Position("f", 0), "f")], whole_objects=True)
    collected = collect(rules(), source, RunContext())
    alerts = collected.alerts
    return conclude(collected.activity, rules(), alerts.kept, alerts.total, counts=alerts.counts)
