"""10 phones push 500 visits each, durably, with every check, beside bare multi-row INSERTs."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data import build, fill
from bench.floors import Inserts
from bench.phones import PushingPhone, push_all
from bench.result import Result, best, peak_rss, tell
from bench.server import PostgreSQL, serving, site

PHONES, VISITS, RUNS = 10, 500, 4


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """The rate of records taken in."""
    with site(database, postgresql) as found:
        district = build(found.app, workers=PHONES, grids=PHONES)
        fill(found, district, 10_000)
        phones = [PushingPhone(district, n) for n in range(PHONES)]
        inserts = Inserts(found, district)
        with serving(found) as running, peak_rss(*running.workers) as peak:

            def pushes() -> float:
                ready = [(phone.token, phone.bodies(VISITS)) for phone in phones]
                return PHONES * VISITS / push_all(running, ready)

            pushes()  # connections, caches
            value, floor = best(RUNS, pushes, lambda: inserts.run(PHONES * VISITS))
            tell(f"push on {database}: {value:,.0f} records/s of {floor:,.0f}")
            yield Result("push", database, value, "records/s", floor, peak())
