"""CloudWatch Logs filter patterns, from text to a Python predicate. Nothing here depends on CloudTrail.

text → `parser` (`grammar`, `actions`) → `nodes` → `limits` → `codegen` → `compiler`. `operators` is the table
of comparisons, `runtime` what generated code calls, `interpret` the reference that it must agree with.
"""
