"""From CloudWatch to rules: metric filters and alarms, wherever a team has written them down, as a rule file.

Every format is read into one shape, that of AWS's own `describe-metric-filters` and `describe-alarms`
(`found`); one place makes rules of it (`drafts`), one place writes them (`toml`). What a rule cannot say
stands as a comment beside it, and is returned to be told.
"""
