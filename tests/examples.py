"""How many examples a test of Hypothesis draws: the profile decides what share of a full run they are."""

from hypothesis import settings


def examples(full: int) -> int:
    """The share of `full` that the loaded profile asks for: all of them with `ci`, a fifth with `dev`."""
    return max(5, full * settings().max_examples // 100)
