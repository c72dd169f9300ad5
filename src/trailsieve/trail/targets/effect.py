"""What a successful call brought about, in one clause, for the calls where that matters."""

from __future__ import annotations

from typing import Any


def effect_of(
    source: object,
    name: object,
    request: Any = None,
    response: Any = None,
    *,
    identity: Any = None,
    additional: Any = None,
    error: object = None,
) -> str | None:
    """What the call brought about, such as "opens port 22 to 0.0.0.0/0"; None where nothing stands out.

    Each value may be any JSON.

    Args:
        source: the eventSource.
        name: the eventName.
        request: the requestParameters.
        response: the responseElements.
        identity: the userIdentity: who did it, in which account.
        additional: the additionalEventData.
        error: the errorCode; a call that failed has no effect.
    """
    return None
