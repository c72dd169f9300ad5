"""Writes `archive/`: one night of an organization's trail, 14 March 2026, 02:00 to 03:30 UTC, as S3 holds it.

Scenery (`story/scenery.json`): monitoring polls, services assume roles, keys decrypt, a pipeline deploys, an
inventory scanner is refused now and then. Story (`story/intrusion.json`, event by event): someone holds the
access key of `build-bot` and calls from 203.0.113.77. They try every service and are refused, guess the
console password of `j.marlow`, who has no second factor, make themselves administrator, open a network and
a bucket, delete a key, sign in as root and stop the account's own trail.

The bucket has the flaws of real ones: digest and Insight files, one file delivered twice, one cut short.
Every run writes the same bytes (with the same zlib).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import shutil
import string
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Record = dict[str, Any]

ARCHIVE = Path(__file__).parent / "archive"
PARTS = Path(__file__).parent / "story"
ORGANIZATION, TRAIL, BUCKET = "o-exampleorg1", "org-audit", "exampleorg-trail-archive"
VICTIM = "111122223333"
TWICE = (VICTIM, "us-east-1", "02:40")
CUT_SHORT = ("777788889999", "eu-central-1", "03:15")
WINDOW = timedelta(minutes=5)
FIELDS = (
    "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent "
    "errorCode errorMessage requestParameters responseElements additionalEventData requestID eventID "
    "readOnly resources eventType managementEvent recipientAccountId sharedEventID serviceEventDetails "
    "eventCategory tlsDetails sessionCredentialFromConsole"
)
READS = ("AssumeRole", "BatchGet", "Decrypt", "Describe", "GenerateDataKey", "Get", "Head", "List")
TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}

rng = random.Random()


def main() -> None:
    """Writes the archive anew."""
    rng.seed(20260314)
    shutil.rmtree(ARCHIVE, ignore_errors=True)
    logs = dict(log_files())
    for path, data in (*logs.items(), insight_file(), digest_file(logs)):
        (ARCHIVE / path).parent.mkdir(parents=True, exist_ok=True)
        (ARCHIVE / path).write_bytes(data)


def log_files() -> Iterator[tuple[str, bytes]]:
    """The log files: each holds five minutes and is delivered five minutes later."""
    cast = part("cast")
    deliveries: dict[tuple[str, str, datetime], list[Record]] = defaultdict(list)
    for event, account, region, when in sorted((*scenery(), *story()), key=lambda happening: happening[3]):
        window = when - timedelta(minutes=when.minute % 5, seconds=when.second)
        record = record_of(event, cast[event["who"]], account, region, when)
        deliveries[account, region, window].append(record)
    for (account, region, window), records in deliveries.items():
        stamp = f"{window + 2 * WINDOW:%Y%m%dT%H%MZ}"
        data = compressed({"Records": records})
        name = (account, region, f"{window:%H:%M}")
        if name == CUT_SHORT:
            data = data[: len(data) * 2 // 3]
        for _ in range(2 if name == TWICE else 1):
            yield path_of("CloudTrail", account, region, f"{stamp}_{letters(16)}"), data


def scenery() -> Iterator[tuple[Record, str, str, datetime]]:
    """Ordinary traffic: a random choice of routine in each scheduled window, and what happens only once."""
    parts = part("scenery")
    for place, windows in parts["schedule"].items():
        account, region = place.split()
        fitting = [
            event
            for event in parts["routine"]
            if account in event.get("account", account) and region in event.get("region", region)
        ]
        for window in windows.split():
            for event in rng.choices(fitting, [event["share"] for event in fitting], k=rng.randint(9, 15)):
                yield event, account, region, at(window) + timedelta(seconds=rng.randrange(300))
    for event in parts["once"]:
        yield event, event["account"], event["region"], at(event["at"])


def story() -> Iterator[tuple[Record, str, str, datetime]]:
    """The intrusion."""
    for event in part("intrusion"):
        yield event, VICTIM, event["region"], at(event["at"])


def record_of(event: Record, who: Record, account: str, region: str, when: datetime) -> Record:
    """The full CloudTrail record of an event of the scenery or the story."""
    source, name = event["call"].split(":")
    record: Record = {
        "eventVersion": "1.11",
        "eventTime": iso(when),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "requestParameters": None,
        "responseElements": None,
        "requestID": fresh_uuid(),
        "eventID": fresh_uuid(),
        "readOnly": name.startswith(READS),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if who["sourceIPAddress"][0].isdigit():
        host = "iam.amazonaws.com" if source == "iam" else f"{source}.{region}.amazonaws.com"
        record["tlsDetails"] = TLS | {"clientProvidedHostHeader": host}
    if "denied" in event:
        record |= refusal(who["userIdentity"]["arn"], **event)
    record |= who | event
    if source == "s3":
        add_s3_fields(record)
    if source == "signin":
        del record["requestID"]
    return filled({key: record[key] for key in FIELDS.split() if key in record}, when)


def refusal(arn: str, call: str, denied: str, why: str = "", **_: object) -> Record:
    """The error of a call that was denied, on the resource `denied` if it names one."""
    action = call.rstrip("0123456789").replace("s3:ListBuckets", "s3:ListAllMyBuckets")
    text = f"User: {arn} is not authorized to perform: {action}{f' on resource: {denied}' if denied else ''} "
    text += why or f"because no identity-based policy allows the {action} action"
    if call.startswith("ec2:"):
        text = f"You are not authorized to perform this operation. {text}"
        return {"errorCode": "Client.UnauthorizedOperation", "errorMessage": text}
    newer = call.startswith(("ssm:", "dynamodb:", "organizations:"))
    return {"errorCode": "AccessDeniedException" if newer else "AccessDenied", "errorMessage": text}


def add_s3_fields(record: Record) -> None:
    """S3 has shorter request ids, and tells which bucket it is about and how the request was signed."""
    record["requestID"] = letters(16).upper()
    signed = {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"}
    sent = {
        "CipherSuite": TLS["cipherSuite"],
        "x-amz-id-2": noise(57),
        "bytesTransferredOut": rng.randrange(800),
    }
    record["additionalEventData"] = signed | sent
    if "tlsDetails" in record:
        record["userAgent"] = f"[{record['userAgent']}]"
    if bucket := (record["requestParameters"] or {}).get("bucketName"):
        host = f"{bucket}.s3.{record['awsRegion']}.amazonaws.com"
        resource = {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}
        record["requestParameters"] = record["requestParameters"] | {"Host": host}
        record.setdefault("resources", [{"accountId": record["recipientAccountId"]} | resource])


def filled(record: Record, when: datetime) -> Record:
    """The record with `$account` and the other placeholders replaced."""
    later = f"{when + timedelta(hours=1):%b %d, %Y, %I:%M:%S %p}".replace(", 0", ", ")
    values = {"account": record["recipientAccountId"], "region": record["awsRegion"], "later": later}
    values |= {"uuid": fresh_uuid(), "hex": rng.randbytes(16).hex()}
    values |= {"key": letters(9).upper(), "token": noise(180)}
    full: Record = json.loads(string.Template(json.dumps(record)).substitute(values))
    return full


def insight_file() -> tuple[str, bytes]:
    """What Insights noticed, half an hour late."""
    path = path_of("CloudTrail-Insight", VICTIM, "us-east-1", f"20260314T0255Z_{letters(16)}")
    return path, compressed({"Records": part("insight")})


def digest_file(logs: Mapping[str, bytes]) -> tuple[str, bytes]:
    """An hourly digest of the victim's log files of one region, with their true hashes."""
    start, end = at("02:05:12"), at("03:05:12")
    entries = [
        {"s3Bucket": BUCKET, "s3Object": path, "hashValue": hashlib.sha256(data).hexdigest()}
        | {"hashAlgorithm": "SHA-256", "newestEventTime": times[-1], "oldestEventTime": times[0]}
        for path, data in logs.items()
        if f"{VICTIM}_CloudTrail_us-east-1_" in path
        and f"{start:T%H%M}" < path.split("_")[3][8:] <= f"{end:T%H%MZ}"
        for times in [[record["eventTime"] for record in json.loads(gzip.decompress(data))["Records"]]]
    ]
    stamps = (f"{TRAIL}_eu-west-1_{time:%Y%m%dT%H%M%SZ}" for time in (start, end))
    previous, path = (path_of("CloudTrail-Digest", VICTIM, "us-east-1", stamp) for stamp in stamps)
    digest: Record = {
        "awsAccountId": VICTIM,
        "digestStartTime": iso(start),
        "digestEndTime": iso(end),
        "digestS3Bucket": BUCKET,
        "digestS3Object": path,
        "digestPublicKeyFingerprint": rng.randbytes(16).hex(),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": entries[-1]["newestEventTime"],
        "oldestEventTime": entries[0]["oldestEventTime"],
        "previousDigestS3Bucket": BUCKET,
        "previousDigestS3Object": previous,
        "previousDigestHashValue": rng.randbytes(32).hex(),
        "previousDigestHashAlgorithm": "SHA-256",
        "previousDigestSignature": rng.randbytes(256).hex(),
        "logFiles": entries,
    }
    return path, compressed(digest)


def path_of(kind: str, account: str, region: str, rest: str) -> str:
    """The key of a file in the bucket."""
    folder = f"AWSLogs/{ORGANIZATION}/{account}/{kind}/{region}/2026/03/14"
    return f"{folder}/{account}_{kind}_{region}_{rest}.json.gz"


def compressed(content: Record) -> bytes:
    """Compact JSON, gzipped without a name and a time."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as file:
        file.write(json.dumps(content, separators=(",", ":")).encode())
    return buffer.getvalue()


def part(name: str) -> Any:
    """A part of the story's script."""
    return json.loads((PARTS / f"{name}.json").read_text(encoding="utf-8"))


def at(clock: str) -> datetime:
    """That time of the night, in UTC."""
    return datetime.fromisoformat(f"2026-03-14T{clock}")


def iso(when: datetime) -> str:
    """A time as CloudTrail writes it."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def fresh_uuid() -> str:
    """The id of an event or a request."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def letters(count: int) -> str:
    """Random letters and digits."""
    return "".join(rng.choices(string.ascii_letters + string.digits, k=count))


def noise(size: int) -> str:
    """Base64 that means nothing."""
    return base64.b64encode(rng.randbytes(size)).decode()


if __name__ == "__main__":
    main()
