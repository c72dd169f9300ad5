"""Alarms that several processes count together: their samples in one table, one of them evaluates."""
