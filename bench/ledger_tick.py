"""The tick with 1,000,000 open problems of which 1,000 are due, against a bare UPDATE of as many.

The tick also writes histories, entries, tasks, numbers and checksums of the feeds, and a receipt
for nobody; the floor sets three columns. Whatever else is touched is an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from bench import problems
from bench.result import Result, best, peak_rss, seconds, tell
from bench.server import PostgreSQL, Site, site
from server.operations.clock import now_ms
from server.operations.tick import tick
from server.storage.database import db
from server.storage.models import Problem

OPEN, DUE, RUNS = 1_000_000, 1_000, 3
HOUR = 3_600_000
DAY = 24 * HOUR
BASE = now_ms()


def _rows(count: int, author: str) -> Iterator[dict[str, Any]]:
    """Problems in hand, due in weeks; a thousand of them in each of the next hours."""
    every = count // (DUE * 2 * RUNS)
    for n, row in enumerate(problems.rows(count, author)):
        turn = (n // every) % (2 * RUNS) if n % every == 0 and n // every < DUE * 2 * RUNS else None
        due = BASE + 30 * DAY + n if turn is None else BASE + turn * HOUR
        yield row | {
            "state": "in_progress", "due_at": due, "deadline_at": due, "overdue_at": None,
            "next_at": due - DAY if turn is None else due, "closed_at": None, "result": None,
        }  # fmt: skip


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Problems a second."""
    found = site(database, postgresql)
    with found as place:
        tell(f"filling {OPEN:,}")
        accounts = problems.people(place)
        problems.fill(place, OPEN, accounts["district"], _rows, searched=False)
        connection = place.connect()
        turns = iter(range(2 * RUNS))

        def ticked() -> float:
            now = BASE + next(turns) * HOUR + 1
            with place.app.app_context():
                before = _touched()
                took = seconds(lambda: tick(now))
                touched = _touched() - before
            if touched != DUE:
                raise RuntimeError(f"{touched} problems were touched, not {DUE}")
            return DUE / took

        def bare() -> float:
            due = BASE + next(turns) * HOUR
            return DUE / seconds(lambda: _update(place, connection, due))

        with peak_rss(os.getpid()) as peak:
            # The floor's turn comes first: it takes what is due in the even hours.
            value, floor = best(RUNS, ticked, bare)
            yield Result("ledger_tick", database, value, "due problems/s", floor, peak())
        connection.close()


def _touched() -> int:
    count = db.session.scalar(select(func.count()).where(Problem.rev > 1)) or 0
    db.session.remove()
    return int(count)


def _update(place: Site, connection: Any, due: int) -> None:
    mark = "?" if place.name == "sqlite" else "%s"
    connection.execute("BEGIN IMMEDIATE" if place.name == "sqlite" else "BEGIN")
    connection.execute(
        f"UPDATE problem SET overdue_at = due_at, next_at = due_at + {DAY}, updated_at = {mark}"
        f" WHERE next_at = {mark}",
        (due, due),
    )
    connection.execute("COMMIT")
