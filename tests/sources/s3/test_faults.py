"""Buckets that refuse, objects that are gone, networks that fail: nothing ends silently, nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.servers.moto import Moto, archive
from tests.servers.patience import until
from tests.sources.kill_report import add_row
from tests.sources.service import KILLS, SAMPLE_RECORDS, Service, expected
from tests.sources.trail_buckets import ACCOUNT, BODY, REGION, key, minutes, open_bucket, rest, trail
from trailsieve.errors import SourceError
from trailsieve.model import Message, Position
from trailsieve.ports import RunContext
from trailsieve.sources.object_reader import ObjectReader
from trailsieve.sources.s3.listing import ListingPrefix
from trailsieve.sources.s3.prefix_progress import PrefixProgress
from trailsieve.sources.s3.source import Config, open_source


@pytest.fixture
def stubbed(moto: Moto) -> Any:
    """A reader whose S3 answers as told."""
    said: list[str] = []
    client = moto.client("s3")
    stubber = Stubber(client)
    stubber.activate()
    return stubber, ObjectReader(client, 1, 2**20, 2**20, said.append), said


def answer_with(stubber: Stubber, body: bytes) -> None:
    import io

    stubber.add_response(
        "get_object", {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentLength": len(body)}
    )


def unread(name: str, size: int = 10) -> Message:
    return Message(b"", Position("shard", 1), f"s3://{name}", unread=size)


def fetch(reader: ObjectReader, count: int) -> list[Message]:
    return [reader.read(unread(f"trail/key-{number}")) for number in range(count)]


@pytest.mark.parametrize(
    ("code", "status", "problem"),
    [
        ("NoSuchKey", 404, "gone: "),
        ("InvalidObjectState", 403, "restore it first"),
        ("AccessDenied", 403, "the credentials lack the permission"),
        ("KMS.DisabledException", 400, "refused: "),
        ("InvalidRequest", 400, "wrong: "),
    ],
)
def test_an_object_that_cannot_be_had_costs_itself_only(
    code: str, status: int, problem: str, stubbed: Any
) -> None:
    stubber, reader, _ = stubbed
    stubber.add_client_error("get_object", code, "no", status)
    answer_with(stubber, BODY)
    bad, good = fetch(reader, 2)
    assert problem in bad.problem
    assert (good.payload, good.problem) == (BODY, "")


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "RequestTimeout"])
def test_what_passes_is_waited_for(code: str, stubbed: Any) -> None:
    stubber, reader, said = stubbed
    stubber.add_client_error("get_object", code, "later", 503)
    answer_with(stubber, BODY)
    assert [found.payload for found in fetch(reader, 1)] == [BODY]
    assert "retrying" in said[0]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_credentials_that_are_no_more_end_the_run(code: str, stubbed: Any) -> None:
    stubber, reader, _ = stubbed
    stubber.add_client_error("get_object", code, "no", 403)
    with pytest.raises(SourceError, match=f"s3://trail/key-0 cannot be read: .*{code}.*; the "):
        fetch(reader, 1)


def test_when_everything_is_refused_the_run_ends_before_all_are_dead_letters(stubbed: Any) -> None:
    stubber, reader, _ = stubbed
    for _ in range(11):
        stubber.add_client_error("get_object", "AccessDenied", "no", 403)
    fetch(reader, 4)
    fetch(reader, 4)
    with pytest.raises(SourceError, match="s3:GetObject is needed, and kms:Decrypt"):
        fetch(reader, 3)


def test_an_object_beyond_the_limit_is_not_taken_into_memory(stubbed: Any) -> None:
    stubber, reader, _ = stubbed
    answer_with(stubber, b"x" * (2**20 + 1))
    (found,) = fetch(reader, 1)
    assert found.problem == "too big: 1,048,577 bytes; raise --max-object-size"


@pytest.mark.parametrize(
    ("bucket", "name"),
    [("", "k"), ("..", "k"), ("b", ""), ("no such", "k"), ("arn:aws:s3:::x", "k"), ("trail", "\udc80")],
)
def test_names_that_are_none_are_problems(bucket: str, name: str, moto: Moto) -> None:
    reader = ObjectReader(moto.client("s3"), 1, 2**20, 2**20, print)
    assert reader.read(unread(f"{bucket}/{name}")).problem


@given(
    times=st.lists(st.integers(0, 300), min_size=1, max_size=40, unique=True),
    seed=st.integers(0, 99),
    look_back=st.integers(1, 60),
    data=st.data(),
)
@settings(max_examples=examples(200))
def test_every_object_is_read_once_whatever_is_late_and_whenever_we_restart(
    times: list[int], seed: int, look_back: int, data: st.DataObject
) -> None:
    """Objects appear out of order, by less than the look-back; the run restarts between any two listings."""
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/"
    prefix = ListingPrefix("bucket", folder, folder, "events", ACCOUNT, REGION)
    names = {time: key(f"20260314T{time // 60:02}{time % 60:02}", time) for time in times}
    random = Random(seed)
    appearing = sorted(times, key=lambda time: time + random.uniform(0, look_back))
    listed: list[str] = []
    read: list[str] = []
    offset: str = ""
    while appearing:
        count = data.draw(st.integers(1, len(appearing)))
        listed += [names[time] for time in appearing[:count]]
        appearing = appearing[count:]
        progress = PrefixProgress(prefix, timedelta(minutes=look_back), offset)
        after = progress.after
        for name in sorted(name for name in listed if name > after):
            if not progress.is_done(name):
                read.append(name)
                progress.add(name)
                offset = progress.offset
        assert len(offset.split()) <= look_back + 3
    assert sorted(read) == sorted(names.values())


def test_counts_of_a_day_are_kept() -> None:
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/"
    prefix = ListingPrefix("bucket", folder, folder, "events", ACCOUNT, REGION)
    progress = PrefixProgress(prefix, timedelta(hours=1))
    for day in range(10, 14):
        for hour in range(24):
            for number in range(2):
                progress.add(key(f"202603{day}T{hour:02}30", number))
    counts = progress.offset.split("\n")[2].split(",")
    assert (len(counts), counts[0], counts[-1]) == (24, "20260312T22:2", "20260313T21:2")
    assert PrefixProgress(prefix, timedelta(hours=1), progress.offset).offset == progress.offset


@pytest.mark.parametrize(
    ("code", "method", "text"),
    [
        ("NoSuchBucket", "list_objects_v2", "is the bucket's name right?"),
        ("AccessDenied", "list_objects_v2", "(s3:ListBucket): .*the credentials lack the permission"),
        ("PermanentRedirect", "list_objects_v2", "set `region`"),
        ("ExpiredToken", "list_objects_v2", "the credentials have expired"),
        ("AccessDenied", "get_object", "(s3:GetObject): .*the credentials lack the permission"),
    ],
)
def test_a_check_says_what_was_answered_and_what_to_do(code: str, method: str, text: str, moto: Moto) -> None:
    source = open_bucket(moto, moto.bucket(trail(minutes(1))))
    client = source._listings[0].client

    def refuse(**_: Any) -> Any:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": code, "Message": "no"}}, method)

    client.meta.events.register(
        f"before-call.s3.{'ListObjectsV2' if method[0] == 'l' else 'GetObject'}", refuse
    )
    with pytest.raises(SourceError, match=text.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        source.check()


def test_a_check_says_what_is_there(moto: Moto) -> None:
    bucket = moto.bucket(
        trail([*minutes(1), *minutes(1, region="eu-west-1"), *minutes(1, account="444455556666")])
    )
    assert open_bucket(moto, bucket).check() == f"{bucket.url}/: 2 accounts, 2 regions"
    assert open_bucket(moto, moto.bucket()).check().endswith("/: 0 folders, no object yet")


def test_a_bucket_that_is_not_there_ends_a_replay_at_once(moto: Moto) -> None:
    source = open_source(
        Config(url="s3://not-there-at-all", poll_interval=0, endpoint_url=moto.url, region="us-east-1"),
        RunContext(),
    )
    source.start({})
    with pytest.raises(SourceError, match=r"s3://not-there-at-all/ cannot be listed: .*NoSuchBucket"):
        rest(source)


def test_a_role_is_assumed_with_its_external_id(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(1)))
    source = open_bucket(
        moto, bucket, role_arn="arn:aws:iam::111122223333:role/audit", external_id="trailsieve-42"
    )
    credentials = source._listings[0].client._request_signer._credentials
    source.start({})
    assert len(rest(source)) == 1
    assert credentials.method == "assume-role"
    assert credentials.get_frozen_credentials().access_key != "testing"


def test_a_profile_gives_the_credentials(moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(
        "[profile audit]\naws_access_key_id = of-audit\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    source = open_bucket(moto, moto.bucket(trail(minutes(1))), profile="audit")
    assert source._listings[0].client._request_signer._credentials.access_key == "of-audit"
    source.start({})
    assert len(rest(source)) == 1


def test_kills_lose_nothing(moto: Moto, root: Path, tmp_path: Path) -> None:
    """Killed at random moments, the service ends with exactly the alerts of the archive."""
    bucket = moto.bucket()
    config = (
        f'[source]\nkind = "s3"\nurl = "{bucket.url}"\nendpoint_url = "{moto.url}"\n'
        "poll_interval = 0.2\nthreads = 1\nlook_back = 86400\n"
    )
    service = Service(tmp_path, config, {})
    objects = list(archive(root / "samples/archive").items())
    wanted = expected(root / "samples/archive")
    random = Random(5)
    random.shuffle(objects)  # late ones among them
    for number in range(KILLS):
        bucket.fill(dict(objects[number::KILLS]))
        service.killed_at_random(random)
    service.started()
    until(lambda: set(service.alerts) >= set(wanted), "all alerts came")
    assert service.stop() == 0
    add_row("s3", KILLS, SAMPLE_RECORDS, wanted, service.alerts)
