"""Two people on one phone: what each was doing stays theirs, whatever goes on at the switch."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobile.storage.people import FOLDER
from tests.screens.district import Line
from tests.screens.driver import Driver
from tests.screens.test_gate import gate

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]
WORDS, MORE = "只给甲看䶮😀", "最后一个字"


class Held(Line):
    """A network whose answers are held back."""

    answers = threading.Event()

    def send(self, request: Any, **more: Any) -> Any:
        """Nothing comes until it may."""
        self.answers.wait(20)
        return super().send(request, **more)


@pytest.fixture
def second(root: Path) -> Path:
    """The store of another person on that phone, who has pulled as well."""
    folder = root / FOLDER / "b"
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(FOLDER, "logs"))
    return folder


def come_in(driver: Driver, which: int) -> None:
    """Choose who one is."""
    cards = [one for one in gate(driver).walk() if type(one).__name__ == "PersonCard"]
    driver.tap(cards[which])
    assert not driver.app.around.gate.shut


def leave(driver: Driver) -> None:
    """Let the other one come, while the store's thread has something to do."""
    go_on = threading.Event()
    driver.app.around.bridge.quick(lambda: go_on.wait(20))
    driver.app.around.gate.switch()
    driver.frames(6)
    go_on.set()
    driver.settle()


def test_the_last_letter_before_a_switch_is_kept_and_only_for_its_writer(
    start: Start, root: Path, second: Path
) -> None:
    driver = start()
    come_in(driver, 0)
    home = driver.app.around.phone.households()[0].id
    driver.shell.go("household", household_id=home)
    driver.settle()
    driver.tap(driver.page.ids.new_visit)
    driver.fill(driver.page.ids.note, WORDS)
    driver.type(MORE)
    leave(driver)
    come_in(driver, 1)
    assert driver.app.around.phone.drafts() == []
    driver.shell.go("visit_form", household_id=home)
    driver.settle()
    assert driver.page.ids.note.text == ""
    driver.fill(driver.page.ids.note, "乙写的")
    leave(driver)
    for path in root.rglob("*"):
        if path.is_file():
            assert WORDS.encode() not in path.read_bytes(), f"{path} can be read by anybody"
    come_in(driver, 0)
    driver.shell.go("visit_form", household_id=home)
    driver.settle()
    assert driver.page.ids.note.text == WORDS + MORE


def test_a_sync_that_ends_after_the_switch_touches_nobodys_pages(
    start: Start, second: Path
) -> None:
    driver = start(http=Held)
    come_in(driver, 0)
    home = driver.app.around.phone.households()[0].id
    driver.shell.go("household", household_id=home)
    driver.settle()
    Held.answers.set()
    driver.app.around.syncer.start()  # what others have sent meanwhile is no visit of this test
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    before = len(driver.app.around.phone.household(home).visits)
    driver.tap(driver.page.ids.no_change)
    Held.answers.clear()
    first = driver.app.around.syncer
    first.start()
    driver.frames(3)
    assert first.running
    driver.app.around.gate.switch()
    driver.frames(3)
    Held.answers.set()
    driver.settle()
    come_in(driver, 1)
    assert not driver.app.around.syncer.running and driver.page.name == "round"
    leave(driver)
    come_in(driver, 0)
    visits = driver.app.around.phone.household(home).visits
    assert len(visits) == before + 1, "the tap before the switch became a visit"
