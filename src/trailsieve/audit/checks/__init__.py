"""The checks: each takes an `AuditTarget` and returns a `Link`."""
