"""Durations as people write them in a configuration or a rule: `90s`, `15m`, `2h`, `1d`."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,9})\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(text: object, key: str, least: int = 1) -> int:
    """The duration in seconds.

    Raises:
        ValueError: it is none; the text names the key and shows how to write it.
    """
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found or int(found[1]) < least:
        name = key.rpartition(".")[2]
        raise ValueError(f'`{key}` is a number with its unit s, m, h or d: {name} = "5m"')
    return int(found[1]) * _UNITS[found[2]]
