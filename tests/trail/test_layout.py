"""The names of objects tell kind, account, region and time of delivery; other names tell nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trailsieve.trail.layout import ObjectKey, is_lines_name, is_log_name, is_trail_key, parse_key

ACCOUNT, REGION = "111122223333", "eu-west-1"
AT_NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
EVENTS = ObjectKey("events", ACCOUNT, REGION, AT_NOON)
FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/03/14"
NAME = f"{ACCOUNT}_CloudTrail_{REGION}_20260314T1200Z_Ab12Cd34Ef56Gh78.json.gz"

KEYS = {
    "plain": (f"{FOLDER}/{NAME}", EVENTS),
    "organisation": (f"AWSLogs/o-a1b2c3d4e5/{ACCOUNT}/CloudTrail/{REGION}/2026/03/14/{NAME}", EVENTS),
    "prefixed": (f"a/prefix/{FOLDER}/{NAME}", EVENTS),
    "name alone": (NAME, EVENTS),
    "absolute path": (f"/var/tmp/{NAME}", EVENTS),
    "path of Windows": (f"C:\\logs\\{NAME}", EVENTS),
    "unpacked": (f"{FOLDER}/{NAME.removesuffix('.gz')}", EVENTS),
    "seconds": (
        NAME.replace("1200Z", "120059Z"),
        ObjectKey("events", ACCOUNT, REGION, AT_NOON.replace(second=59)),
    ),
    "region of the government": (
        NAME.replace(REGION, "us-gov-west-1"),
        ObjectKey("events", ACCOUNT, "us-gov-west-1", AT_NOON),
    ),
    "digest": (
        f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/03/14/"
        f"{ACCOUNT}_CloudTrail-Digest_{REGION}_my-trail_{REGION}_20260314T120000Z.json.gz",
        ObjectKey("digest", ACCOUNT, REGION, AT_NOON),
    ),
    "digest of a trail with underscores": (
        f"{ACCOUNT}_CloudTrail-Digest_{REGION}_my_own_trail_{REGION}_20260314T120000Z.json.gz",
        ObjectKey("digest", ACCOUNT, REGION, AT_NOON),
    ),
    "Insight": (
        f"AWSLogs/{ACCOUNT}/CloudTrail-Insight/{REGION}/2026/03/14/"
        + NAME.replace("CloudTrail", "CloudTrail-Insight"),
        ObjectKey("insight", ACCOUNT, REGION, AT_NOON),
    ),
}


@pytest.mark.parametrize(("key", "told"), KEYS.values(), ids=KEYS)
def test_a_key_tells(key: str, told: ObjectKey) -> None:
    assert parse_key(key) == told


@pytest.mark.parametrize("kind", ["CloudTrail", "CloudTrail-Insight"])
@pytest.mark.parametrize(
    "top", ["AWSLogs", "AWSLogs/o-exampleorg1", "team/trails/AWSLogs", "a/AWSLogs/AWSLogs/o-a1"]
)
def test_keys_of_cloudtrail_may_have_a_prefix_and_an_organization(top: str, kind: str) -> None:
    key = f"{FOLDER}/{NAME}".replace("CloudTrail", kind)
    assert is_trail_key(key.replace("AWSLogs", top, 1))


@pytest.mark.parametrize(
    "key",
    [
        NAME,
        f"{FOLDER}/other.json.gz",
        f"{FOLDER}/more/{NAME}",
        f"{FOLDER}/{NAME}".replace("AWSLogs/", "Logs/"),
        f"{FOLDER}/{NAME.replace(ACCOUNT, '999999999999')}",
        f"{FOLDER}/{NAME.replace(REGION, 'eu-north-1')}",
        f"{FOLDER}/{NAME.replace('CloudTrail', 'CloudTrail-Insight')}",
    ],
)
def test_keys_that_cloudtrail_would_not_write(key: str) -> None:
    assert not is_trail_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "events.jsonl",
        FOLDER + "/",
        f"{NAME}/other.json.gz",
        NAME.replace(ACCOUNT, "1234"),
        NAME.replace("CloudTrail", "Config"),
        NAME.replace("20260314", "20261314"),
        NAME.replace("1200Z", "2560Z"),
        NAME.replace(".json.gz", ".json.bz2"),
        NAME + ".tmp",
        NAME.replace("1111", "١١١١"),
    ],
)
def test_other_names_tell_nothing(key: str) -> None:
    assert parse_key(key) is None


@pytest.mark.parametrize(
    ("name", "is_log", "is_lines"),
    [
        ("a.json", True, False),
        ("a.json.gz", True, False),
        ("a.jsonl", True, True),
        ("a.jsonl.gz", True, True),
        ("a.ndjson", True, True),
        ("a.log.gz", True, True),
        ("a.txt", False, True),
        ("a.gz", False, True),
        ("json", False, True),
        ("a.json.gz.tmp", False, True),
    ],
)
def test_which_names_a_walk_reads_and_how(name: str, is_log: bool, is_lines: bool) -> None:
    assert (is_log_name(name), is_lines_name(name)) == (is_log, is_lines)
