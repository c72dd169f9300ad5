"""The trail room: CloudTrail files, keys and records. It knows nothing of patterns."""
