"""Several at once, as phones are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def together(work: Callable[..., None], lanes: Iterable[tuple[Any, ...]]) -> float:
    """Call ``work`` with each lane, a thread for each; the seconds until the last has ended.

    Raises what the first lane that failed raised, when all have ended.
    """
    given = list(lanes)
    with ThreadPoolExecutor(len(given)) as pool:
        start = time.perf_counter()
        ends = [pool.submit(work, *lane) for lane in given]
    taken = time.perf_counter() - start
    for one in ends:
        one.result()
    return taken
