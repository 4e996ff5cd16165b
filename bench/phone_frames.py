"""A first sync of 10,000 households and 20,000 visits while the app is used: its frames."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.data import build, fill
from bench.phone import COMPOUNDS, door_values
from bench.phone_scroll import measured
from bench.result import Result
from bench.server import PostgreSQL, Site, serving, site
from mobile.storage import identity
from mobile.sync.phone import Phone
from server.operations.transact import Entry, submit_many
from shared import ids
from shared.operations import Operation

DOORS, VISITS, AT_ONCE = 10_000, 20_000, 500


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """The frames that our work held up for less than 8 ms, of all frames of the sync."""
    with site("sqlite", None) as found, tempfile.TemporaryDirectory() as folder:
        district = build(found.app, workers=1, grids=1)
        _doors(found, district.admin, district.grids[0])
        fill(found, district, VISITS)
        device, token, user, _ = district.phones[0]
        answer: dict[str, Any] = {
            "device_id": device, "token": token, "epoch": "", "last_dseq": 0,
            "user": {"id": user, "name": "worker0", "role": "grid_worker"},
        }  # fmt: skip
        store = Path(folder) / "phone"
        with serving(found) as running:
            phone = Phone.open(store)
            with phone._store.writing() as db:
                identity.enrol(db, f"http://{running.host}:{running.port}", answer)
            phone.close()
            yield measured("phone_frames", "sync", store)


def _doors(found: Site, admin: str, grid: str) -> None:
    """Compounds and households, as an import makes them."""
    partition = ids.grid_partition(grid)
    compounds = [ids.new_id() for _ in range(COMPOUNDS)]
    made = [
        Operation("create", "compound", one, partition, values={"name": f"幸福里{n}号院"})
        for n, one in enumerate(compounds)
    ] + [
        Operation("create", "household", ids.new_id(), partition, values=door_values(n, compounds))
        for n in range(DOORS)
    ]
    parts = [made[start : start + AT_ONCE] for start in range(0, len(made), AT_ONCE)]
    with found.app.app_context():
        list(submit_many([Entry(admin, part) for part in parts]))
