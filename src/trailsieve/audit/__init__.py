"""Whether an account's monitoring meets the CIS AWS Foundations controls, judged by what each part does.

`chains` lists the checks in order and follows them, `checks` holds the checks, `coverage` relates a pattern
to a control, `selectors` says what a trail records, and `remediation` writes commands that repair a link.
"""
