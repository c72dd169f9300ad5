"""What a call touched and what that means: the table of the fields, and the effects that are worth naming."""

from trailsieve.trail.targets.effects import effect_of
from trailsieve.trail.targets.find import targets_of

__all__ = ["effect_of", "targets_of"]
