"""A phone without a network: enrolled by hand, its feed fed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mobile.core.views import Grid
from mobile.storage import feed, identity, journal, meta
from mobile.sync.phone import Phone
from shared import checksum, ids

USER = "01900000-0000-7000-8000-0000000000aa"
OTHER = "01900000-0000-7000-8000-0000000000bb"
DEVICE = "01900000-0000-7000-8000-0000000000dd"
GRID = "410103007901001"
PARTITION = ids.grid_partition(GRID)
MINE = ids.person_partition(USER)
START = 1_790_000_000_000


@dataclass
class HandClock:
    """A clock that moves when a test says so."""

    now: int = START
    boot: str = "boot-1"

    def wall(self) -> int:
        self.now += 1
        return self.now

    def mono(self) -> int:
        return max(0, self.now - START)


@dataclass
class FakeFeed:
    """What a server would send: rows with numbers, checkpoints that add up."""

    phone: Phone
    seq: dict[str, int] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    partitions: tuple[str, ...] = (PARTITION, MINE)
    epoch: str = "epoch-1"

    def row(
        self, kind: str, record_id: str, rev: int, p: str = PARTITION, **v: Any
    ) -> dict[str, Any]:
        self.seq[p] = self.seq.get(p, 0) + 1
        self.rows.setdefault(p, {})[record_id] = rev
        return {"t": "row", "p": p, "seq": self.seq[p], "kind": kind, "id": record_id, "rev": rev,
                "by": OTHER, "at": START, "v": v}  # fmt: skip

    def gone(self, record_id: str, rev: int, p: str = PARTITION) -> dict[str, Any]:
        self.seq[p] = self.seq.get(p, 0) + 1
        self.rows.setdefault(p, {}).pop(record_id, None)
        return {"t": "gone", "p": p, "seq": self.seq[p], "id": record_id, "rev": rev}

    def left(self, record_id: str, rev: int, to: str, p: str = PARTITION) -> dict[str, Any]:
        return self.gone(record_id, rev, p) | {"t": "left", "to": to}

    def checkpoint(self, p: str = PARTITION) -> dict[str, Any]:
        rows = self.rows.get(p, {})
        return {"t": "checkpoint", "p": p, "seq": self.seq.get(p, 0), "count": len(rows),
                "sum64": str(checksum.sum64(rows.items())), "chain": "c", "view": "v1"}  # fmt: skip

    def header(self, last_dseq: int = 0, **more: Any) -> dict[str, Any]:
        with self.phone._store.reading() as db:
            running = journal.running_at(db, DEVICE, last_dseq) or ""
        return {
            "t": "header", "epoch": self.epoch, "last_dseq": last_dseq, "running": running,
            "scope": {"rev": 1, "grids": [{"code": GRID, "name": "第一网格"}]},
            "user": {"id": USER, "name": "王五", "role": "grid_worker"}, "answers": [],
            "partitions": list(self.partitions), "photos": {}, "server_time": START, "view": "v1",
            **more,
        }  # fmt: skip

    def send(self, *lines: dict[str, Any], end: bool = True, **header: Any) -> feed.Feed:
        """Take a header and lines as a pull would, each line a transaction of its own."""
        store = self.phone._store
        with store.writing() as db:
            me = meta.identity(db)
            assert me is not None
            taken = feed.take_header(db, self.header(**header), me.actor)
        for line in lines:
            with store.writing() as db:
                feed.apply(db, taken, [line])
        if end:
            with store.writing() as db:
                feed.finish(db, taken)
        return taken

    def answer(self, dseq: int, result: str = "applied", **more: Any) -> dict[str, Any]:
        with self.phone._store.reading() as db:
            tx = db.execute("SELECT id FROM journal WHERE dseq = ?", (dseq,)).fetchone()[0]
        return {"dseq": dseq, "id": tx, "result": result, "records": [], **more}


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    """An enrolled phone with one grid and nothing in it."""
    found = Phone.open(tmp_path / "phone", clock=HandClock())
    with found._store.writing() as db:
        identity.enrol(
            db,
            "http://127.0.0.1:9",
            {
                "device_id": DEVICE, "token": "t", "epoch": "epoch-1", "last_dseq": 0,
                "user": {"id": USER, "name": "王五", "role": "grid_worker"},
            },
        )  # fmt: skip
        meta.keep_grids(db, [Grid(GRID, "第一网格")])
    yield found
    found.close()


@pytest.fixture
def server(phone: Phone) -> FakeFeed:
    """A feed for the phone."""
    return FakeFeed(phone)
