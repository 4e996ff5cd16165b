"""A list of 5,000 rows flung and dragged from end to end: how long our work holds up each frame."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.phone import doors, enrolled
from bench.result import Result, tell
from bench.server import PostgreSQL

DOORS = 5_000
BAR_MS = 8


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """The frames that our work held up for less than 8 ms, of all frames."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "phone"
        phone = enrolled(store)
        doors(phone, DOORS)
        phone.close()
        yield measured("phone_scroll", "scroll", store)


def measured(name: str, what: str, store: Path) -> Result:
    """What the window tells of its frames."""
    said = subprocess.run(
        [sys.executable, "-m", "bench.window", what, str(store)],
        stdout=subprocess.PIPE, text=True, check=True, timeout=300,
    ).stdout.split("\n")  # fmt: skip
    told: dict[str, Any] = json.loads(said[0])
    for clock in ("wall", "cpu"):
        parts = ", ".join(f"{key} {value}" for key, value in told[clock].items())
        tell(f"{name}: {told['frames']} frames, {clock} ms: {parts}")
    good = told["frames"] - told["wall"]["over_8ms"]
    return Result(name, "sqlite", good, f"frames under {BAR_MS} ms", told["frames"],
                  int(said[1]) / 1024)  # fmt: skip
