"""Clients of other systems, as sources and sinks share them."""
