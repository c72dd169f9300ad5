"""The S3 source, which lists a bucket without needing notifications."""
