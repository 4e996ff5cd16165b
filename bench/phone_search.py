"""The round of 10,000 doors searched as one types, beside a bare look for the word in each text."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.phone import checkpoint, enrolled, row, take
from bench.result import Result, best, peak_rss, seconds
from bench.server import PostgreSQL
from mobile.sync.phone import Phone
from shared import ids

DOORS, COMPOUNDS, RUNS, TIMES = 10_000, 40, 5, 20
QUESTIONS = ("王秀", "3号楼1单元", "1234", "查无此人")


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Searches per second, once the round has been read."""
    with tempfile.TemporaryDirectory() as folder, peak_rss(os.getpid()) as peak:
        phone = enrolled(Path(folder) / "phone")
        _fill(phone)
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


def _fill(phone: Phone) -> None:
    compounds = [ids.new_id() for _ in range(COMPOUNDS)]
    lines: list[dict[str, Any]] = [
        row(n, "compound", one, {"name": f"幸福里{n}号院"}) for n, one in enumerate(compounds, 1)
    ]
    for n in range(DOORS):
        values = {
            "compound_id": compounds[n % COMPOUNDS],
            "building": str(n // 1000 + 1),
            "unit": str(n // 250 % 4 + 1),
            "door": f"{n // 40 % 6 + 1}0{n % 2 + 1}",
            "contact_name": "王李张刘陈"[n % 5] + "秀建国"[n % 3] + "兰英军丽"[n % 4],
            "contact_phone": f"138{n * 7919 % 10**8:08}",
        }
        lines.append(row(len(lines) + 1, "household", ids.new_id(), values))
    take(phone, [*lines, checkpoint(len(lines), {line["id"]: 1 for line in lines})])
