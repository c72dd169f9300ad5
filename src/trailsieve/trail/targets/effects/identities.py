"""Effects of calls on users, roles, keys and sessions."""

from __future__ import annotations

from trailsieve import arn
from trailsieve.trail.targets.effects.call import Call, is_on, shown, text, value
from trailsieve.trail.targets.effects.policy import account_of, allows, trusts

# Managed policies of AWS that open the most, and what their holder has:
# docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_MANAGED = {
    "AdministratorAccess": "administrator access",
    "PowerUserAccess": "access to everything but IAM",
    "IAMFullAccess": "full access to IAM",
    "AWSSSOMasterAccountAdministrator": "full access to IAM Identity Center",
    "AWSSSOMemberAccountAdministrator": "full access to IAM Identity Center",
    "AmazonS3FullAccess": "full access to S3",
    "AmazonEC2FullAccess": "full access to EC2",
    "AWSLambda_FullAccess": "full access to Lambda",
    "SecretsManagerReadWrite": "access to every secret",
    "AWSKeyManagementServicePowerUser": "wide access to KMS",
    "AmazonEKSClusterAdminPolicy": "administrator access to the cluster",
    "AmazonEKSAdminPolicy": "administrator access to the cluster",
}


def is_self(call: Call) -> bool:
    """Whether the user or role that is changed is the caller."""
    user, role = text(call.request, "userName"), text(call.request, "roleName")
    return bool(user and user == call.user) or bool(role and role == call.role)


def attached(call: Call) -> str | None:
    """The effect of attaching a managed policy."""
    policy = arn.parse(text(call.request, "policyArn") or text(call.request, "managedPolicyArn"))
    given = _MANAGED.get(policy.resource.rpartition("/")[2]) if policy.account in ("", "aws") else None
    return given and f"gives {'itself ' if is_self(call) else ''}{given}"


def policy_written(call: Call) -> str | None:
    """The effect of writing a policy document."""
    document = call.request.get("policyDocument", call.request.get("inlinePolicy"))
    given = allows(document)
    return given and f"allows {'itself ' if is_self(call) else ''}{given}"


def policy_version(call: Call) -> str | None:
    """The effect of a new version of a managed policy, which may not be the default yet."""
    given = policy_written(call)
    return given and given + (
        "" if is_on(value(call.request, "setAsDefault")) else ", once it is the default"
    )


def default_version(call: Call) -> str | None:
    """The effect of choosing the version in force."""
    version = text(call.request, "versionId")
    return f"switches to version {shown(version)} of the policy" if version else None


def trust(call: Call) -> str | None:
    """The effect of changing who may assume a role."""
    document = call.request.get("assumeRolePolicyDocument", call.request.get("policyDocument"))
    whom = trusts(document, call.account)
    return whom and f"lets {whom} assume the role"


def access_key(call: Call) -> str | None:
    """The effect of a new access key; one that was made with a key of the same user is its second."""
    user = text(call.request, "userName") or text(call.response, "accessKey", "userName")
    if text(call.identity, "type") == "Root" and not text(call.request, "userName"):
        return "makes an access key for root"
    if not call.user or (user and user != call.user):
        return f"makes an access key for {shown(user)}" if user else None
    used = text(call.identity, "accessKeyId")
    session = value(call.identity, "sessionContext") is not None
    return f"makes itself a{' second' if used.startswith('AKIA') and not session else 'n'} access key"


def access_key_status(call: Call) -> str | None:
    """The effect of switching a key on or off."""
    status = text(call.request, "status")
    return {"Active": "switches the access key on", "Inactive": "switches the access key off"}.get(status)


def login_profile(call: Call) -> str | None:
    """The effect of a new console password."""
    user = text(call.request, "userName") or text(call.response, "loginProfile", "userName")
    whom = "itself" if not user or user == call.user else shown(user)
    return f"gives {whom} a console password"


def new_password(call: Call) -> str | None:
    """The effect of changing somebody's console password."""
    user = text(call.request, "userName")
    return f"changes the console password of {shown(user)}" if user and user != call.user else None


def mfa_off(call: Call) -> str | None:
    """The effect of deactivating a user's MFA device."""
    user = text(call.request, "userName")
    return f"switches MFA off for {'itself' if user == call.user else shown(user)}" if user else None


def group_joined(call: Call) -> str | None:
    """The effect of joining a group."""
    group = text(call.request, "groupName")
    return f"joins the group {shown(group)} itself" if group and is_self(call) else None


def role_assumed(call: Call) -> str | None:
    """The effect of assuming a role; None for AWS services, which do it all the time."""
    account = account_of(text(call.request, "roleArn"))
    if text(call.identity, "type") == "AWSService" or not account:
        return None
    crosses = call.account and account != call.account
    return f"acts as the role, in account {account}" if crosses else "acts as the role from here on"


def root_assumed(call: Call) -> str | None:
    """The effect of assuming the root of a member account."""
    account = account_of(text(call.request, "targetPrincipal"))
    return f"acts as root of account {account}" if account else None


def console_login(call: Call) -> str | None:
    """The effect of a successful sign-in. AWS does not know whether an identity provider checked MFA."""
    if text(call.response, "ConsoleLogin") != "Success":
        return None
    without = " without MFA" if text(call.additional, "MFAUsed").lower() == "no" else ""
    kind = text(call.identity, "type")
    if kind == "Root":
        return f"signs in as root{without}"
    return f"signs in{without}" if kind == "IAMUser" and without else None


def role_switched(call: Call) -> str | None:
    """The effect of switching roles in the console."""
    role = text(call.additional, "SwitchTo")
    return f"acts as role {shown(role)}" if role and text(call.response, "SwitchRole") == "Success" else None


def assignment(call: Call) -> str | None:
    """The effect of assigning a permission set of IAM Identity Center."""
    account = text(call.request, "targetId")
    return f"gives access to account {shown(account)}" if account else None
