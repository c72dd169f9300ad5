"""What a successful call brought about, in one clause, for the calls where that matters."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from trailsieve import jsontext
from trailsieve.errors import shorten
from trailsieve.trail.catalogue.calls import DOMAIN, plain
from trailsieve.trail.targets.effects import identities, monitoring, network, sharing
from trailsieve.trail.targets.effects.call import Call
from trailsieve.trail.targets.find import unwrapped

_LONGEST = 200  # characters
_IMAGE = sharing.permission("image", "launchPermission")
_SNAPSHOT = sharing.permission("snapshot", "createVolumePermission")
_DB_SNAPSHOT = sharing.shared("snapshot", "valuesToAdd")
_Effect = Callable[[Call], str | None]
_BY_REQUEST: dict[str, dict[str, _Effect]] = {
    "iam": {
        "AttachUserPolicy": identities.attached,
        "AttachRolePolicy": identities.attached,
        "AttachGroupPolicy": identities.attached,
        "PutUserPolicy": identities.policy_written,
        "PutRolePolicy": identities.policy_written,
        "PutGroupPolicy": identities.policy_written,
        "CreatePolicy": identities.policy_written,
        "CreatePolicyVersion": identities.policy_version,
        "SetDefaultPolicyVersion": identities.default_version,
        "CreateRole": identities.trust,
        "UpdateAssumeRolePolicy": identities.trust,
        "CreateAccessKey": identities.access_key,
        "UpdateAccessKey": identities.access_key_status,
        "CreateLoginProfile": identities.login_profile,
        "UpdateLoginProfile": identities.new_password,
        "DeactivateMFADevice": identities.mfa_off,
        "AddUserToGroup": identities.group_joined,
    },
    "sts": {
        "AssumeRole": identities.role_assumed,
        "AssumeRoleWithSAML": identities.role_assumed,
        "AssumeRoleWithWebIdentity": identities.role_assumed,
        "AssumeRoot": identities.root_assumed,
    },
    "signin": {"ConsoleLogin": identities.console_login, "SwitchRole": identities.role_switched},
    "sso": {
        "CreateAccountAssignment": identities.assignment,
        "AttachManagedPolicyToPermissionSet": identities.attached,
        "PutInlinePolicyToPermissionSet": identities.policy_written,
    },
    "eks": {
        "AssociateAccessPolicy": identities.attached,
        "CreateCluster": sharing.cluster,
        "UpdateClusterConfig": sharing.cluster,
    },
    "ec2": {
        "AuthorizeSecurityGroupIngress": network.ingress,
        "AuthorizeSecurityGroupEgress": network.egress,
        "ModifySecurityGroupRules": network.rule_modified,
        "CreateNetworkAclEntry": network.acl_entry,
        "ReplaceNetworkAclEntry": network.acl_entry,
        "CreateRoute": network.route,
        "ReplaceRoute": network.route,
        "CreateVpcPeeringConnection": network.peering,
        "RunInstances": network.instances,
        "ModifyInstanceAttribute": network.instance_modified,
        "ModifyInstanceMetadataOptions": network.metadata_options,
        "AssociateIamInstanceProfile": network.instance_profile,
        "ReplaceIamInstanceProfileAssociation": network.instance_profile,
        "ModifyImageAttribute": _IMAGE,
        "ModifySnapshotAttribute": _SNAPSHOT,
    },
    "s3": {
        "CreateBucket": sharing.acl,
        "PutBucketAcl": sharing.acl,
        "PutObjectAcl": sharing.acl,
        "PutObject": sharing.object_written,
        "CopyObject": sharing.object_written,
        "CreateMultipartUpload": sharing.object_written,
        "PutBucketPolicy": sharing.resource_policy("bucketPolicy"),
        "PutBucketEncryption": sharing.bucket_encryption,
        "PutBucketPublicAccessBlock": sharing.public_access_block,
        "PutAccountPublicAccessBlock": sharing.public_access_block,
        "PutPublicAccessBlock": sharing.public_access_block,
        "PutBucketVersioning": sharing.versioning,
        "PutBucketLifecycle": sharing.lifecycle,
        "PutBucketLifecycleConfiguration": sharing.lifecycle,
        "PutBucketReplication": sharing.replication,
        "PutBucketLogging": sharing.bucket_logging,
    },
    "kms": {
        "ScheduleKeyDeletion": sharing.key_deletion,
        "PutKeyPolicy": sharing.resource_policy("policy"),
        "CreateKey": sharing.resource_policy("policy"),
        "CreateGrant": sharing.grant,
    },
    "lambda": {
        "AddPermission": sharing.function_permission,
        "AddLayerVersionPermission": sharing.function_permission,
        "CreateFunctionUrlConfig": sharing.function_url,
        "UpdateFunctionUrlConfig": sharing.function_url,
    },
    "rds": {
        "CreateDBInstance": sharing.database_made,
        "ModifyDBInstance": sharing.database_modified,
        "ModifyDBCluster": sharing.database_modified,
        "DeleteDBInstance": sharing.database_deletion,
        "DeleteDBCluster": sharing.database_deletion,
        "ModifyDBSnapshotAttribute": _DB_SNAPSHOT,
        "ModifyDBClusterSnapshotAttribute": _DB_SNAPSHOT,
    },
    "redshift": {"AuthorizeSnapshotAccess": sharing.shared("snapshot", "accountWithRestoreAccess")},
    "ram": {"CreateResourceShare": sharing.shared("resource", "principals")},
    "secretsmanager": {
        "DeleteSecret": sharing.secret_deletion,
        "PutResourcePolicy": sharing.resource_policy("resourcePolicy"),
    },
    "ssm": {
        "SendCommand": network.command,
        "ModifyDocumentPermission": sharing.shared("document", "accountIdsToAdd"),
    },
    "sns": {"SetTopicAttributes": sharing.topic_attributes, "Subscribe": sharing.subscription},
    "sqs": {"SetQueueAttributes": sharing.resource_policy("attributes", "policy")},
    "ecr": {"SetRepositoryPolicy": sharing.resource_policy("policyText")},
    "dynamodb": {
        "PutResourcePolicy": sharing.resource_policy("policy"),
        "UpdateContinuousBackups": monitoring.backups,
    },
    "cloudtrail": {"UpdateTrail": monitoring.trail_updated, "PutEventSelectors": monitoring.event_selectors},
    "logs": {"PutRetentionPolicy": monitoring.retention},
    "guardduty": {
        "UpdateDetector": monitoring.detector,
        "CreateFilter": monitoring.findings_filter,
        "UpdateFilter": monitoring.findings_filter,
    },
    "securityhub": {"UpdateStandardsControl": monitoring.security_control},
}
_NOTHING: dict[str, Any] = {}


def effect_of(
    source: object,
    name: object,
    request: Any = None,
    response: Any = None,
    *,
    identity: Any = None,
    additional: Any = None,
    error: object = None,
) -> str | None:
    """What the call brought about, such as "opens port 22 to 0.0.0.0/0"; None where nothing stands out.

    Each value may be any JSON.

    Args:
        source: the eventSource.
        name: the eventName.
        request: the requestParameters.
        response: the responseElements.
        identity: the userIdentity: who did it, in which account.
        additional: the additionalEventData.
        error: the errorCode; a call that failed has no effect.
    """
    if error or source.__class__ is not str or name.__class__ is not str:
        return None
    source, name = str(source), str(name)
    if name[-1:].isdigit():
        name = plain(name[:100])
    effect = _effects().get(source, _NOTHING).get(name)
    if effect is None or effect.__class__ is str:
        return effect
    found = effect(Call(*map(_object, (unwrapped(request), unwrapped(response), identity, additional))))
    return found and shorten(found if found.isascii() else jsontext.encodable(found), _LONGEST)


@lru_cache(maxsize=1)
def _effects() -> dict[str, dict[str, Any]]:
    """By source and call, the effect whatever the request says, or what finds it in the request."""
    always = tomllib.loads(Path(__file__).with_name("always.toml").read_text("utf-8"))
    sources = {**_BY_REQUEST, **always}
    return {f"{one}{DOMAIN}": {**_BY_REQUEST.get(one, {}), **always.get(one, {})} for one in sources}


def _object(content: Any) -> dict[str, Any]:
    return content if content.__class__ is dict else _NOTHING
