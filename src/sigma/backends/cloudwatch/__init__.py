"""The package in which pySigma looks for backends: `sigma convert -t cloudwatch`."""

from trailsieve.interchange.sigma.backend import CloudWatchFilterBackend

__all__ = ["CloudWatchFilterBackend", "backends"]

backends = {"cloudwatch": CloudWatchFilterBackend}
