"""Requests as CloudTrail records them, what they touched, and what they brought about."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from trailsieve import arn
from trailsieve.trail.targets import effect_of, targets_of

OWN, OTHER = "111122223333", "999988887777"
MIA: dict[str, Any] = {
    "type": "IAMUser",
    "userName": "mia",
    "accountId": OWN,
    "accessKeyId": "AKIAEXAMPLEMIA000001",
}
ROOT: dict[str, Any] = {"type": "Root", "accountId": OWN, "arn": f"arn:aws:iam::{OWN}:root"}
ROLE: dict[str, Any] = {
    "type": "AssumedRole",
    "accountId": OWN,
    "accessKeyId": "ASIAEXAMPLE000000001",
    "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "ci-deploy"}},
}
SERVICE: dict[str, Any] = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


STAR = document(Action="*", Resource="*")


def permissions(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"groupId": "sg-1", "ipPermissions": {"items": list(rules)}}


def tcp(port: int, *ranges: str, to: int = 0) -> dict[str, Any]:
    return {
        "ipProtocol": "tcp",
        "fromPort": port,
        "toPort": to or port,
        "groups": {},
        "ipRanges": {"items": [{"cidrIp": name} for name in ranges if ":" not in name]},
        "ipv6Ranges": {"items": [{"cidrIpv6": name} for name in ranges if ":" in name]},
    }


# Event source, call, request, response, targets, effect; by mia unless a seventh column says who.
ROWS: list[tuple[Any, ...]] = [
    ("iam", "CreateUser", {"userName": "bob"}, {"user": {"userName": "bob"}}, "user bob", None),
    ("iam", "AttachUserPolicy", {"userName": "bob", "policyArn": ADMIN}, None,
     f"user bob, policy {ADMIN}", "gives administrator access"),
    ("iam", "AttachUserPolicy", {"userName": "mia", "policyArn": ADMIN}, None,
     f"user mia, policy {ADMIN}", "gives itself administrator access"),
    ("iam", "AttachRolePolicy", {"roleName": "ci-deploy", "policyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}, None,
     "role ci-deploy, policy arn:aws:iam::aws:policy/PowerUserAccess", "gives itself access to everything but IAM", ROLE),
    ("iam", "AttachRolePolicy", {"roleName": "x", "policyArn": f"arn:aws:iam::{OWN}:policy/AdministratorAccess"}, None,
     f"role x, policy arn:aws:iam::{OWN}:policy/AdministratorAccess", None),
    ("iam", "PutUserPolicy", {"userName": "mia", "policyName": "p", "policyDocument": STAR}, None,
     "user mia, policy p", "allows itself every action on every resource"),
    ("iam", "PutUserPolicy", {"userName": "bob", "policyName": "p", "policyDocument": quote(STAR)}, None,
     "user bob, policy p", "allows every action on every resource"),
    ("iam", "PutRolePolicy", {"roleName": "x", "policyName": "p",
     "policyDocument": document(Action=["s3:*", "kms:Decrypt"], Resource=["*"])}, None,
     "role x, policy p", "allows every action of s3 on every resource"),
    ("iam", "PutGroupPolicy", {"groupName": "ops", "policyName": "p",
     "policyDocument": document(NotAction="iam:*", Resource="*")}, None,
     "group ops, policy p", "allows every action but iam:* on every resource"),
    ("iam", "PutRolePolicy", {"roleName": "x", "policyName": "p",
     "policyDocument": document(Action="iam:PassRole", Resource="*")}, None,
     "role x, policy p", "allows iam:PassRole on every resource"),
    ("iam", "PutRolePolicy", {"roleName": "x", "policyName": "p",
     "policyDocument": document(Action="s3:GetObject", Resource="arn:aws:s3:::a/*")}, None, "role x, policy p", None),
    ("iam", "CreatePolicy", {"policyName": "p", "policyDocument": document(Action="*", Resource="arn:aws:s3:::a")},
     {"policy": {"arn": f"arn:aws:iam::{OWN}:policy/p"}}, f"policy arn:aws:iam::{OWN}:policy/p",
     "allows every action on a"),
    ("iam", "CreatePolicyVersion", {"policyArn": f"arn:aws:iam::{OWN}:policy/p", "policyDocument": STAR,
     "setAsDefault": True}, None, f"policy arn:aws:iam::{OWN}:policy/p", "allows every action on every resource"),
    ("iam", "CreatePolicyVersion", {"policyArn": "p", "policyDocument": STAR, "setAsDefault": False}, None,
     "policy p", "allows every action on every resource, once it is the default"),
    ("iam", "SetDefaultPolicyVersion", {"policyArn": "p", "versionId": "v2"}, None,
     "policy p", "switches to version v2 of the policy"),
    ("iam", "CreateAccessKey", None, {"accessKey": {"accessKeyId": "AKIAEXAMPLENEW000001", "userName": "mia"}},
     "access key AKIAEXAMPLENEW000001, user mia", "makes itself a second access key"),
    ("iam", "CreateAccessKey", {"userName": "mia"}, {"accessKey": {"accessKeyId": "AKIA2", "userName": "mia"}},
     "access key AKIA2, user mia", "makes itself an access key",
     {**MIA, "accessKeyId": "ASIAEXAMPLE000000002", "sessionContext": {"attributes": {}}}),
    ("iam", "CreateAccessKey", {"userName": "bob"}, {"accessKey": {"accessKeyId": "AKIA2", "userName": "bob"}},
     "access key AKIA2, user bob", "makes an access key for bob"),
    ("iam", "CreateAccessKey", None, {"accessKey": {"accessKeyId": "AKIA2"}}, "access key AKIA2",
     "makes an access key for root", ROOT),
    ("iam", "UpdateAccessKey", {"userName": "bob", "accessKeyId": "AKIA2", "status": "Inactive"}, None,
     "access key AKIA2, user bob", "switches the access key off"),
    ("iam", "CreateLoginProfile", {"userName": "bob", "passwordResetRequired": False}, None, "user bob",
     "gives bob a console password"),
    ("iam", "UpdateLoginProfile", {"userName": "bob"}, None, "user bob", "changes the console password of bob"),
    ("iam", "DeactivateMFADevice", {"userName": "bob", "serialNumber": f"arn:aws:iam::{OWN}:mfa/bob"}, None,
     f"user bob, MFA device arn:aws:iam::{OWN}:mfa/bob", "switches MFA off for bob"),
    ("iam", "AddUserToGroup", {"userName": "mia", "groupName": "admins"}, None, "user mia, group admins",
     "joins the group admins itself"),
    ("iam", "CreateRole", {"roleName": "x", "assumeRolePolicyDocument":
     document(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})}, None, "role x",
     f"lets account {OTHER} assume the role"),
    ("iam", "CreateRole", {"roleName": "x", "assumeRolePolicyDocument":
     document(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})}, None, "role x", None),
    ("iam", "UpdateAssumeRolePolicy", {"roleName": "x", "policyDocument":
     document(Action="sts:AssumeRole", Principal={"AWS": ["*", OTHER]})}, None, "role x",
     "lets anyone assume the role"),
    ("iam", "UpdateAssumeRolePolicy", {"roleName": "x", "policyDocument": document(
     Action="sts:AssumeRoleWithWebIdentity", Condition={"StringLike": {"a": "b"}},
     Principal={"Federated": f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"})}, None, "role x",
     "lets identities of token.actions.githubusercontent.com, under conditions, assume the role"),
    ("iam", "UpdateAssumeRolePolicy", {"roleName": "x", "policyDocument":
     document(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{OWN}:user/bob"})}, None, "role x", None),
    ("iam", "CreateInstanceProfile", {"instanceProfileName": "ip"}, None, "instance profile ip", None),
    ("iam", "DeleteRolePermissionsBoundary", {"roleName": "x"}, None, "role x", "lifts the limit of what the role may do"),
    ("sts", "AssumeRole", {"roleArn": f"arn:aws:iam::{OTHER}:role/x", "roleSessionName": "s"}, {"credentials":
     {"accessKeyId": "ASIA3"}}, f"role arn:aws:iam::{OTHER}:role/x", f"acts as the role, in account {OTHER}"),
    ("sts", "AssumeRole", {"roleArn": f"arn:aws:iam::{OWN}:role/x"}, None, f"role arn:aws:iam::{OWN}:role/x", None, SERVICE),
    ("ec2", "RunInstances", {"instancesSet": {"items": [{"imageId": "ami-1", "minCount": 2}]}, "instanceType": "p3.16xlarge",
     "userData": "<sensitiveDataRemoved>"}, {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}},
     "instance i-1, instance i-2, image ami-1", "starts 2 p3.16xlarge instances, with a script in user data"),
    ("ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-1"}]}}, None, "instance i-1", None),
    ("ec2", "AuthorizeSecurityGroupIngress", permissions(tcp(22, "0.0.0.0/0")), None,
     "security group sg-1, address range 0.0.0.0/0", "opens port 22 to 0.0.0.0/0"),
    ("ec2", "AuthorizeSecurityGroupIngress", permissions(tcp(22, "10.0.0.0/8"), tcp(3389, "::/0"), tcp(80, "::/0")), None,
     "security group sg-1, address range 10.0.0.0/8, IPv6 range ::/0", "opens port 3389 and port 80 to ::/0"),
    ("ec2", "AuthorizeSecurityGroupIngress", {"groupId": "sg-1", "cidrIp": "0.0.0.0/0", "ipProtocol": "-1", "ipPermissions": {}},
     None, "security group sg-1, address range 0.0.0.0/0", "opens all ports to 0.0.0.0/0"),
    ("ec2", "AuthorizeSecurityGroupEgress", permissions(tcp(1, "0.0.0.0/0", to=65535)), None,
     "security group sg-1, address range 0.0.0.0/0", "opens all ports towards 0.0.0.0/0"),
    ("ec2", "ModifySecurityGroupRules", {"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule":
     {"SecurityGroupRuleId": "sgr-1", "tag": 1, "SecurityGroupRule": {"CidrIpv4": "0.0.0.0/0", "IpProtocol": "tcp",
     "FromPort": 22, "ToPort": 22}}}}, None, "security group sg-1, address range 0.0.0.0/0", "opens port 22 to 0.0.0.0/0"),
    ("ec2", "CreateNetworkAclEntry", {"networkAclId": "acl-1", "ruleNumber": 100, "egress": False, "ruleAction": "allow",
     "cidrBlock": "0.0.0.0/0", "aclProtocol": "6", "portRange": {"from": 20, "to": 25}}, None,
     "network ACL acl-1, address range 0.0.0.0/0", "opens ports 20-25 to 0.0.0.0/0"),
    ("ec2", "CreateRoute", {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}, None,
     "route table rtb-1, address range 0.0.0.0/0, gateway igw-1", "routes 0.0.0.0/0 through igw-1"),
    ("ec2", "ModifySnapshotAttribute", {"snapshotId": "snap-1", "createVolumePermission": {"add": {"items":
     [{"userId": OTHER}]}}}, None, "snapshot snap-1", f"shares the snapshot with account {OTHER}"),
    ("ec2", "ModifySnapshotAttribute", {"snapshotId": "snap-1", "createVolumePermission": {"add": {"items":
     [{"group": "all"}]}}}, None, "snapshot snap-1", "makes the snapshot public"),
    ("ec2", "ModifySnapshotAttribute", {"snapshotId": "snap-1", "createVolumePermission": {"remove": {"items":
     [{"userId": OTHER}]}}}, None, "snapshot snap-1", None),
    ("ec2", "ModifyImageAttribute", {"imageId": "ami-1", "launchPermission": {"add": {"items":
     [{"userId": OTHER}, {"userId": "444455556666"}]}}}, None, "image ami-1",
     f"shares the image with accounts {OTHER} and 444455556666"),
    ("ec2", "ModifyInstanceAttribute", {"instanceId": "i-1", "userData": "<sensitiveDataRemoved>"}, None, "instance i-1",
     "changes the script that the instance runs at its start (user data)"),
    ("ec2", "CreateFlowLogs", {"CreateFlowLogsRequest": {"ResourceId": {"tag": 1, "content": "vpc-1"}}},
     {"CreateFlowLogsResponse": {"flowLogIdSet": {"item": "fl-1"}}}, "flow log fl-1, resource vpc-1", None),
    ("ec2", "DeleteFlowLogs", {"DeleteFlowLogsRequest": {"FlowLogId": [{"tag": 1, "content": "fl-1"}, {"tag": 2, "content":
     "fl-2"}]}}, None, "flow log fl-1, flow log fl-2", "network traffic is no longer logged"),
    ("ec2", "AssociateIamInstanceProfile", {"AssociateIamInstanceProfileRequest": {"InstanceId": "i-1",
     "IamInstanceProfile": {"Name": "admin"}}}, None, "instance i-1, instance profile admin",
     "gives the instance the permissions of admin"),
    ("ec2", "CreateVpcPeeringConnection", {"vpcId": "vpc-1", "peerVpcId": "vpc-2", "peerOwnerId": OTHER}, None,
     f"VPC vpc-1, peer VPC vpc-2, account {OTHER}", f"connects to a VPC of account {OTHER}"),
    ("s3", "PutBucketAcl", {"bucketName": "b", "x-amz-acl": ["public-read"]}, None, "bucket b", "lets anyone read"),
    ("s3", "PutBucketAcl", {"bucketName": "b", "AccessControlPolicy": {"AccessControlList": {"Grant": [{"Grantee":
     {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "WRITE"}]}}}, None, "bucket b",
     "lets anyone write"),
    ("s3", "PutBucketPolicy", {"bucketName": "b", "bucketPolicy": json.loads(
     document(Action="s3:GetObject", Principal="*", Resource="arn:aws:s3:::b/*"))}, None, "bucket b",
     "lets anyone call s3:GetObject"),
    ("s3", "PutBucketPolicy", {"bucketName": "b", "bucketPolicy": json.loads(
     document(Action="s3:*", Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}, Resource="*"))}, None, "bucket b",
     f"lets account {OTHER} do everything"),
    ("s3", "PutBucketPublicAccessBlock", {"bucketName": "b", "PublicAccessBlockConfiguration":
     {"BlockPublicAcls": False, "RestrictPublicBuckets": True}}, None, "bucket b", "no longer blocks all public access"),
    ("s3", "PutBucketVersioning", {"bucketName": "b", "VersioningConfiguration": {"Status": "Suspended"}}, None, "bucket b",
     "no longer keeps old versions"),
    ("s3", "PutBucketLifecycle", {"bucketName": "b", "LifecycleConfiguration": {"Rule": {"Expiration": {"Days": 1}}}}, None,
     "bucket b", "deletes objects after 1 day"),
    ("s3", "CopyObject", {"bucketName": "b", "key": "k", "x-amz-server-side-encryption-customer-algorithm": "AES256"}, None,
     "bucket b, object k", "encrypts with a key that only the caller has"),
    ("s3", "GetObject", {"bucketName": "b", "key": "a/b.csv"}, None, "bucket b, object a/b.csv", None),
    ("kms", "ScheduleKeyDeletion", {"keyId": "k", "pendingWindowInDays": 7}, None, "KMS key k",
     "deletes the key in 7 days, and with it all data under it"),
    ("kms", "PutKeyPolicy", {"keyId": "k", "policy": document(Action="kms:*", Principal={"AWS": OTHER}, Resource="*")},
     None, "KMS key k", f"lets account {OTHER} do everything"),
    ("kms", "CreateGrant", {"keyId": "k", "granteePrincipal": f"arn:aws:iam::{OTHER}:user/eve", "operations": ["Decrypt"]},
     {"grantId": "g"}, "KMS key k", f"lets eve of account {OTHER} use the key for Decrypt"),
    ("cloudtrail", "StopLogging", {"name": "audit"}, None, "trail audit", "the trail records nothing from here on"),
    ("cloudtrail", "UpdateTrail", {"name": "audit", "isMultiRegionTrail": False}, None, "trail audit", "records one region only"),
    ("cloudtrail", "PutEventSelectors", {"trailName": "audit", "eventSelectors": [{"readWriteType": "All",
     "includeManagementEvents": False, "dataResources": []}]}, None, "trail audit", "no longer records management events"),
    ("cloudtrail", "PutEventSelectors", {"trailName": "audit", "advancedEventSelectors": [{"fieldSelectors": [
     {"field": "eventCategory", "equals": ["Management"]}, {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]}]}]},
     None, "trail audit", "leaves out events by eventSource: kms.amazonaws.com"),
    ("monitoring", "DeleteAlarms", {"alarmNames": ["a", "b"]}, None, "alarm a, alarm b",
     "nobody is warned by these alarms from here on"),
    ("logs", "PutRetentionPolicy", {"logGroupName": "/g", "retentionInDays": 1}, None, "log group /g", "deletes logs after 1 day"),
    ("config", "StopConfigurationRecorder", {"configurationRecorderName": "default"}, None, "Config recorder default",
     "AWS Config records no changes from here on"),
    ("guardduty", "UpdateDetector", {"detectorId": "d", "enable": False}, None, "detector d",
     "suspends GuardDuty in this region"),
    ("securityhub", "BatchDisableStandards", {"standardsSubscriptionArns": ["arn:a"]}, None, "standard arn:a",
     "Security Hub no longer checks this standard"),
    ("lambda", "AddPermission20150331v2", {"functionName": "f", "principal": "*", "action": "lambda:InvokeFunction"}, None,
     "function f", "lets anyone invoke the function"),
    ("lambda", "CreateFunctionUrlConfig", {"functionName": "f", "authType": "NONE"}, None, "function f",
     "lets anyone call the function by its URL"),
    ("lambda", "CreateFunction20150331", {"functionName": "f", "role": f"arn:aws:iam::{OWN}:role/x"}, None,
     f"function f, role arn:aws:iam::{OWN}:role/x", None),
    ("rds", "ModifyDBSnapshotAttribute", {"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": ["all"]},
     None, "DB snapshot s", "makes the snapshot public"),
    ("rds", "ModifyDBInstance", {"dBInstanceIdentifier": "db", "masterUserPassword": "****"}, None, "DB instance db",
     "changes the master password"),
    ("rds", "DeleteDBInstance", {"dBInstanceIdentifier": "db", "skipFinalSnapshot": True}, None, "DB instance db",
     "deletes the database without a last snapshot"),
    ("secretsmanager", "DeleteSecret", {"secretId": "s", "forceDeleteWithoutRecovery": True}, None, "secret s",
     "deletes the secret immediately, without recovery"),
    ("secretsmanager", "GetSecretValue", {"secretId": "s"}, None, "secret s", None),
    ("ssm", "SendCommand", {"documentName": "AWS-RunShellScript", "instanceIds": ["i-1", "i-2"]}, None,
     "instance i-1, instance i-2, document AWS-RunShellScript", "runs AWS-RunShellScript on 2 instances"),
    ("ssm", "StartSession", {"target": "i-1"}, None, "instance i-1", "opens a shell on the instance"),
    ("ssm", "ModifyDocumentPermission", {"name": "d", "accountIdsToAdd": ["all"]}, None, "document d",
     "makes the document public"),
    ("organizations", "CloseAccount", {"accountId": OTHER}, None, f"account {OTHER}", "closes the account"),
    ("organizations", "InviteAccountToOrganization", {"target": {"type": "ACCOUNT", "id": OTHER}}, None,
     f"account {OTHER}", None),
    ("sns", "Subscribe", {"topicArn": "t", "protocol": "email", "endpoint": "eve@example.com"}, None,
     "topic t, endpoint eve@example.com", "sends the topic's messages to eve@example.com"),
    ("sns", "SetTopicAttributes", {"topicArn": "t", "attributeName": "Policy", "attributeValue":
     document(Action="SNS:Publish", Principal={"AWS": "*"}, Resource="t")}, None, "topic t", "lets anyone call SNS:Publish"),
    ("sqs", "SetQueueAttributes", {"queueUrl": "q", "attributes": {"Policy":
     document(Action="SQS:*", Principal="*", Resource="q", Condition={"Bool": {"a": "true"}})}}, None, "queue q",
     "lets anyone, under conditions, do everything"),
    ("ecr", "PutImage", {"repositoryName": "r", "imageTag": "latest"}, None, "repository r, image latest", None),
    ("ecs", "RegisterTaskDefinition", {"family": "f"}, None, "task definition f", None),
    ("eks", "AssociateAccessPolicy", {"name": "c", "principalArn": "p", "policyArn":
     "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"}, None,
     "cluster c, principal p, policy arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
     "gives administrator access to the cluster"),
    ("route53", "ChangeResourceRecordSets", {"hostedZoneId": "Z1", "changeBatch": {"changes": [{"action": "UPSERT",
     "resourceRecordSet": {"name": "www.example.com.", "type": "A"}}]}}, None, "hosted zone Z1, DNS record www.example.com.", None),
    ("cloudformation", "CreateStack", {"stackName": "s", "parameters": [{"parameterKey": "a"}]}, None, "stack s", None),
    ("dynamodb", "UpdateContinuousBackups", {"tableName": "t", "pointInTimeRecoverySpecification":
     {"pointInTimeRecoveryEnabled": False}}, None, "table t", "switches continuous backups off"),
    ("ses", "VerifyEmailIdentity", {"emailAddress": "a@example.com"}, None, "e-mail identity a@example.com", None),
    ("bedrock", "InvokeModel", {"modelId": "anthropic.claude-v2"}, None, "model anthropic.claude-v2", None),
    ("fsx", "DeleteBackup", {"resourceARN": "arn:aws:fsx:a:b:c"}, None, "resource arn:aws:fsx:a:b:c", None),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_what_a_call_touched_and_brought_about(row: tuple[Any, ...]) -> None:
    source, name, request, response, targets, effect, *who = row
    call = (f"{source}.amazonaws.com", name, request, response)
    found = ", ".join(f"{target.kind} {target.name}" for target in targets_of(*call))
    assert found == targets
    identity = who[0] if who else MIA
    assert effect_of(*call, identity=identity) == effect
    assert effect_of(*call, identity=identity, error="AccessDenied") is None


@pytest.mark.parametrize(
    ("identity", "mfa", "answer", "expected"),
    [
        (MIA, "No", "Success", "signs in without MFA"),
        (MIA, "Yes", "Success", None),
        (MIA, "No", "Failure", None),
        (ROOT, "Yes", "Success", "signs in as root"),
        (ROOT, "No", "Success", "signs in as root without MFA"),
        (ROLE, "No", "Success", None),
    ],
)
def test_console_sign_in(identity: Any, mfa: str, answer: str, expected: str | None) -> None:
    call = ("signin.amazonaws.com", "ConsoleLogin", None, {"ConsoleLogin": answer})
    assert effect_of(*call, identity=identity, additional={"MFAUsed": mfa}) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            f"User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{OWN}:role/r",
            "role r",
        ),
        ("… on resource: arn:aws:s3:::b/k because no identity-based policy allows it", "object b/k"),
        (f"… on resource: arn:aws:ec2:us-east-1:{OWN}:instance/* because", ""),
        ("… on resource: user bob", ""),
        (" on resource: ", ""),
        (["odd"], ""),
    ],
)
def test_a_refused_call_is_read_by_its_message(message: Any, expected: str) -> None:
    found = targets_of("sts.amazonaws.com", "AssumeRole", None, None, None, message)
    assert " ".join(f"{target.kind} {arn.name_in(target.name)}" for target in found) == expected


def test_targets_of_a_call_that_the_table_does_not_have() -> None:
    resources = [
        {"ARN": "arn:aws:s3:::b/k", "type": "AWS::S3::Object"},
        {"ARN": f"arn:aws:iam::{OWN}:role/x", "accountId": OWN},
        {"ARN": f"arn:aws:sqs:us-east-1:{OWN}:q"},
        {"ARN": f"arn:aws:kms:us-east-1:{OWN}:key/k", "type": "AWS::KMS::Key"},
        "odd",
    ]
    found = targets_of("new.amazonaws.com", "DoSomething", None, None, resources)
    assert [(target.kind, target.name) for target in found] == [
        ("object", "b/k"),
        ("role", f"arn:aws:iam::{OWN}:role/x"),
        ("queue", f"arn:aws:sqs:us-east-1:{OWN}:q"),
        ("KMS key", f"arn:aws:kms:us-east-1:{OWN}:key/k"),
    ]
