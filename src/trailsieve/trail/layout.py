"""CloudTrail's object keys in S3: kind, account, region and time without opening the object.

`[prefix/]AWSLogs/[o-org/]account/CloudTrail/region/YYYY/MM/DD/account_CloudTrail_region_YYYYMMDDTHHmmZ_random.json.gz`
Source: docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["events", "digest", "insight"]
_KINDS: dict[str, Kind] = {
    "CloudTrail": "events",
    "CloudTrail-Digest": "digest",
    "CloudTrail-Insight": "insight",
}

# A digest's name also holds its trail: account_CloudTrail-Digest_region_trail_region_time.json.gz
_NAME = re.compile(
    r"(?P<account>[0-9]{12})_(?P<kind>CloudTrail(?:-Digest|-Insight)?)_(?P<region>[a-z0-9-]+)_"
    r"(?:[^/]*_)?(?P<time>[0-9]{8}T[0-9]{4,6}Z)(?:_[^/_]+)?\.json(?:\.gz)?"
)
_FOLDERS = re.compile(
    r"(?:.*/)?AWSLogs/(?:o-[a-z0-9]+/)?(?P<account>[0-9]{12})/(?P<kind>CloudTrail(?:-Digest|-Insight)?)/"
    r"(?P<region>[a-z0-9-]+)/[0-9]{4}/[0-9]{2}/[0-9]{2}/"
)
LOG_SUFFIXES = (".json", ".jsonl", ".ndjson", ".log")


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """The kind, account, region and time of delivery that an object's key contains."""

    kind: Kind
    account: str
    region: str
    delivered: datetime


def parse_key(key: str) -> ObjectKey | None:
    """The parts of a CloudTrail object's key or file path; None for any other name."""
    match = _NAME.fullmatch(key.replace("\\", "/").rpartition("/")[2])
    if not match:
        return None
    digits = match["time"].replace("T", "").rstrip("Z").ljust(14, "0")
    try:
        delivered = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return ObjectKey(_KINDS[match["kind"]], match["account"], match["region"], delivered)


def is_trail_key(key: str) -> bool:
    """Whether CloudTrail itself would write this key: its folders and its name agree."""
    folders, slash, _ = key.rpartition("/")
    parsed, within = parse_key(key), _FOLDERS.fullmatch(folders + slash)
    return (
        parsed is not None
        and within is not None
        and (_KINDS[within["kind"]], within["account"], within["region"])
        == (parsed.kind, parsed.account, parsed.region)
    )


def kind_of_folder(name: str) -> Kind | None:
    """The kind of objects in a folder of this name, below an account's folder; None if not CloudTrail's."""
    return _KINDS.get(name)


def is_log_name(name: str) -> bool:
    """Whether a name found in a directory tree or bucket has the suffix of a log file."""
    return name.removesuffix(".gz").endswith(LOG_SUFFIXES)


def is_lines_name(name: str) -> bool:
    """Whether a file of this name is read line by line: every name except `.json`, gzipped or not."""
    return not name.removesuffix(".gz").endswith(".json")
