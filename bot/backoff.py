"""How long to wait before trying again: grows, is capped, and never gives up."""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 0.5
MOST_SECONDS = 30.0


def delay(
    attempt: int,
    jitter: Callable[[], float],
    *,
    first_seconds: float = FIRST_SECONDS,
    most_seconds: float = MOST_SECONDS,
) -> float:
    """Seconds before try `attempt` + 1, where `attempt` counts the failures so far, from 0.

    Doubles from `first_seconds` to `most_seconds`, for ever. `jitter` gives 0..1 and takes off up to half, so that
    clients cut off together do not come back together.
    """
    doublings = min(max(attempt, 0), 32)  # beyond, the cap holds anyway and floats would overflow
    whole = min(most_seconds, first_seconds * 2.0**doublings)
    return whole * (1 - 0.5 * min(max(jitter(), 0.0), 1.0))
