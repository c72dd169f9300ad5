"""Clients of other systems, shared by sources and sinks."""
