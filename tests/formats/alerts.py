"""One alert of each kind, for the golden files, and alerts of the worst texts for properties."""

from __future__ import annotations

from hypothesis import strategies as st

from trailsieve.engine.heartbeat import heartbeat
from trailsieve.model import Alert, AlertContext, Distinct, Moment, Named, Target, Window

_RECORD = (
    b'{"eventVersion":"1.11","eventID":"92de9e90-161b-4f0b-874b-f1b5af3876fa","eventName":"ListSecrets",\n'
    b' "userIdentity":{"type":"AssumedRole"},"errorCode":"AccessDenied","resources":[1.0,1e400]}'
)
_COMMON = {
    "title": "API call denied",
    "severity": "high",
    "account": "111122223333",
    "region": "eu-west-1",
    "tags": ("cis-aws-5.0:4.1", "attack.t1580", "attack.t1078.004"),
    "references": ("https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",),
}

MATCH = Alert(
    id="0acf00a670ff7e676ecb144250bcda4a",
    rule="cis-aws-4.1",
    kind="match",
    time="2026-03-14T02:12:08Z",
    count=1,
    principal="arn:aws:sts::111122223333:assumed-role/inventory-scanner/nightly",
    source_ip="198.51.100.31",
    user_agent='evil|agent\nCEF:0|fake|x=1 "quoted" \\ <!channel> \u202egnp.exe',
    event_name="ListSecrets",
    event_source="secretsmanager.amazonaws.com",
    error_code="AccessDenied",
    summary="inventory-scanner/nightly called ListSecrets of secretsmanager.amazonaws.com: AccessDenied",
    records=(_RECORD,),
    position="s3://trail/AWSLogs/file.json.gz#7",
    **_COMMON,  # type: ignore[arg-type]
)

TOUCHED = Alert(
    id="0acf00a670ff7e676ecb144250bcda4b",
    rule="own-policy",
    kind="match",
    time="2026-03-14T02:12:09Z",
    count=1,
    principal="arn:aws:iam::111122223333:user/mia",
    source_ip="198.51.100.31",
    user_agent="aws-cli/2.15",
    event_name="AttachUserPolicy",
    event_source="iam.amazonaws.com",
    targets=(
        Target("user", "bob"),
        Target("policy", "arn:aws:iam::aws:policy/AdministratorAccess"),
        Target("instance", "i-0123456789abcdef0", 7),
    ),
    effect="allows every action on every resource",
    summary="user/mia called AttachUserPolicy of iam.amazonaws.com on user bob and 9 more",
    records=(_RECORD,),
    position="s3://trail/AWSLogs/file.json.gz#8",
    **_COMMON,  # type: ignore[arg-type]
)


def _top(*names: str) -> Distinct:
    return Distinct(len(names), tuple(Named(name, count) for count, name in enumerate(reversed(names), 1)))


ALARM = Alert(
    id="5f0c00a670ff7e676ecb144250bcda99",
    rule="denied-burst",
    kind="alarm",
    state="ALARM",
    time="2026-03-14T02:15:00Z",
    count=41,
    principal="arn:aws:iam::111122223333:role/ci-deploy",
    dimensions={"principal": "arn:aws:iam::111122223333:role/ci-deploy"},
    window=Window("2026-03-14T02:10:00Z", "2026-03-14T02:15:00Z"),
    summary="1 principal made 41 denied calls in eu-west-1 in 5 minutes",
    context=AlertContext(
        reason="Threshold Crossed: 1 datapoint was greater than or equal to the threshold (3.0).",
        value=41,
        suppressed=2,
        first=Moment(
            "2026-03-14T02:10:07Z", "ListSecrets", "arn:aws:iam::111122223333:role/ci-deploy", "198.51.100.31"
        ),
        last=Moment("2026-03-14T02:14:58Z", "ListBuckets", None, "2001:db8::7"),
        principals=_top("arn:aws:iam::111122223333:role/ci-deploy"),
        source_ips=_top("198.51.100.31", "2001:db8::7", "cloudformation.amazonaws.com"),
        event_names=_top("ListSecrets", "ListBuckets"),
        error_codes=_top("AccessDenied"),
        accounts=_top("111122223333"),
        regions=_top("eu-west-1"),
    ),
    records=(_RECORD,),
    position="s3://trail/AWSLogs/file.json.gz#7",
    **_COMMON,  # type: ignore[arg-type]
)
_OVER = {name: getattr(ALARM, name) for name in ALARM.__struct_fields__}
OVER = Alert(**{**_OVER, "id": "5f0c00a670ff7e676ecb144250bcda9a", "state": "OK", "count": 0, "records": ()})
PROVISIONAL = Alert(**{**_OVER, "count": 38, "time": "2026-03-14T02:13:20Z", "provisional": True})
CONFIRMATION = Alert(**{**_OVER, "confirms": True})
REPLACEMENT = Alert(**{**_OVER, "id": "5f0c00a670ff7e676ecb144250bcda9b", "replaces": ALARM.id})
BARE = Alert(
    id="1",
    rule="r",
    title="",
    severity="low",
    kind="match",
    time="2026-03-14T02:12:08Z",
    account=None,
    region=None,
    count=1,
)
HEARTBEAT = Alert(
    **{
        **{name: getattr(heartbeat(0), name) for name in BARE.__struct_fields__},
        "id": "2",
        "principal": "host",
        "summary": "trailsieve is alive on host",
    }
)
KINDS = {
    "match": MATCH,
    "touched": TOUCHED,
    "alarm": ALARM,
    "alarm-over": OVER,
    "provisional": PROVISIONAL,
    "confirmation": CONFIRMATION,
    "replacement": REPLACEMENT,
    "bare": BARE,
    "heartbeat": HEARTBEAT,
}

# Pieces that mean something to one format or another, and any other text that a record can carry.
_PIECES = st.sampled_from(
    [*"\n\r\t|=\\\"'<>[]{}^&;,: ", "\x00", "\x85", "\u2028", "\u202e", "\u2066", "\ufeff", "act=evil ", "\tsev=10",
     "CEF:0|a|b|c|d|e|10|", "\r\nX-Evil: 1", "<14>1 ", "<!channel>", "[x](http://e)", "🙂", "\\n", "\\=", "a" * 2000]
)  # fmt: skip
texts = st.none() | st.lists(
    _PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=8
).map("".join)
alerts = st.builds(
    lambda kind, **fields: Alert(**{**{n: getattr(kind, n) for n in kind.__struct_fields__}, **fields}),
    st.sampled_from([MATCH, ALARM, OVER, PROVISIONAL, REPLACEMENT]),
    principal=texts,
    source_ip=texts,
    user_agent=texts,
    event_name=texts,
    event_source=texts,
    error_code=texts,
    targets=st.lists(
        st.builds(
            Target, st.just("user") | texts.map(str), texts.map(lambda text: text or "bob"), st.integers(0, 9)
        ),
        max_size=3,
    ).map(tuple),
    effect=texts,
    account=texts,
    region=texts,
    time=texts | st.just("2026-03-14T02:12:08Z"),
    summary=texts.map(lambda text: text or ""),
    dimensions=st.dictionaries(texts.map(str), texts.map(str), max_size=3),
    position=texts.map(lambda text: text or ""),
)
