"""Sigma rules for CloudTrail as filter patterns, through pySigma (the extra `sigma`)."""
