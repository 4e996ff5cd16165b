"""20 photos of 2 MiB arrive and are verified, beside writing, syncing and hashing the same bytes.

One after the other, then 4 at a time; then of 16 MiB, for the memory that a web process takes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import photos
from bench.data import build
from bench.photos import Photo
from bench.result import Result, best, peak_rss, tell
from bench.server import PostgreSQL, Running, serving, site
from bench.together import together

COUNT, SIZE, LARGE, RUNS = 20, 2 * 2**20, 16 * 2**20, 4


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Photos a second."""
    with site(database, postgresql) as found:
        district = build(found.app, workers=1, grids=1)
        token = district.phones[0][1]

        def fresh(count: int, size: int) -> list[Photo]:
            made = photos.make(count, size)
            photos.declare(found.app, district, made)
            return made

        def rates(running: Running, at_once: int) -> tuple[float, float]:
            batches = iter([fresh(COUNT, SIZE) for _ in range(RUNS)])
            again = photos.make(COUNT, SIZE)
            return best(
                RUNS,
                lambda: COUNT / photos.send(running, token, next(batches), at_once),
                lambda: COUNT / write(found.config.data, again, at_once),
            )

        with serving(found) as running:
            photos.send(running, token, fresh(8, SIZE), 4)  # connections, caches
            for at_once in (1, 4):
                with peak_rss(*running.workers) as peak:
                    value, floor = rates(running, at_once)
                    memory = peak()
                tell(f"{at_once} at once: {value:,.1f} photos/s of {floor:,.1f}, {memory:.0f} MB")
                unit = f"photos/s of 2 MiB, {at_once} at once"
                yield Result("photo_upload", database, value, unit, floor, memory)
            large = fresh(4, LARGE)
            with peak_rss(*running.workers) as peak:
                value = 4 / photos.send(running, token, large, 4)
                floor = 4 / write(found.config.data, large, 4)
                unit = "photos/s of 16 MiB, 4 at once"
                yield Result("photo_upload", database, value, unit, floor, peak())


def write(folder: Path, made: Sequence[Photo], at_once: int) -> float:
    """The floor: each photo's bytes in a file, fsynced, and hashed, in so many threads; seconds."""

    def lane(own: Sequence[Photo], place: str) -> None:
        for photo in own:
            with (Path(place) / photo.sha256).open("wb") as file:
                file.write(photo.data)
                file.flush()
                os.fsync(file.fileno())
            hashlib.sha256(photo.data).digest()

    with tempfile.TemporaryDirectory(dir=folder) as place:
        return together(lane, ((made[n::at_once], place) for n in range(at_once)))
