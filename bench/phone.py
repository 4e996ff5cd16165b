"""A phone without a server: enrolled by hand, its feed made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mobile.core.clock import Clock
from mobile.core.views import Grid
from mobile.storage import feed, identity, meta
from mobile.sync.phone import Phone
from shared import checksum, ids

USER = "01900000-0000-7000-8000-0000000000aa"
OTHER = "01900000-0000-7000-8000-0000000000bb"
DEVICE = "01900000-0000-7000-8000-0000000000dd"
GRID = "410103007901001"
PARTITION = ids.grid_partition(GRID)
COMPOUNDS = 40
NOW = 1_790_000_000_000


def enrolled(folder: Path, clock: Clock | None = None) -> Phone:
    """A phone with one grid and nothing in it."""
    phone = Phone.open(folder, clock=clock)
    user = {"id": USER, "name": "王五", "role": "grid_worker"}
    answer = {"device_id": DEVICE, "token": "t", "epoch": "epoch-1", "last_dseq": 0, "user": user}
    with phone._store.writing() as db:
        identity.enrol(db, "http://127.0.0.1:9", answer)
        meta.keep_grids(db, [Grid(GRID, "第一网格")])
    return phone


def door_on(phone: Phone) -> str:
    """A household that was pulled."""
    door_id = ids.new_id()
    values = {"building": "3", "unit": "1", "door": "501", "contact_name": "王秀兰"}
    take(phone, [row(1, "household", door_id, values), checkpoint(1, {door_id: 1})])
    return door_id


def door_values(n: int, compounds: list[str]) -> dict[str, Any]:
    """The household at one of ten thousand doors, dealt out over the compounds."""
    return {
        "compound_id": compounds[n % len(compounds)],
        "building": str(n // 1000 + 1),
        "unit": str(n // 250 % 4 + 1),
        "door": f"{n // 40 % 6 + 1}0{n % 2 + 1}",
        "contact_name": "王李张刘陈"[n % 5] + "秀建国"[n % 3] + "兰英军丽"[n % 4],
        "contact_phone": f"138{n * 7919 % 10**8:08}",
    }


def doors(phone: Phone, count: int) -> None:
    """So many households in forty compounds, pulled."""
    compounds = [ids.new_id() for _ in range(COMPOUNDS)]
    lines = [
        row(n, "compound", one, {"name": f"幸福里{n}号院"}) for n, one in enumerate(compounds, 1)
    ]
    lines += [
        row(COMPOUNDS + n, "household", ids.new_id(), door_values(n, compounds))
        for n in range(1, count + 1)
    ]
    take(phone, [*lines, checkpoint(len(lines), {line["id"]: 1 for line in lines})])


def row(
    seq: int, kind: str, record_id: str, values: dict[str, Any], rev: int = 1
) -> dict[str, Any]:
    """A row of the feed."""
    return {
        "t": "row", "p": PARTITION, "seq": seq, "kind": kind, "id": record_id, "rev": rev,
        "by": OTHER, "at": NOW, "v": values,
    }  # fmt: skip


def checkpoint(seq: int, revs: dict[str, int]) -> dict[str, Any]:
    """The line that closes a partition which holds these records."""
    return {
        "t": "checkpoint", "p": PARTITION, "seq": seq, "count": len(revs),
        "sum64": str(checksum.sum64(revs.items())), "chain": "c", "view": "v1",
    }  # fmt: skip


def begin(phone: Phone) -> feed.Feed:
    """The header of a pull."""
    header = {
        "t": "header", "epoch": "epoch-1", "last_dseq": 0, "running": "",
        "scope": {"rev": 1, "grids": [{"code": GRID, "name": "第一网格"}]},
        "user": {"id": USER, "name": "王五", "role": "grid_worker"}, "answers": [],
        "partitions": [PARTITION], "photos": {}, "server_time": NOW, "view": "v1",
    }  # fmt: skip
    with phone._store.writing() as db:
        me = meta.identity(db)
        assert me is not None
        return feed.take_header(db, header, me.actor)


def take(phone: Phone, lines: list[dict[str, Any]], batch: int = 400) -> feed.Feed:
    """Take a pull's lines as mobile.sync.pull does: a batch, a transaction."""
    taken = begin(phone)
    for start in range(0, len(lines), batch):
        with phone._store.writing() as db:
            feed.apply(db, taken, lines[start : start + batch])
    with phone._store.writing() as db:
        feed.finish(db, taken)
    assert not taken.mismatched
    return taken
