"""Rules on their way back: to CloudWatch as templates and commands, to EventBridge, Athena and OpenSearch.

Each format is one file with `exported(rules, place)`, which gives the text and a list of what the other
side cannot do. What cannot be said there at all is left out and said why, never said half.
"""
