"""CloudWatch metric filters and alarms as rule files, from AWS, templates, Terraform and JSON.

Each reader returns an `ImportResult` with the field names of `describe-metric-filters` and `describe-alarms`;
`metric_filters` makes rule drafts of it and `rule_file` writes them.
"""
