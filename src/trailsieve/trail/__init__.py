"""CloudTrail files, object keys, records and the envelopes around them. Independent of patterns."""
