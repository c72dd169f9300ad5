"""The SQS source, which reads the S3 objects that the messages of a queue name."""
