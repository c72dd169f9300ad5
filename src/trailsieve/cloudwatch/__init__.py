"""Metric filters and alarms as AWS describes them, and saved responses of `describe-*` calls."""
