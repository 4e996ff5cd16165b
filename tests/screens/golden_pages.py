"""One small picture of each page over a store that is always the same: the golden pictures.

`python -m tests.screens.golden_pages` (make golden) draws them anew; test_golden.py compares.
Grey, a quarter of the phone's pixels a side: what moves, vanishes or is cut off shows, a font's
rounding does not.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.phone import NOW, OTHER, USER, checkpoint, enrolled, row, take
from mobile.sync.phone import Phone
from tests.screens.driver import Driver, running

FOLDER = Path(__file__).parent / "golden"
SIZE = (180, 320)
DAY = 24 * 3600 * 1000
HOME, VISIT, PROBLEM, TASK, CONFLICT = (
    f"01900000-0000-7000-8000-00000000000{n}" for n in range(1, 6)
)
PIN = "271828"
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
    """Doors, a visit, a problem, a task and a conflict; the same on every day and every machine."""
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
    task = row(15, "task", TASK, {
        "user_id": USER, "type": "recheck", "state": "open", "about_kind": "household",
        "about_id": HOME, "due_at": NOW + 2 * DAY,
    })  # fmt: skip
    conflict = row(16, "conflict", CONFLICT, {
        "about_kind": "household", "about_id": HOME, "field": "contact_phone", "state": "open",
        "accepted": "13800001234", "accepted_by": USER, "accepted_at": NOW - 2 * DAY,
        "proposed": "13933334444", "proposed_by": OTHER, "proposed_at": NOW - DAY,
    })  # fmt: skip
    lines = [*doors, visit, problem, task, conflict]
    take(phone, [*lines, checkpoint(16, {line["id"]: 1 for line in lines})])
    return phone


def pages(phone: Phone) -> list[tuple[str, dict[str, Any]]]:
    """Every page that needs neither server nor gate, with what it is opened for."""
    from mobile.ui.screens.pick import Option

    offer = next(one for one in phone.problem(PROBLEM).actions if one.name == "request_closure")
    options = [
        Option("light", "路灯、楼道灯不亮", "公共设施", "3天内"),
        Option("trapped", "电梯困人", "紧急", "马上", "call", "danger"),
        Option("fire", "消防通道堵塞", "紧急", "当天"),
    ]
    picking = {"title": "类别", "options": options, "chosen": "light", "then": print}
    picking["recent"] = ["fire"]
    photo = phone.prepare_photo(scene())
    return [
        ("round", {}), ("ledger", {}), ("sync", {}), ("me", {}),
        ("household", {"household_id": HOME}), ("visit_form", {"household_id": HOME}),
        ("visit", {"visit_id": VISIT}), ("problem", {"problem_id": PROBLEM}),
        ("report", {"household_id": HOME}), ("feedback", {}), ("about", {}), ("enrol", {}),
        ("task", {"task_id": TASK}), ("conflict", {"conflict_id": CONFLICT}),
        ("action", {"problem_id": PROBLEM, "offer": offer, "about": "2单元楼道灯不亮",
                    "photo": "must", "asks_cause": True}),
        ("pick", picking), ("photo", {"path": str(photo.path), "title": "照片"}),
    ]  # fmt: skip


def scene() -> bytes:
    """A photo: a wall, a door, a lamp."""
    from PIL import Image, ImageDraw

    image, out = Image.new("RGB", (640, 480), "#8fb6c9"), io.BytesIO()
    ink = ImageDraw.Draw(image)
    ink.rectangle((220, 120, 420, 480), fill="#6b4a2f")
    ink.ellipse((290, 30, 350, 90), fill="#fff3b0")
    image.save(out, "JPEG")
    return out.getvalue()


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
    driver.shell.go(name, **args)
    driver.settle()
    driver.let_pass(1.2)  # until the bar of a list has faded
    return small(driver)


def small(driver: Driver) -> Any:
    """What is in sight, small and grey."""
    from PIL import Image

    return driver.picture().convert("L").resize(SIZE, Image.Resampling.BOX)


def pictures() -> Iterator[tuple[str, Any]]:
    """Every page's name and picture."""
    with opened() as driver:
        for name, args in pages(driver.app.around.phone):
            yield name, drawn(driver, name, args)
    yield from at_the_gate()


def at_the_gate() -> Iterator[tuple[str, Any]]:
    """The page that sets a PIN, and the gate that asks for it."""
    with tempfile.TemporaryDirectory(prefix="golden-") as made:
        folder = Path(made) / "phone"
        fill(folder).close()
        with running(folder, now=lambda: NOW) as driver:
            yield "pin", drawn(driver, "pin", {})
            gate = driver.app.around.gate
            gate.set_pin(PIN)
            gate.lock()
            driver.settle()
            yield "gate", small(driver)


def difference(one: Any, other: Any) -> float:
    """The share of pixels, in per cent, that are plainly lighter or darker."""
    from PIL import ImageChops

    apart = ImageChops.difference(one, other).histogram()
    return 100 * sum(apart[48:]) / (SIZE[0] * SIZE[1])


def main() -> None:
    """Draw all anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, picture in pictures():
        path = FOLDER / f"{name}.png"
        picture.quantize(16).save(path, optimize=True)
        print(f"{path.name}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
