"""A new phone pulls 50,000 records and has them committed, beside COPY + gzip + executemany."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from bench.data import build, fill
from bench.floors import COPIED, copy_lines, phone_rows
from bench.result import Result, best, peak_rss, seconds, tell
from bench.server import PostgreSQL, Running, Site, serving, site
from mobile.storage import identity
from mobile.storage.store import Store
from mobile.sync.phone import Phone

RECORDS, RUNS = 50_000, 3


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Records per second, from the request to the last commit."""
    with site(database, postgresql) as found, tempfile.TemporaryDirectory() as folder:
        district = build(found.app, workers=1, grids=1)
        fill(found, district, RECORDS)
        device, token, user, _ = district.phones[0]
        phones = iter(range(10**6))
        with serving(found) as running:

            def pull() -> float:
                phone = _phone(Path(folder) / str(next(phones)), running, device, token, user)
                report = None

                def sync() -> None:
                    nonlocal report
                    report = phone.sync()

                taken = seconds(sync)
                assert report is not None and report.complete, report
                assert report.received >= RECORDS, report
                phone.close()
                return RECORDS / taken

            def floor() -> float:
                return RECORDS / _floor(found, Path(folder) / str(next(phones)))

            before = _rss(running)
            with peak_rss(*running.workers) as peak:
                value, best_floor = best(RUNS, pull, floor)
                tell(f"first_pull on {database}: server {peak() - before:+.0f} MB over idle")
                yield Result("first_pull", database, value, "records/s", best_floor, peak())


def _rss(running: Running) -> float:
    with peak_rss(*running.workers) as peak:
        return peak()


def _phone(folder: Path, running: Running, device: str, token: str, user: str) -> Phone:
    """A phone that was enrolled a moment ago."""
    phone = Phone.open(folder, http=requests.Session())
    answer: dict[str, Any] = {
        "device_id": device, "token": token, "epoch": "", "last_dseq": 0,
        "user": {"id": user, "name": "worker0", "role": "grid_worker"},
    }  # fmt: skip
    with phone._store.writing() as db:
        identity.enrol(db, f"http://{running.host}:{running.port}", answer)
    return phone


def _floor(found: Site, folder: Path) -> float:
    """The same JSON out of the database, zipped, unzipped, and put into the phone's table."""
    store = Store(folder)
    connection = found.connect()

    def work() -> None:
        zipped = gzip.compress(copy_lines(found, connection), 1)
        lines = zlib.decompress(zipped, wbits=31).decode().splitlines()
        with store.writing() as db:
            db.executemany(COPIED, phone_rows(lines))

    taken = seconds(work)
    connection.close()
    store.close()
    return taken
