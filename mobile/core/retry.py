"""When to try again: the waits grow, and are spread so that phones do not come all at once."""

from __future__ import annotations

FIRST_MS = 5_000
LONGEST_MS = 15 * 60 * 1000


def delay_ms(failures: int, jitter: float, asked_ms: int = 0) -> int:
    """The wait after this many failures in a row (1, 2, ...).

    ``jitter`` is a random number in [0, 1): the wait is between half and all of the step.
    ``asked_ms`` is what the server asked for (Retry-After); it is never undercut.
    """
    step = min(FIRST_MS * 2 ** min(max(failures - 1, 0), 16), LONGEST_MS)
    return max(int(step * (0.5 + jitter / 2)), asked_ms)
