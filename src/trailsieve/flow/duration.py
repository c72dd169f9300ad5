"""Durations as people write them in a configuration: `90s`, `15m`, `2h`, `1d`."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(text: str, key: str) -> float:
    """The duration in seconds.

    Raises:
        ValueError: it is none; the text names the key and shows how to write it.
    """
    found = _DURATION.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise ValueError(f'`{key}` is a number with its unit s, m, h or d: {key} = "5m"')
    return float(int(found[1]) * _UNITS[found[2]])
