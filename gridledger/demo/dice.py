"""Chance that repeats itself: each part of the demo has dice of its own, named after it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from shared import ids

T = TypeVar("T")
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000
DAY = 24 * HOUR
FOLDER = Path(__file__).parent


class Dice(random.Random):
    """Random choices from one name; other dice do not move when these are thrown more often."""

    def new_id(self, ms: int) -> str:
        """A UUIDv7 of that moment, the same for the same dice."""
        return ids.uuid7(ms, self.randbytes(10))

    def chance(self, share: float) -> bool:
        """True in this share of the throws."""
        return self.random() < share

    def maybe(self, share: float, options: Sequence[T]) -> T | None:
        """One of the options in this share of the throws, else None."""
        return self.choice(options) if self.chance(share) else None


def dice(*name: object) -> Dice:
    """The dice of a name, such as ``dice(seed, "visits", grid, day)``."""
    return Dice("/".join(str(part) for part in name))


def midnight(ms: int) -> int:
    """The start of that day in Shanghai, Unix ms."""
    local = datetime.fromtimestamp(ms / 1000, SHANGHAI)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def weekday(day: int) -> int:
    """The weekday of a midnight in Shanghai; Monday is 0."""
    return (datetime.fromtimestamp(day / 1000, SHANGHAI) + timedelta(hours=1)).weekday()


@cache
def words(name: str) -> Any:
    """One of the word lists beside this file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
