"""From the tap to the first usable screen with 10,000 households, beside an empty Kivy window.

Both are processes of their own; usable is the round filled with doors to the foot of the screen.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.phone import doors, enrolled
from bench.result import Result, best
from bench.server import PostgreSQL

DOORS, RUNS = 10_000, 5
MINUTE = 60


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Starts a minute, and the app's memory once the whole round is there."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "phone"
        phone = enrolled(store)
        doors(phone, DOORS)
        phone.close()
        peaks: list[float] = []

        def app() -> float:
            took, rest = _ready("app", str(store))
            peaks.append(int(rest.split()[-1]) / 1024)
            return MINUTE / took

        value, floor = best(RUNS, app, lambda: MINUTE / _ready("empty")[0])
        yield Result("phone_start", "sqlite", value, "starts/min", floor, max(peaks))


def _ready(*arguments: str) -> tuple[float, str]:
    """Seconds until it says so, and what else it says until it ends."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.window", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise RuntimeError(f"the window did not come: {arguments}")
    took = time.perf_counter() - started
    rest = process.communicate(timeout=120)[0]
    return took, rest
