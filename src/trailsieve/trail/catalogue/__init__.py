"""Reference data about CloudTrail records: fields, API calls, error codes, and ordinary examples.

The tables are files in this folder, each with its source in its header; scripts in `tools/` generate them.
"""
