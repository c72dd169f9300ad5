"""The types of targets: as CloudFormation names them, for OCSF, and as the AWS Security Finding Format does.

Sources: docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html ,
docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html
"""

from __future__ import annotations

OTHER = "Other"
_TYPES = {
    "user": ("AWS::IAM::User", "AwsIamUser"),
    "role": ("AWS::IAM::Role", "AwsIamRole"),
    "group": ("AWS::IAM::Group", "AwsIamGroup"),
    "policy": ("AWS::IAM::Policy", "AwsIamPolicy"),
    "access key": ("AWS::IAM::AccessKey", "AwsIamAccessKey"),
    "instance profile": ("AWS::IAM::InstanceProfile", OTHER),
    "account": ("AWS::Account", "AwsAccount"),
    "bucket": ("AWS::S3::Bucket", "AwsS3Bucket"),
    "object": ("AWS::S3::Object", "AwsS3Object"),
    "instance": ("AWS::EC2::Instance", "AwsEc2Instance"),
    "image": ("AWS::EC2::Image", OTHER),
    "snapshot": ("AWS::EC2::Snapshot", OTHER),
    "volume": ("AWS::EC2::Volume", "AwsEc2Volume"),
    "key pair": ("AWS::EC2::KeyPair", OTHER),
    "security group": ("AWS::EC2::SecurityGroup", "AwsEc2SecurityGroup"),
    "network ACL": ("AWS::EC2::NetworkAcl", "AwsEc2NetworkAcl"),
    "network interface": ("AWS::EC2::NetworkInterface", "AwsEc2NetworkInterface"),
    "VPC": ("AWS::EC2::VPC", "AwsEc2Vpc"),
    "subnet": ("AWS::EC2::Subnet", "AwsEc2Subnet"),
    "route table": ("AWS::EC2::RouteTable", "AwsEc2RouteTable"),
    "launch template": ("AWS::EC2::LaunchTemplate", "AwsEc2LaunchTemplate"),
    "KMS key": ("AWS::KMS::Key", "AwsKmsKey"),
    "trail": ("AWS::CloudTrail::Trail", "AwsCloudTrailTrail"),
    "alarm": ("AWS::CloudWatch::Alarm", "AwsCloudWatchAlarm"),
    "log group": ("AWS::Logs::LogGroup", OTHER),
    "detector": ("AWS::GuardDuty::Detector", "AwsGuardDutyDetector"),
    "function": ("AWS::Lambda::Function", "AwsLambdaFunction"),
    "DB instance": ("AWS::RDS::DBInstance", "AwsRdsDbInstance"),
    "DB cluster": ("AWS::RDS::DBCluster", "AwsRdsDbCluster"),
    "DB snapshot": ("AWS::RDS::DBSnapshot", "AwsRdsDbSnapshot"),
    "secret": ("AWS::SecretsManager::Secret", "AwsSecretsManagerSecret"),
    "parameter": ("AWS::SSM::Parameter", OTHER),
    "topic": ("AWS::SNS::Topic", "AwsSnsTopic"),
    "queue": ("AWS::SQS::Queue", "AwsSqsQueue"),
    "repository": ("AWS::ECR::Repository", "AwsEcrRepository"),
    "table": ("AWS::DynamoDB::Table", "AwsDynamoDbTable"),
    "stack": ("AWS::CloudFormation::Stack", "AwsCloudFormationStack"),
    "certificate": ("AWS::CertificateManager::Certificate", "AwsCertificateManagerCertificate"),
    "hosted zone": ("AWS::Route53::HostedZone", "AwsRoute53HostedZone"),
    "Auto Scaling group": ("AWS::AutoScaling::AutoScalingGroup", "AwsAutoScalingAutoScalingGroup"),
    "backup vault": ("AWS::Backup::BackupVault", "AwsBackupBackupVault"),
    "layer": ("AWS::Lambda::LayerVersion", "AwsLambdaLayerVersion"),
    "task definition": ("AWS::ECS::TaskDefinition", "AwsEcsTaskDefinition"),
    "VPC peering": ("AWS::EC2::VPCPeeringConnection", "AwsEc2VpcPeeringConnection"),
    "state machine": ("AWS::StepFunctions::StateMachine", "AwsStepFunctionStateMachine"),
    "web ACL": ("AWS::WAFv2::WebACL", "AwsWafv2WebAcl"),
}


def cloudformation(kind: str) -> str:
    """`AWS::IAM::User` for a user; kinds without a type are returned unchanged."""
    return _TYPES.get(kind, (kind, OTHER))[0]


def finding(kind: str) -> str:
    """`AwsIamUser` for a user; `Other` for kinds that the finding format does not have."""
    return _TYPES.get(kind, (kind, OTHER))[1]
