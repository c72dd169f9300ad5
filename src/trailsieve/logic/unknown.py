"""The answer that is no answer."""

from __future__ import annotations

from trailsieve.errors import TrailsieveError


class UnknownError(TrailsieveError):
    """A question out of reach; `str()` is the reason. It never leaves the package: it becomes a Verdict."""
