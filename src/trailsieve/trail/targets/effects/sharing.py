"""Effects of calls that make data public, give it to other accounts, or take it away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trailsieve.errors import counted
from trailsieve.trail.targets.effects.call import (
    Call,
    accounts,
    is_off,
    is_on,
    items,
    listed,
    shown,
    text,
    texts,
    value,
)
from trailsieve.trail.targets.effects.policy import account_of, opens

# docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
_CANNED = {
    "public-read": "lets anyone read",
    "public-read-write": "lets anyone read and write",
    "authenticated-read": "lets any AWS account read",
}
_GROUPS = {"AllUsers": "anyone", "AuthenticatedUsers": "any AWS account"}
_PERMISSIONS = {
    "READ": "read",
    "WRITE": "write",
    "READ_ACP": "read the ACL",
    "WRITE_ACP": "change the ACL",
    "FULL_CONTROL": "do everything",
}
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm"
_KMS_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def resource_policy(*names: str) -> Callable[[Call], str | None]:
    """The effect of a resource's policy that is in the request's field of these names."""

    def effect(call: Call) -> str | None:
        whom = opens(value(call.request, *names), call.account)
        return whom and f"lets {whom}"

    return effect


def topic_attributes(call: Call) -> str | None:
    """The effect of a topic's policy."""
    if text(call.request, "attributeName") != "Policy":
        return None
    whom = opens(value(call.request, "attributeValue"), call.account)
    return whom and f"lets {whom}"


def acl(call: Call) -> str | None:
    """The effect of an ACL: a canned one, or grants to groups."""
    for name in texts(call.request, "x-amz-acl"):
        if name in _CANNED:
            return _CANNED[name]
    for grant in items(call.request, "AccessControlPolicy", "AccessControlList", "Grant"):
        group = text(grant, "Grantee", "URI").rpartition("/")[2]
        if group in _GROUPS:
            return f"lets {_GROUPS[group]} {_PERMISSIONS.get(text(grant, 'Permission'), 'in')}"
    return None


def object_written(call: Call) -> str | None:
    """The effect of an object that is made public, or encrypted with a key that the account does not have."""
    if value(call.request, _CUSTOMER_KEY):
        return "encrypts with a key that only the caller has"
    return acl(call) or _foreign_key(call, text(call.request, _KMS_KEY))


def bucket_encryption(call: Call) -> str | None:
    """The effect of changing the key with which a bucket encrypts."""
    for rule in items(call.request, "ServerSideEncryptionConfiguration", "Rule"):
        key = text(rule, "ApplyServerSideEncryptionByDefault", "KMSMasterKeyID")
        if effect := _foreign_key(call, key):
            return effect
    return None


def _foreign_key(call: Call, key: str) -> str | None:
    account = account_of(key)
    return f"encrypts with a key of account {account}" if account and account != call.account else None


def public_access_block(call: Call) -> str | None:
    """The effect of changing the settings that keep a bucket or account private."""
    settings = value(call.request, "PublicAccessBlockConfiguration")
    found = settings.values() if settings.__class__ is dict else ()
    return "no longer blocks all public access" if any(is_off(setting) for setting in found) else None


def versioning(call: Call) -> str | None:
    """The effect of switching a bucket's versioning."""
    status = text(call.request, "VersioningConfiguration", "Status")
    return "no longer keeps old versions" if status == "Suspended" else None


def lifecycle(call: Call) -> str | None:
    """The effect of rules that delete objects."""
    rules = items(call.request, "LifecycleConfiguration", "Rule")
    days = [_days(value(rule, "Expiration", "Days")) for rule in rules]
    least = min((number for number in days if number), default=None)
    return f"deletes objects after {counted(least, 'day')}" if least else None


def replication(call: Call) -> str | None:
    """The effect of replicating objects to other buckets."""
    rules = items(call.request, "ReplicationConfiguration", "Rule")
    buckets = [name for rule in rules if (name := text(rule, "Destination", "Bucket"))]
    return f"copies new objects to {listed(buckets)}" if buckets else None


def bucket_logging(call: Call) -> str | None:
    """The effect of changing a bucket's access log."""
    status = value(call.request, "BucketLoggingStatus")
    on = status.__class__ is dict and "LoggingEnabled" in status
    return None if on or status is None else "no longer logs who reads the bucket"


def permission(kind: str, *names: str) -> Callable[[Call], str | None]:
    """The effect of adding accounts to a snapshot or image, in the request's field of these names."""

    def effect(call: Call) -> str | None:
        added = items(call.request, *names, "add")
        if any(text(item, "group") == "all" for item in added):
            return f"makes the {kind} public"
        found = [name for item in added if (name := text(item, "userId")) and name != call.account]
        if found:
            return f"shares the {kind} with {accounts(found)}"
        wider = [name for item in added for name in (text(item, "organizationArn"),) if name]
        return f"shares the {kind} with {listed(wider)}" if wider else None

    return effect


def shared(kind: str, field: str) -> Callable[[Call], str | None]:
    """The effect of account numbers, or `all`, in a field of the request."""

    def effect(call: Call) -> str | None:
        added = [name for name in texts(call.request, field) if name != call.account]
        if "all" in (name.lower() for name in added):
            return f"makes the {kind} public"
        return f"shares the {kind} with {accounts(added)}" if added else None

    return effect


def function_permission(call: Call) -> str | None:
    """The effect of changing who may call a function or use a layer."""
    principal = text(call.request, "principal")
    action = "use the layer" if "layerName" in call.request else "invoke the function"
    if principal == "*":
        return f"lets anyone {action}"
    account = account_of(principal)
    return f"lets account {account} {action}" if account and account != call.account else None


def function_url(call: Call) -> str | None:
    """The effect of a function's URL."""
    return "lets anyone call the function by its URL" if text(call.request, "authType") == "NONE" else None


def key_deletion(call: Call) -> str | None:
    """The effect of a key that is going to be deleted; KMS waits 30 days by default."""
    days = _days(value(call.request, "pendingWindowInDays")) or 30
    return f"deletes the key in {counted(days, 'day')}, and with it all data under it"


def grant(call: Call) -> str | None:
    """The effect of a grant on a key that a person made: AWS services make many."""
    grantee = text(call.request, "granteePrincipal")
    if (
        not grantee
        or text(call.identity, "invokedBy")
        or "amazonaws.com" in grantee
        or ":aws:ec2-" in grantee
    ):
        return None
    account = account_of(grantee)
    outside = f" of account {account}" if account and account != call.account else ""
    operations = texts(call.request, "operations")
    return f"lets {shown(grantee)}{outside} use the key" + (
        f" for {listed(operations)}" if operations else ""
    )


def secret_deletion(call: Call) -> str | None:
    """The effect of a deleted secret."""
    if is_on(value(call.request, "forceDeleteWithoutRecovery")):
        return "deletes the secret immediately, without recovery"
    days = _days(value(call.request, "recoveryWindowInDays"))
    return f"deletes the secret in {counted(days, 'day')}" if days else None


def database_made(call: Call) -> str | None:
    """The effect of a new database."""
    public = is_on(value(call.request, "publiclyAccessible"))
    return "makes the database reachable from the internet" if public else None


def database_modified(call: Call) -> str | None:
    """The effect of a changed database."""
    if effect := database_made(call):
        return effect
    if value(call.request, "masterUserPassword") is not None:
        return "changes the master password"
    return (
        "lifts the protection against deletion" if is_off(value(call.request, "deletionProtection")) else None
    )


def database_deletion(call: Call) -> str | None:
    """The effect of a deleted database."""
    skipped = is_on(value(call.request, "skipFinalSnapshot"))
    return "deletes the database without a last snapshot" if skipped else None


def cluster(call: Call) -> str | None:
    """The effect of a Kubernetes cluster's endpoint."""
    public = is_on(value(call.request, "resourcesVpcConfig", "endpointPublicAccess"))
    return "opens the cluster's API to the internet" if public else None


def subscription(call: Call) -> str | None:
    """The effect of a topic's new subscriber."""
    endpoint = text(call.request, "endpoint")
    return f"sends the topic's messages to {shown(endpoint)}" if endpoint else None


def _days(found: Any) -> int | None:
    if found.__class__ is str and found.isascii() and found.isdigit() and len(found) < 6:
        found = int(found)
    return found if found.__class__ is int and 0 < found < 100_000 else None
