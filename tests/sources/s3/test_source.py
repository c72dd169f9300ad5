"""Which objects of a bucket are read, in which order, and where a restart goes on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import trailsieve
from tests.servers.moto import Bucket, Moto, archive
from tests.sources.service import expected
from tests.sources.trail_buckets import ACCOUNT, BODY, first, key, keys_of, minutes, open_bucket, rest, trail
from trailsieve.model import Message, Offset
from trailsieve.ports import RunContext
from trailsieve.sources.s3.source import S3Source

ORGANISATION = "AWSLogs/o-exampleorg1/"


@pytest.fixture(scope="session")
def filled(moto: Moto, root: Path) -> Bucket:
    """The sample archive twice, once under a prefix of its own, among things that are none of ours."""
    bucket = moto.bucket(archive(root / "samples/archive"))
    bucket.fill(archive(root / "samples/archive", "team/trails/"))
    strange = [
        "AWSLogs/o-exampleorg1/111122223333/vpcflowlogs/us-east-1/2026/03/14/flow.log.gz",
        "notes/readme.md",
    ]
    bucket.fill(dict.fromkeys(strange, b"nothing of ours"))
    return bucket


@pytest.mark.parametrize(
    "prefix",
    [
        "AWSLogs",
        "AWSLogs/",
        ORGANISATION,
        f"{ORGANISATION}111122223333",
        f"{ORGANISATION}111122223333/CloudTrail/",
        f"{ORGANISATION}111122223333/CloudTrail/us-east-1/",
        f"{ORGANISATION}111122223333/CloudTrail/us-east-1/2026",
        f"{ORGANISATION}777788889999/CloudTrail/eu-west-1/2026/03/14/",
        "team",
        "team/trails/",
        "team/trails/AWSLogs/o-exampleorg1/444455556666/",
        "",
    ],
)
def test_a_prefix_may_lie_above_in_or_below_the_layout(prefix: str, moto: Moto, filled: Bucket) -> None:
    source = open_bucket(moto, filled, prefix)
    source.start({})
    wanted = [name for name in filled.names() if name.startswith(prefix) and "/CloudTrail/" in name]
    assert wanted
    assert keys_of(rest(source), filled) == wanted


def test_one_object_can_be_asked_for_by_its_key(moto: Moto) -> None:
    bucket = moto.bucket(trail(["odd/a.json", "odd/a.json.gz", "odd/b.json.gz"]))
    source = open_bucket(moto, bucket, "odd/a.json")
    source.start({})
    assert keys_of(rest(source), bucket) == ["odd/a.json"]


def test_a_replay_of_a_bucket_raises_what_a_replay_of_the_files_raises(
    moto: Moto, filled: Bucket, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    there = trailsieve("replay", f"{filled.url}/AWSLogs", "--log-format", "json")
    assert sorted(alert["id"] for alert in there.objects) == expected(root / "samples/archive")
    assert '"skipped":{"Insight file":1,"digest file":1,"truncated":1}' in there.err
    pattern = '{ $.errorCode = "AccessDenied*" }'
    here = trailsieve("match", pattern, root / "samples/archive")
    assert trailsieve("match", pattern, f"{filled.url}/AWSLogs").out == here.out


def test_files_and_buckets_go_together(
    moto: Moto, filled: Bucket, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    both = trailsieve("replay", root / "samples/archive", f"{filled.url}/AWSLogs")
    assert sorted(alert["id"] for alert in both.objects) == expected(root / "samples/archive")


def asked_for(source: S3Source) -> list[tuple[str, str]]:
    """Notes the prefix and the start of every listing from now on."""
    asked: list[tuple[str, str]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append((params.get("Prefix", ""), params.get("StartAfter", "")))

    source._listings[0].client.meta.events.register("provide-client-params.s3.ListObjectsV2", note)
    return asked


def test_only_what_is_asked_for_is_listed(moto: Moto) -> None:
    here = [key(f"202603{day:02}T0900", day) for day in range(10, 20)]
    others = [
        *(key("20260314T0900", account="444455556666") for _ in range(3)),
        key("20260314T0900", region="eu-west-1"),
        "AWSLogs/111122223333/elasticloadbalancing/us-east-1/2026/03/14/a.log.gz",
    ]
    bucket = moto.bucket(trail([*here, *others]))
    skipped: Counter[str] = Counter()
    source = open_bucket(
        moto,
        bucket,
        context=RunContext(skip=lambda reason: skipped.update([reason])),
        accounts=(ACCOUNT,),
        regions=("us-east-1",),
        since="2026-03-13",
        until="2026-03-15T23:30:00Z",
    )
    asked = asked_for(source)
    source.start({})
    assert keys_of(rest(source), bucket) == [
        name for name in here if "0313T" in name or "0314T" in name or "0315T" in name
    ]
    prefix = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/"
    assert [prefix for prefix, _ in asked] == [
        "",
        "AWSLogs/",
        f"AWSLogs/{ACCOUNT}/",
        f"AWSLogs/{ACCOUNT}/CloudTrail/",
        prefix,
    ]
    assert asked[-1][1].startswith(f"{prefix}2026/03/13/")
    assert skipped == {
        "folder of another account": 1,
        "folder of another region": 1,
        "delivered long after --until": 1,
    }


def test_files_delivered_within_the_hour_after_the_end_are_read(moto: Moto) -> None:
    near, far = key("20260314T1259"), key("20260314T1301")
    bucket = moto.bucket(trail([near, far]))
    source = open_bucket(moto, bucket, until="2026-03-14T12:00:00Z")
    source.start({})
    assert keys_of(rest(source), bucket) == [near]
    assert source.selection.until is not None


def test_more_keys_than_one_answer_holds_come_in_order(moto: Moto) -> None:
    names = [key(f"20260314T{number // 60:02}{number % 60:02}", number) for number in range(1005)]
    bucket = moto.bucket(trail(names))
    source = open_bucket(moto, bucket, threads=4)
    source.start({})
    messages = rest(source)
    assert keys_of(messages, bucket) == names
    assert {message.payload for message in messages} == {BODY}
    assert len(str(messages[-1].position.offset)) < 4000


@pytest.mark.parametrize(
    "name",
    ["a b.json", "a+b.json", "a%20b.json", "ünïcode-日本.json", "a?b#c&d.json", "a\tb.json", "a//b.json"],
)
def test_keys_of_any_characters_are_read(name: str, moto: Moto) -> None:
    bucket = moto.bucket(trail([f"odd names/{name}"]))
    source = open_bucket(moto, bucket, "odd names/")
    source.start({})
    assert keys_of(rest(source), bucket) == [f"odd names/{name}"]


@pytest.mark.parametrize("done", [0, 1, 5, 9])
def test_a_restart_goes_on_behind_what_was_committed(done: int, moto: Moto) -> None:
    names = [*minutes(1, 2, 3, 4, 5), *minutes(1, 2, 3, 4, region="us-west-2")]
    bucket = moto.bucket(trail(names))
    positions: dict[str, Offset] = {}
    first = open_bucket(moto, bucket)
    first.start({})
    for message in rest(first)[:done]:
        positions[message.position.shard] = message.position.offset
    again = open_bucket(moto, bucket)
    again.start(positions)
    assert keys_of(rest(again), bucket) == names[done:]


def test_a_late_object_is_found_and_nothing_is_read_twice(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(10, 20, 30)))
    positions: dict[str, Offset] = {}
    for late, found in (([], [10, 20, 30]), ([15, 31], [15, 31]), ([14, 16, 29], [14, 16, 29]), ([], [])):
        bucket.fill(trail(minutes(*late)))
        source = open_bucket(moto, bucket, look_back=1800)
        source.start(positions)
        assert keys_of(rest(source, positions), bucket) == minutes(*found)


def test_an_object_later_than_the_look_back_is_read_with_its_hour_and_reported(moto: Moto) -> None:
    """Across restarts. The objects of a copied bucket are all written long after the times in their names."""
    early, odd = key("20260313T1500"), key("20260314T0040").replace("_CloudTrail_", "_Other_")
    bucket = moto.bucket(trail([early, odd, *minutes(0, 5, 50)]))
    positions: dict[str, Offset] = {}
    info: list[str] = []
    one, two, three = key("20260314T0030", 1), key("20260314T0107", 2), key("20260314T0108", 3)
    for new, found in (
        ([], [early, *minutes(0, 5, 50)]),
        ([], []),
        ([one], [one]),
        ([two, three, *minutes(4, 51)], [two, three, *minutes(0, 4, 5, 51)]),
        ([key("20260314T1200")], [key("20260314T1200")]),
        ([], []),
    ):
        bucket.fill(trail(new))
        source = open_bucket(moto, bucket, context=RunContext(info.append), look_back=600)
        source.start(positions)
        assert keys_of(rest(source, positions), bucket) == found
    shard = f"{bucket.url}/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1"
    assert info == [
        f"{shard}: 1 object came later than `look_back`; reading the 1 object of 1 hour again, "
        f"from {bucket.url}/{one}",
        f"{shard}: 3 objects came later than `look_back`; reading the 5 objects of 2 hours again, "
        f"from {bucket.url}/{two}",
    ]


def test_a_kill_among_late_objects_leaves_none_out(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(1, 50)))
    positions: dict[str, Offset] = {}
    rest(started(moto, bucket, positions), positions)
    bucket.fill(trail(minutes(2, 3)))
    for message in rest(started(moto, bucket, positions))[:2]:  # the hour has three
        positions[message.position.shard] = message.position.offset
    assert keys_of(rest(started(moto, bucket, positions), positions), bucket) == minutes(1, 2, 3)
    assert rest(started(moto, bucket, positions)) == []


def test_a_checkpoint_of_an_earlier_version_has_no_counts(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(1, 50)))
    positions: dict[str, Offset] = {}
    rest(started(moto, bucket, positions), positions)
    positions = {shard: str(offset).rpartition("\n")[0] for shard, offset in positions.items()}
    bucket.fill(trail(minutes(51)))
    assert keys_of(rest(started(moto, bucket, positions), positions), bucket) == minutes(51)
    bucket.fill(trail(minutes(2)))
    assert keys_of(rest(started(moto, bucket, positions)), bucket) == minutes(1, 2)


def started(moto: Moto, bucket: Bucket, positions: dict[str, Offset]) -> S3Source:
    """A source that continues from these positions."""
    source = open_bucket(moto, bucket, look_back=600)
    source.start(positions)
    return source


def test_late_objects_are_looked_for_once_an_hour(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = moto.bucket(trail(minutes(50)))
    figures: dict[str, float] = {}
    context = RunContext(gauge=figures.__setitem__)
    source = open_bucket(moto, bucket, context=context, look_back=600, poll_interval=0.01)
    source.start({})
    assert keys_of(first(source), bucket) == minutes(50)
    bucket.fill(trail(minutes(1)))
    bucket.fill(trail(minutes(52)))
    assert keys_of(first(source), bucket) == minutes(52)
    monkeypatch.setattr(source, "_next_late_search", 0.0)
    assert keys_of(first(source), bucket) == minutes(1)
    assert figures == {"s3_listed_late": 1}
    source.close()


def test_only_the_look_back_window_is_kept(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(*range(60))))
    positions: dict[str, Offset] = {}
    source = open_bucket(moto, bucket, look_back=300)
    source.start({})
    rest(source, positions)
    ((shard, offset),) = positions.items()
    assert shard == f"{bucket.url}/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1"
    last, window, counts = str(offset).split("\n")
    assert last == minutes(59)[0]
    assert [tail[9:13] for tail in window.split()] == ["0254", "0255", "0256", "0257", "0258", "0259"]
    assert counts == "20260314T02:54"


def test_a_service_finds_new_objects_and_new_accounts(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(1)))
    source = open_bucket(moto, bucket, poll_interval=0.01)
    source.start({})
    for new in (minutes(1), minutes(2), minutes(1, account="444455556666"), minutes(3, region="eu-west-1")):
        bucket.fill(trail(new))
        assert keys_of(first(source), bucket) == new
    assert not source.exhausted
    source.close()


def test_a_service_that_was_away_for_long_leaves_nothing_out_for_its_age(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(1, 2)))
    source = open_bucket(moto, bucket, poll_interval=0.01, since="1h")
    shard = f"{bucket.url}/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1"
    source.start({shard: minutes(1)[0]})
    assert keys_of(first(source), bucket) == minutes(2)
    assert not source.selection.narrows
    source.close()


def test_a_restart_starts_new_folders_where_the_first_run_started(moto: Moto) -> None:
    """`24h` is a later time after a restart: what came to a new region meanwhile is not left out."""
    bucket = moto.bucket(trail(minutes(1)))
    positions: dict[str, Offset] = {}
    before = open_bucket(moto, bucket, poll_interval=0.01, since="2026-03-14")
    before.start({})
    for message in before.poll():
        if message.position.shard.startswith("since:"):
            positions[message.position.shard] = message.position.offset
    before.close()
    assert positions == {f"since:{bucket.url}/": "2026-03-14T00:00:00+00:00"}
    bucket.fill(trail(minutes(2, region="eu-west-1")))
    after = open_bucket(moto, bucket, poll_interval=0.01, since="2026-03-16")
    after.start(positions)
    found: list[Message] = []
    while len(found) < 2:
        found += first(after)
    assert keys_of(found, bucket) == [*minutes(2, region="eu-west-1"), *minutes(1)]
    after.close()
