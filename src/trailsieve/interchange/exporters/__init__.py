"""Rules as CloudWatch metric filters and alarms, and as queries of EventBridge, Athena and OpenSearch.

Each format is a module with `export(rules, target)`. What the other service does differently is listed as a
loss; a rule that it cannot express is left out with the reason.
"""
