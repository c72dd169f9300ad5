"""The error of a server that cannot run on this machine."""


class UnavailableError(Exception):
    """The server cannot run here; the text says why."""
