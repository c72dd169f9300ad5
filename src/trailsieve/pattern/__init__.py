"""The language room: CloudWatch Logs filter patterns, from text to a Python predicate.

text → `grammar` + `parser` → `nodes` → `limits` → `codegen` → `compiler`; `interpret` is the reference.
This room knows nothing of CloudTrail.
"""
