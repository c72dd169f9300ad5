"""What stands in AWS accounts: answers of `describe-*` calls, the audit of the CIS controls."""
