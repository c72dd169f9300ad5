"""The monitoring controls of CIS AWS Foundations, judged by what an account's parts do, not by their text.

A control is met by a chain: `road` has its links and verdicts, `cloudwatch` walks the chain of metric filters
and alarms, `siem` that of a trailsieve configuration, `coverage` relates a pattern to the control's, `fires`
tells when an alarm can go off, `selectors` what a trail records, and `mend` the commands that repair a link.
"""
