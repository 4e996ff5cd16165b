"""The push rate with 10,000, 100,000 and 1,000,000 records present; the floor is the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from bench.data import build, fill
from bench.phones import PushingPhone, push_all
from bench.result import Result, peak_rss, tell
from bench.server import PostgreSQL, Running, serving, site

SIZES = (10_000, 100_000, 1_000_000)
PHONES, VISITS, RUNS = 10, 500, 5


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Records per second at each size. The sizes take turns, so that all meet the same machine."""
    with ExitStack() as stack:
        places: list[tuple[int, Running, list[PushingPhone]]] = []
        for size in SIZES:
            tell(f"filling {size:,}")
            found = stack.enter_context(site(database, postgresql))
            district = build(found.app, workers=PHONES, grids=max(PHONES, size // 1000))
            fill(found, district, size)
            running = stack.enter_context(serving(found))
            places.append((size, running, [PushingPhone(district, n) for n in range(PHONES)]))
        rates: dict[int, list[float]] = {size: [] for size in SIZES}
        workers = [pid for _, running, _ in places for pid in running.workers]
        peak = stack.enter_context(peak_rss(*workers))
        for turn in range(RUNS + 1):
            for size, running, phones in places:
                ready = [(phone.token, phone.bodies(VISITS)) for phone in phones]
                rate = PHONES * VISITS / push_all(running, ready)
                if turn:  # the first warms up
                    rates[size].append(rate)
        for size in SIZES:
            unit = f"records/s at {size:,}"
            first = max(rates[SIZES[0]])
            yield Result("push_growth", database, max(rates[size]), unit, first, peak())
