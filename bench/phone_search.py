"""The round of 10,000 doors searched as one types, beside a bare look for the word in each text."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.phone import doors, enrolled
from bench.result import Result, best, peak_rss, seconds
from bench.server import PostgreSQL

DOORS, RUNS, TIMES = 10_000, 5, 20
QUESTIONS = ("王秀", "3号楼1单元", "1234", "查无此人")


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Searches per second, once the round has been read."""
    with tempfile.TemporaryDirectory() as folder, peak_rss(os.getpid()) as peak:
        phone = enrolled(Path(folder) / "phone")
        doors(phone, DOORS)
        while not phone.read_round():
            pass
        texts = [door.search for group in phone.walk().groups for door in group.doors]
        assert len(texts) == DOORS

        def search() -> float:
            took = seconds(lambda: [phone.walk(words) for words in QUESTIONS * TIMES])
            return len(QUESTIONS) * TIMES / took

        def floor() -> float:
            took = seconds(
                lambda: [[text for text in texts if words in text] for words in QUESTIONS * TIMES]
            )
            return len(QUESTIONS) * TIMES / took

        value, best_floor = best(RUNS, search, floor)
        phone.close()
        yield Result("phone_search", "sqlite", value, "searches/s", best_floor, peak())
