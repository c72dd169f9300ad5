"""Investigations for tests of the page: the sample archive's, with suspects that are made here."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, cast

import msgspec

from tests.conftest import ROOT
from trailsieve import jsontext
from trailsieve.app.build import replay
from trailsieve.engine.stats import RunStats
from trailsieve.investigation.alert_log import AlertLog
from trailsieve.investigation.model import (
    CoveredHour,
    Identity,
    Investigation,
    PrincipalSummary,
    Signal,
    Step,
    Suspect,
    Verdict,
)
from trailsieve.model import Severity, Target
from trailsieve.ports import RunContext
from trailsieve.report.replayed import of_replay
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import joined
from trailsieve.sources.files import FilesSource, list_files
from trailsieve.trail.selection import Selection

ARCHIVE = ROOT / "samples" / "archive"
INTRUDER = "203.0.113.77"
_GRAVE = {
    "CreateAccessKey": ("critical", "makes an access key for later: AKIAJMARLOWEXAMPLE2"),
    "AttachUserPolicy": ("high", "gives build-bot every permission: AdministratorAccess"),
    "StopLogging": ("critical", "turns the account's trail off"),
    "DeleteTrail": ("high", ""),
    "ScheduleKeyDeletion": ("high", "the bucket's key is deleted in 7 days"),
    "AuthorizeSecurityGroupIngress": ("medium", "opens port 22 to 0.0.0.0/0"),
    "PutBucketPolicy": ("medium", "anyone may read the bucket"),
}


@cache
def replayed() -> Investigation:
    """The alerts of the sample archive, of match rules and alarms."""
    stats, log = RunStats(), AlertLog()
    rules = joined([load_pack("cis-aws"), load_pack(ROOT / "samples" / "rules" / "alarms.toml")])
    context = RunContext(lambda _: None)
    source = FilesSource(list_files([str(ARCHIVE)]), context, Selection())
    replay(rules, source, [log], context, stats=stats).run()
    return of_replay(log.alerts(), stats, rules, "trailsieve replay samples/archive --report page.html")


@cache
def investigated() -> Investigation:
    """The same with suspects, principals and coverage."""
    found = replayed()
    records = sorted(_records(), key=lambda record: record["eventTime"])
    times = [record["eventTime"] for record in records]
    return msgspec.structs.replace(
        found,
        verdict=Verdict(
            [
                f"Very likely an intrusion: build-bot's access key was used from {INTRUDER}, and from there "
                "j.marlow and root were taken over.",
                "It made an access key, gave itself AdministratorAccess, opened a bucket and port 22 to the world "
                "and stopped the trail of account 111122223333.",
                "Not over: the access key and the policies are still there.",
            ]
        ),
        suspects=[_intruder(records), _scanner(records)],
        principals=_principals(records),
        hours=_hours(records),
        records=len(records),
        first=times[0],
        last=times[-1],
    )


def _records() -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(ARCHIVE.rglob("*.json.gz")):
        if "CloudTrail-" in str(file):
            continue
        try:
            records = jsontext.decode(gzip.decompress(file.read_bytes()))["Records"]
        except (EOFError, zlib.error, OSError):
            continue
        found |= {record["eventID"]: record for record in records}
    return list(found.values())


def _name(record: dict[str, Any]) -> str:
    identity = record["userIdentity"]
    return str(identity.get("userName") or _arn(record).rpartition(":")[2])


def _arn(record: dict[str, Any]) -> str:
    identity = record["userIdentity"]
    return str(
        identity.get("arn") or identity.get("userName") or identity.get("type") or identity.get("accountId")
    )


def _intruder(records: Sequence[dict[str, Any]]) -> Suspect:
    own = [record for record in records if record["sourceIPAddress"] == INTRUDER]
    steps: list[Step] = []
    identities: dict[str, Identity] = {}
    for record in own:
        key = record["userIdentity"].get("accessKeyId", "")
        identity = identities.setdefault(_name(record), Identity(_name(record), _arn(record), ()))
        if key and key not in identity.access_keys:
            identity.access_keys = (*identity.access_keys, key)
        step = _step(record)
        last = steps[-1] if steps else None
        if last and (last.event_name, last.outcome, last.identity) == (
            step.event_name,
            step.outcome,
            step.identity,
        ):
            last.count, last.last = last.count + 1, step.last
        else:
            steps.append(step)
    for identity in list(identities.values())[1:]:
        identity.how = "signed in from the same address"
    return Suspect(
        name="build-bot",
        principal=_arn(own[0]),
        headline="An access key used from a new address, 35 denied calls, then a console password guessed.",
        score=94,
        signals=[
            Signal("rules", 40, "11 rules of 6 techniques matched, two of them critical"),
            Signal("failed then succeeded", 20, "44 calls failed, then calls of the same services succeeded"),
            Signal("new address", 16, f"{INTRUDER}: never seen before 02:16"),
            Signal("new agent", 10, "a user agent that build-bot never had"),
            Signal("volume", 8, "more denied calls than everyone else together"),
        ],
        identities=list(identities.values()),
        steps=steps,
        omitted_steps=0,
        calls=len(own),
        failed=sum("errorCode" in record for record in own),
        first=own[0]["eventTime"],
        last=own[-1]["eventTime"],
        accounts=sorted({record["recipientAccountId"] for record in own}),
        regions=sorted({record["awsRegion"] for record in own}),
        addresses=[INTRUDER],
        agents=sorted({record["userAgent"] for record in own}),
        left_behind=["access key AKIAJMARLOWEXAMPLE2 of j.marlow", "AdministratorAccess on build-bot"],
    )


def _step(record: dict[str, Any]) -> Step:
    severity, note = _GRAVE.get(record["eventName"], (None, ""))
    parameters = record.get("requestParameters") or {}
    named = [Target(kind, str(parameters[name])) for name, kind in _TARGETS.items() if parameters.get(name)]
    return Step(
        first=record["eventTime"],
        last=record["eventTime"],
        count=1,
        identity=_name(record),
        event_name=record["eventName"],
        event_source=record["eventSource"],
        account=record["recipientAccountId"],
        region=record["awsRegion"],
        source_ip=record["sourceIPAddress"],
        user_agent=record["userAgent"],
        targets=tuple(named),
        outcome=record.get("errorCode", ""),
        read_only=bool(record.get("readOnly")),
        rules=("cis-aws-4.1",) if "errorCode" in record else (),
        severity=cast("Severity | None", severity) or ("low" if "errorCode" in record else None),
        note="" if "errorCode" in record else note,
    )


_TARGETS = {
    "userName": "user",
    "bucketName": "bucket",
    "keyId": "key",
    "groupId": "security group",
    "name": "trail",
}


def _scanner(records: Sequence[dict[str, Any]]) -> Suspect:
    own = [record for record in records if "inventory-scanner" in _arn(record)]
    return Suspect(
        name="inventory-scanner",
        principal=_arn(own[0]),
        headline="Nightly inventory: denied reads in three accounts, as every night.",
        score=12,
        signals=[Signal("rules", 12, "one rule matched 30 times")],
        identities=[Identity("inventory-scanner", _arn(own[0]), ())],
        steps=[_step(record) for record in own[:6]],
        omitted_steps=max(0, len(own) - 6),
        calls=len(own),
        failed=sum("errorCode" in record for record in own),
        first=own[0]["eventTime"],
        last=own[-1]["eventTime"],
        accounts=sorted({record["recipientAccountId"] for record in own}),
        regions=sorted({record["awsRegion"] for record in own}),
        addresses=["198.51.100.31"],
        agents=["inventory-scanner/2.8"],
        noise=["30 denied calls of inventory-scanner, one session, one address"],
    )


def _principals(records: Sequence[dict[str, Any]]) -> list[PrincipalSummary]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault(_arn(record), []).append(record)
    return [_summary(name, own) for name, own in sorted(groups.items(), key=lambda item: -len(item[1]))]


def _summary(name: str, own: Sequence[dict[str, Any]]) -> PrincipalSummary:
    def counts(values: Iterable[str]) -> dict[str, int]:
        return dict(Counter(values).most_common())

    return PrincipalSummary(
        principal=name,
        kind=own[0]["userIdentity"].get("type", ""),
        calls=len(own),
        failed=sum("errorCode" in record for record in own),
        first=own[0]["eventTime"],
        last=own[-1]["eventTime"],
        succeeded_by_service=counts(r["eventSource"].split(".")[0] for r in own if "errorCode" not in r),
        failed_by_service=counts(r["eventSource"].split(".")[0] for r in own if "errorCode" in r),
        regions=counts(record["awsRegion"] for record in own),
        agents=counts(record["userAgent"] for record in own),
        addresses=counts(record["sourceIPAddress"] for record in own),
        access_keys=counts(
            r["userIdentity"]["accessKeyId"] for r in own if r["userIdentity"].get("accessKeyId")
        ),
    )


def _hours(records: Sequence[dict[str, Any]]) -> list[CoveredHour]:
    counts = Counter((r["recipientAccountId"], r["awsRegion"], r["eventTime"][:13]) for r in records)
    hours = [CoveredHour(*place, files=12, records=number) for place, number in counts.items()]
    return [hour for hour in hours if (hour.account, hour.hour[-2:]) != ("444455556666", "03")]  # a gap
