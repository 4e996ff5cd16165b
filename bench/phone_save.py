"""Saving a visit with two photos on the phone, durably, beside the bare INSERTs of its rows."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.data import visit_values
from bench.phone import door_on, enrolled
from bench.result import Result, best, peak_rss, seconds
from bench.server import PostgreSQL
from mobile.core.photo import Picture
from mobile.core.written import DraftPhoto, PreparedPhoto, VisitDraft
from mobile.storage import photos
from mobile.storage.store import Store
from mobile.sync.phone import Phone

SAVES, RUNS = 60, 5
# The rows that one save leaves, in the order it leaves them.
TABLES = ("journal", "pending", "touched", "record", "photo")


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Saves per second."""
    with tempfile.TemporaryDirectory() as folder, peak_rss(os.getpid()) as peak:
        phone = enrolled(Path(folder) / "phone")
        door = door_on(phone)
        numbers = itertools.count()

        def draft() -> VisitDraft:
            pictures = tuple(_photo(phone, next(numbers)) for _ in range(2))
            return VisitDraft(visit_values(door, 1_790_000_000_000), pictures)

        def save() -> float:
            drafts = [draft() for _ in range(SAVES)]
            return SAVES / seconds(lambda: [phone.save_visit(one) for one in drafts])

        save()
        bare = _Bare(phone, Store(Path(folder) / "bare"))
        value, floor = best(RUNS, save, bare.run)
        phone.close()
        yield Result("phone_save", "sqlite", value, "saves/s", floor, peak())


def _photo(phone: Phone, number: int) -> DraftPhoto:
    """A picture that lies in its place, as the camera's page has left it."""
    sha256 = f"{number:064x}"
    path = photos.put(phone._store, Picture(b"x" * 100, sha256, 1600, 1200))
    return DraftPhoto(PreparedPhoto(sha256, 100, 1600, 1200, path), taken_at=1_790_000_000_000)


class _Bare:
    """The rows that saves left behind, put into the same tables of another store."""

    def __init__(self, phone: Phone, store: Store) -> None:
        self._store = store
        with phone._store.reading() as db:
            self._saved = [self._rows_of(db, row[0]) for row in db.execute(
                "SELECT n FROM journal ORDER BY n DESC LIMIT ?", (SAVES,)
            ).fetchall()]  # fmt: skip
        self._numbers = itertools.count(1_000_000)

    def _rows_of(self, db: object, n: int) -> list[tuple[str, list[tuple[object, ...]]]]:
        found = []
        for table in TABLES:
            where = "id IN (SELECT record_id FROM pending WHERE n = ?)" if table == "record" else ""
            names = [
                row[1]
                for row in db.execute(f"PRAGMA table_xinfo({table})")  # type: ignore[attr-defined]
                if row[6] == 0  # not generated
            ]
            columns = ", ".join(names)
            rows = db.execute(  # type: ignore[attr-defined]
                f"SELECT {columns} FROM {table} WHERE {where or 'n = ?'}", (n,)
            ).fetchall()
            marks = ", ".join("?" * len(names))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            found.append((sql, [tuple(row) for row in rows]))
        return found

    def run(self) -> float:
        """Insert them all, each save in a transaction of its own, then clear the tables."""
        with self._store.writing() as db:
            for table in ("pending", "touched", "photo", "record", "journal"):
                db.execute(f"DELETE FROM {table}")

        def insert() -> None:
            for saved in self._saved:
                with self._store.writing() as db:
                    for sql, rows in saved:
                        db.executemany(sql, rows)

        return SAVES / seconds(insert)
