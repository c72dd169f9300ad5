"""What a call touched: the names in its request, its response, or its list of resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trailsieve import arn, jsontext
from trailsieve.model import Target
from trailsieve.trail.targets.table import Step, fields_of, well_known

MOST = 10  # targets of one kind
LONGEST = 1024  # characters of a name: the longest key of an S3 object
_ON = " on resource: "
_LARGEST = 10**20  # numbers beyond are not ids
_FIRST = 100  # fields of an unknown request that are looked at

# Kinds of the types in `resources`, and of the services whose ARNs have no type.
_TYPES = {
    "AWS::KMS::Key": "KMS key",
    "AWS::Lambda::Function": "function",
    "AWS::RDS::DBInstance": "DB instance",
    "AWS::RDS::DBCluster": "DB cluster",
    "AWS::SecretsManager::Secret": "secret",
}
_SERVICES = {"s3": "bucket", "sns": "topic", "sqs": "queue"}


def targets_of(
    source: object,
    name: object,
    request: Any = None,
    response: Any = None,
    resources: Any = None,
    message: Any = None,
) -> tuple[Target, ...]:
    """What a call touched, the most specific first; empty if the record does not say.

    Each value may be any JSON. At most 10 targets of a kind are listed; the last of them has the number of
    those that are left out.

    Args:
        source: the eventSource, such as `iam.amazonaws.com`.
        name: the eventName.
        request: the requestParameters.
        response: the responseElements.
        resources: the record's own list, read if the request does not name a target.
        message: the errorMessage, read last: that of a refused call names the resource.
    """
    request, response = unwrapped(request), unwrapped(response)
    found: list[Target] = []
    for kind, places in fields_of(source, name):
        for in_response, steps in places:
            names: list[str] = []
            collect(response if in_response else request, steps, names)
            if names:
                found += _targets(kind, names)
                break
    if not found:
        found = (resources and _of_resources(resources)) or _of_anything(request) or _of_message(message)
    return tuple(found)


def unwrapped(value: Any) -> Any:
    """What is inside `CreateFlowLogsRequest` and the like: EC2's newer calls record such a wrapper."""
    if value.__class__ is dict and len(value) == 1:
        name, inner = next(iter(value.items()))
        if inner.__class__ is dict and name.endswith(("Request", "Response")):
            return inner
    return value


def collect(value: Any, steps: Sequence[Step], names: list[str]) -> None:
    """Adds the texts to which the fields lead, through every item of a list on the way."""
    for place, (step, capital) in enumerate(steps):
        if value.__class__ is list:
            for item in value:
                if item.__class__ is dict:
                    collect(item, steps[place:], names)
            return
        if value.__class__ is not dict:
            return
        inner = value.get(step)
        value = value.get(capital) if inner is None else inner
    for text in value if value.__class__ is list else (value,):
        if text.__class__ is str and text:
            names.append(text)
        elif text.__class__ is int and -_LARGEST < text < _LARGEST:
            names.append(str(text))


def _targets(kind: str, names: list[str]) -> list[Target]:
    if len(names) == 1:
        return [Target(kind, clean(names[0]))]
    different = list(dict.fromkeys(names))
    found = [Target(kind, clean(name)) for name in different[:MOST]]
    if len(different) > MOST:
        found[-1] = Target(kind, found[-1].name, len(different) - MOST)
    return found


def clean(name: str) -> str:
    """A name that can be encoded, cut to 1,024 characters."""
    if len(name) > LONGEST:
        name = name[: LONGEST - 1] + "…"
    return name if name.isascii() else jsontext.encodable(name)


def _of_resources(resources: Any) -> list[Target]:
    """The targets that CloudTrail itself lists; their number is not limited there."""
    if resources.__class__ is not list:
        return []
    named: dict[str, list[str]] = {}
    for item in resources:
        if item.__class__ is not dict:
            continue
        name = item.get("ARN") or item.get("arn") or item.get("ARNPrefix")
        if name.__class__ is str and name:
            name = name[: LONGEST + 20]
            named.setdefault(_kind(item.get("type"), name), []).append(_without_prefix(name))
    return [target for kind, names in list(named.items())[:MOST] for target in _targets(kind, names)]


def _kind(type_: Any, name: str) -> str:
    """`role` of the type `AWS::IAM::Role`, or of an ARN that begins `arn:aws:iam::111122223333:role/`."""
    if type_.__class__ is str and type_.startswith("AWS::"):
        return _TYPES.get(type_) or clean(type_.rpartition("::")[2].lower()) or "resource"
    parts = arn.parse(name)
    head = parts.resource.replace(":", "/").partition("/")[0]
    service = "object" if parts.service == "s3" and "/" in parts.resource else _SERVICES.get(parts.service)
    return service or (head if head != parts.resource else "resource").replace("-", " ")


def _without_prefix(name: str) -> str:
    """An ARN, or the name of a bucket or object, as requests have them."""
    return name.partition(":::")[2] if name.startswith("arn:aws:s3:::") else name


def _of_anything(request: Any) -> list[Target]:
    """The targets of a call that the table does not have, by names that mean the same everywhere."""
    if request.__class__ is not dict:
        return []
    known = well_known()
    found: list[Target] = []
    for field in list(request)[:_FIRST]:
        kind = known.get(field)
        if kind is not None:
            names: list[str] = []
            collect(request, (Step(field, field),), names)
            found += _targets(kind, names)
    return found


def _of_message(message: Any) -> list[Target]:
    """The resource in `User: … is not authorized to perform: sts:AssumeRole on resource: arn:… because …`."""
    if message.__class__ is not str:
        return []
    words = message.partition(_ON)[2][: LONGEST + 20].split(maxsplit=1)
    name = words[0].rstrip(".,") if words else ""
    if not name.startswith("arn:") or name.endswith(("*", "/", ":")):
        return []
    return _targets(_kind(None, name), [_without_prefix(name)])
