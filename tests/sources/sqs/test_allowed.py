"""A message may name any object: only those of allowed buckets and of CloudTrail's layout are fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import denied
from tests.servers.moto import ENVIRONMENT, Bucket, Moto, Queue, s3_notification
from tests.servers.patience import until
from tests.sources.reading import read, reader_of
from tests.sources.service import Service
from tests.sources.trail_buckets import minutes, trail
from trailsieve.errors import SourceError
from trailsieve.ports import RunContext
from trailsieve.sources.sqs.allowed import AllowedObjects, buckets_in
from trailsieve.sources.sqs.source import Config, SqsSource, open_source
from trailsieve.trail.envelope_contents import ObjectName

KEY = minutes(1)[0]


def allowing(condition: Any, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": "sqs:SendMessage", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


POLICIES = {
    "": [],
    "{}": [],
    allowing({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:my-trail"}}): ["my-trail"],
    allowing({"ArnEquals": {"AWS:SourceArn": ["arn:aws:s3:::b", "arn:aws-cn:s3:::a"]}}): ["a", "b"],
    allowing({"StringEquals": {"aws:SourceAccount": "111122223333"}}): [],
    allowing({"ArnLike": {"aws:SourceArn": ["arn:aws:s3:::*", "arn:aws:s3:::team-*", "*"]}}): [],
    allowing({"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:trail"}}): [],
    allowing({"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::b"}}): [],
    allowing({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}}, "Deny"): [],
    json.dumps({"Statement": {"Effect": "Allow"}}): [],
}


@pytest.mark.parametrize(("policy", "buckets"), POLICIES.items())
def test_a_policy_names_buckets(policy: str, buckets: list[str]) -> None:
    assert buckets_in(policy) == buckets


@pytest.mark.parametrize(
    ("buckets", "any_key", "bucket", "name", "refused"),
    [
        (("trail",), False, "trail", KEY, ""),
        (("other", "trail"), False, "trail", f"team/{KEY}", ""),
        (("trail",), False, "trail2", KEY, "in none of the allowed buckets (trail)"),
        (("trail/team/",), False, "trail", f"team/{KEY}", ""),
        (("trail/team/",), False, "trail", KEY, "in none of the allowed buckets (trail/team/)"),
        (("trail",), False, "trail", "uploads/forged.json", "not a key of CloudTrail"),
        (("trail",), True, "trail", "uploads/forged.json", ""),
    ],
)
def test_an_object_is_allowed_by_its_bucket_and_key(
    buckets: tuple[str, ...], any_key: bool, bucket: str, name: str, refused: str
) -> None:
    reason = AllowedObjects(buckets, any_key).reason_to_refuse(ObjectName(bucket, name))
    assert refused in reason
    assert bool(reason) == bool(refused)


@pytest.fixture
def sources() -> Iterator[list[SqsSource]]:
    made: list[SqsSource] = []
    yield made
    for source in made:
        source.close()


def opened(sources: list[SqsSource], moto: Moto, queue: Queue, **more: Any) -> SqsSource:
    config = Config(queue_url=queue.url, endpoint_url=moto.url, region="us-east-1", **more)
    sources.append(open_source(config, RunContext()))
    sources[-1].start({})
    return sources[-1]


def polled(source: SqsSource) -> tuple[str, bytes]:
    """The problem and the payload of the next message."""
    found: list[tuple[str, bytes]] = []

    def came() -> bool:
        found.extend((message.problem, message.payload) for message in read(source, source.poll()))
        return bool(found)

    until(came, "a message came")
    return found[0]


def test_the_queues_policy_says_whose_objects_are_read(moto: Moto, sources: list[SqsSource]) -> None:
    ours, theirs, queue = moto.bucket(trail(minutes(1))), moto.bucket(trail(minutes(1))), moto.queue()
    with pytest.raises(SourceError, match=r'set `buckets`, such as \["my-trail"\]: .* aws:SourceArn'):
        opened(sources, moto, queue).poll()
    with pytest.raises(SourceError, match="set `buckets`"):
        opened(sources, moto, queue).check()
    policy = allowing({"ArnLike": {"aws:SourceArn": f"arn:aws:s3:*:*:{ours.name}"}})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})
    source = opened(sources, moto, queue)
    queue.tell(theirs, minutes(1))
    problem, payload = polled(source)
    assert problem == f"refused: {theirs.url}/{KEY} is in none of the allowed buckets ({ours.name})"
    assert payload.decode() == s3_notification(theirs.name, KEY)
    queue.tell(ours, minutes(1))
    assert polled(source)[0] == ""


def test_s3_is_told_who_must_own_the_bucket(moto: Moto, sources: list[SqsSource]) -> None:
    bucket, queue = moto.bucket(trail(minutes(1))), moto.queue()
    source = opened(sources, moto, queue, buckets=(bucket.name,), bucket_owner="999999999999")
    asked: list[Any] = []
    events = reader_of(source)._getter._client.meta.events  # type: ignore[attr-defined]
    events.register("provide-client-params.s3.GetObject", lambda params, **_: asked.append(params))
    queue.tell(bucket, minutes(1))
    polled(source)
    assert [request["ExpectedBucketOwner"] for request in asked] == ["999999999999"]


def test_a_service_letters_and_counts_what_it_refuses(moto: Moto, tmp_path: Path) -> None:
    """A forged file in another bucket, and one outside the layout, raise nothing and are not copied."""
    forged = json.dumps({"Records": [denied(1, eventVersion="1.08")]}).encode()
    ours, queue = moto.bucket({KEY: forged.replace(b"1.08", b"1.09"), "up/loads.json": forged}), moto.queue()
    theirs = moto.bucket({KEY: forged})
    source = f'[source]\nkind = "sqs"\nqueue_url = "{queue.url}"\nendpoint_url = "{moto.url}"\n'
    service = Service(tmp_path, source, ENVIRONMENT)
    service.start()
    assert service.process
    assert service.process.wait(120) == 3
    assert "set `buckets`" in service.said
    service = Service(tmp_path, f'{source}buckets = ["{ours.name}"]\n', ENVIRONMENT)
    queue.tell(theirs, [KEY])
    queue.tell(ours, ["up/loads.json", KEY])
    service.started()
    until(lambda: queue.counts() == (0, 0), "the queue was empty")
    assert service.stop() == 0
    assert len(service.alerts) == 1
    letters = {letter["object"]: letter for letter in service.dead_letters}
    assert set(letters) == {f"{theirs.url}/{KEY}", f"{ours.url}/up/loads.json"}
    assert all(letter["reason"].startswith("refused: ") for letter in letters.values())
    assert "AccessDenied" not in json.dumps(list(letters.values()))
    assert "2 unreadable" in service.said


def test_owners_of_listed_buckets_are_verified_too(moto: Moto) -> None:
    from trailsieve.sources.s3.source import Config as S3Config
    from trailsieve.sources.s3.source import open_source as open_bucket

    bucket: Bucket = moto.bucket(trail(minutes(1)))
    config = S3Config(
        url=bucket.url,
        poll_interval=0,
        endpoint_url=moto.url,
        region="us-east-1",
        bucket_owner="999999999999",
    )
    source = open_bucket(config, RunContext())
    asked: list[Any] = []
    for operation in ("ListObjectsV2", "GetObject"):
        source._listings[0].client.meta.events.register(
            f"provide-client-params.s3.{operation}", lambda params, **_: asked.append(params)
        )
    source.start({})
    until(lambda: bool([message for message in source.poll() if not message.marker]), "the object came")
    source.close()
    assert {request["ExpectedBucketOwner"] for request in asked} == {"999999999999"}
