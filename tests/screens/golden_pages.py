"""One small picture of each page over a store that is always the same: the golden pictures.

`python -m tests.screens.golden_pages` (make golden) draws them anew; test_golden.py compares.
Grey, a quarter of the phone's pixels a side: what moves, vanishes or is cut off shows, a font's
rounding does not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.phone import NOW, checkpoint, enrolled, row, take
from mobile.sync.phone import Phone
from tests.screens.driver import Driver, running

FOLDER = Path(__file__).parent / "golden"
SIZE = (180, 320)
DAY = 24 * 3600 * 1000
HOME, VISIT, PROBLEM = (f"01900000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
NAMES = ("王秀兰", "阿卜杜热合曼·买买提吐尔逊·艾则孜江", "李䶮", "陈建国", "欧阳小芳", "刘𬭎")


class Standing:
    """A clock that stands."""

    boot = "boot"

    def wall(self) -> int:
        """Unix ms."""
        return NOW

    def mono(self) -> int:
        """ms since the start."""
        return 1_000


def fill(folder: Path) -> Phone:
    """Doors, a visit and a problem; the same on every day and every machine."""
    phone = enrolled(folder, clock=Standing())
    doors = [
        row(n, "household", HOME if n == 1 else f"01900000-0000-7000-8000-0000000001{n:02d}", {
            "building": str(n // 4 + 1), "unit": str(n // 2 % 2 + 1), "door": f"{n % 6 + 1}01",
            "contact_name": NAMES[n % 6], "contact_phone": "13800001234",
            "care_groups": ["elder_alone"] if n == 1 else [],
        })
        for n in range(1, 13)
    ]  # fmt: skip
    visit = row(13, "visit", VISIT, {
        "target_kind": "household", "target_id": HOME, "target_name": "1号楼1单元201",
        "reason": "routine", "outcome": "met", "note": "老人在家，药够吃到下月。楼道灯坏了三天。",
        "concern_tags": ["worry"], "visited_at": NOW - 3 * DAY, "review_state": "pending",
    })  # fmt: skip
    problem = row(14, "problem", PROBLEM, {
        "category": "emergency_trapped", "description": "2单元楼道灯不亮", "place": "1号楼2单元",
        "state": "reported", "urgency": "normal", "household_id": HOME, "found_at": NOW - DAY,
        "step": 0, "round": 1, "source": "worker",
    })  # fmt: skip
    lines = [*doors, visit, problem]
    take(phone, [*lines, checkpoint(14, {line["id"]: 1 for line in lines})])
    return phone


def pages() -> list[tuple[str, dict[str, Any]]]:
    """Every page that needs no server, with what it is opened for."""
    return [
        ("round", {}), ("ledger", {}), ("sync", {}), ("me", {}),
        ("household", {"household_id": HOME}), ("visit_form", {"household_id": HOME}),
        ("visit", {"visit_id": VISIT}), ("problem", {"problem_id": PROBLEM}),
        ("report", {"household_id": HOME}), ("feedback", {}), ("about", {}), ("enrol", {}),
    ]  # fmt: skip


@contextmanager
def opened(language: str = "zh") -> Iterator[Driver]:
    """The app over that store."""
    with tempfile.TemporaryDirectory(prefix="golden-") as made:
        phone = fill(Path(made) / "phone")
        phone.keep_setting("language", language)
        with running(Path(made) / "unused", phone=phone, now=lambda: NOW) as driver:
            yield driver


def drawn(driver: Driver, name: str, args: dict[str, Any]) -> Any:
    """A page's picture, small and grey."""
    from PIL import Image

    driver.shell.go(name, **args)
    driver.settle()
    driver.let_pass(1.2)  # until the bar of a list has faded
    return driver.picture().convert("L").resize(SIZE, Image.Resampling.BOX)


def difference(one: Any, other: Any) -> float:
    """The share of pixels, in per cent, that are plainly lighter or darker."""
    from PIL import ImageChops

    apart = ImageChops.difference(one, other).histogram()
    return 100 * sum(apart[48:]) / (SIZE[0] * SIZE[1])


def main() -> None:
    """Draw all anew."""
    FOLDER.mkdir(exist_ok=True)
    with opened() as driver:
        for name, args in pages():
            path = FOLDER / f"{name}.png"
            drawn(driver, name, args).quantize(16).save(path, optimize=True)
            print(f"{path.name}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
