"""What is known of CloudTrail's records: their fields, the API calls, the error codes, and ordinary examples.

The tables are files beside this one, each with its source at its top; `tools/` holds the scripts for them.
"""
