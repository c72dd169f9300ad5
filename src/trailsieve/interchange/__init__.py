"""Rules from and to other systems: CloudWatch, Terraform, CloudFormation, Sigma, Athena, EventBridge."""
