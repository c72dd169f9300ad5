"""The SQS source, which reads the objects that a queue names."""
