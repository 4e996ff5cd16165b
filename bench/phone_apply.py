"""5,000 pulled rows applied while 200 edits of them wait, beside executemany of the rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.data import visit_values
from bench.phone import NOW, OTHER, PARTITION, checkpoint, enrolled, row, take
from bench.result import Result, best, peak_rss, seconds
from bench.server import PostgreSQL
from mobile.storage import records
from mobile.storage.store import Store
from mobile.sync.phone import Phone
from mobile.sync.pull import BATCH
from shared import checksum, ids

ROWS, PENDING, RUNS = 5_000, 200, 4
FLOOR = (
    "INSERT INTO record (id, kind, partition_id, seq, rev, agreed, by_user, changed_at, term, mark)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq,"
    " rev = excluded.rev, agreed = excluded.agreed, term = excluded.term"
)


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Rows per second, to the last commit."""
    with tempfile.TemporaryDirectory() as folder, peak_rss(os.getpid()) as peak:
        phone = enrolled(Path(folder) / "phone")
        visits = _first(phone)
        for visit_id in list(visits)[:: ROWS // PENDING]:
            assert phone.edit("visit", visit_id, {"note": "门口堆物已清理"})
        store = Store(Path(folder) / "bare")
        turns = iter(range(2, 100))

        def apply() -> float:
            lines = _lines(visits, next(turns))
            return ROWS / seconds(lambda: take(phone, lines, BATCH))

        def floor() -> float:
            rows = [_as_stored(line) for line in _lines(visits, next(turns))[:-1]]
            return ROWS / seconds(lambda: _insert(store, rows))

        floor()  # as on the phone, the rows are there already
        value, best_floor = best(RUNS, apply, floor)
        with phone._store.reading() as db:
            waiting = db.execute("SELECT count(*) FROM record WHERE shown IS NOT NULL").fetchone()
        assert waiting[0] == PENDING, waiting[0]
        phone.close()
        store.close()
        yield Result("phone_apply", "sqlite", value, "rows/s", best_floor, peak())


def _first(phone: Phone) -> list[str]:
    """The visits that the phone holds before."""
    visits = [ids.uuid7(NOW + n, os.urandom(10)) for n in range(ROWS)]
    take(phone, _lines(visits, 1))
    return visits


def _lines(visits: list[str], turn: int) -> list[dict[str, Any]]:
    """Every visit changed once more, and the checkpoint. The partition's seq goes on."""
    lines = [
        row((turn - 1) * ROWS + n, "visit", visit_id, visit_values(OTHER, NOW + n), turn)
        for n, visit_id in enumerate(visits, 1)
    ]
    return [*lines, checkpoint(turn * ROWS, dict.fromkeys(visits, turn))]


def _as_stored(line: dict[str, Any]) -> tuple[Any, ...]:
    term = checksum.to_signed(checksum.term(line["id"], line["rev"]))
    return (
        line["id"], "visit", PARTITION, line["seq"], line["rev"], records.to_json(line["v"]),
        line["by"], line["at"], term,
    )  # fmt: skip


def _insert(store: Store, rows: list[tuple[Any, ...]]) -> None:
    for start in range(0, len(rows), BATCH):
        with store.writing() as db:
            db.executemany(FLOOR, rows[start : start + BATCH])
