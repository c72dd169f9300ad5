"""The audit as a terminal listing, an HTML page and structured documents."""
