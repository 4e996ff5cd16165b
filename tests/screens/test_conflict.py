"""Two people wrote one thing differently: both are shown, then what was decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridledger.demo import build
from mobile.sync.phone import ConflictRow, Phone
from mobile.ui.times import moment
from server.operations.decide import decide
from server.storage.database import db
from server.storage.models import Conflict
from tests.screens.district import District
from tests.screens.driver import Driver
from tests.screens.test_sync import open_sync

Start = Callable[..., Driver]
OURS, THEIRS = "13911112222", "13933334444"


@pytest.fixture
def differing(place: District, tmp_path: Path) -> tuple[Phone, ConflictRow]:
    """A phone whose change met another one; nobody has decided yet."""
    one, two = place.phone(tmp_path / "one"), place.phone(tmp_path / "two")
    taken = {c.about_id for c in one.conflicts()}
    home = next(h for h in one.households() if h.id not in taken)
    one.edit("household", home.id, {"contact_phone": OURS})
    two.edit("household", home.id, {"contact_phone": THEIRS})
    assert one.sync().complete and two.sync().complete
    one.close()
    return two, next(c for c in two.conflicts() if c.about_id == home.id)


def verdict(place: District, conflict_id: str, value: Any) -> str:
    """Let the supervisor decide; who that is."""
    with build.application(place.folder):
        viewer = place.supervisor()
        one = db.session.get(Conflict, conflict_id)
        assert one is not None
        decide(viewer, conflict_id, value, one.version)
        return viewer.user_id


def cards(driver: Driver) -> list[tuple[str, str, bool]]:
    """Title, value and mark of each value on the page."""
    cards = [w for w in driver.page.walk(restrict=True) if type(w).__name__ == "ValueCard"]
    return [(card.title, card.value, card.chosen) for card in cards]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_values_stand_with_who_wrote_them_and_when_until_one_is_chosen(
    app: Start,
    differing: tuple[Phone, ConflictRow],
    place: District,
    shots: Path,
    language: str,
) -> None:
    phone, row = differing
    phone.keep_setting("language", language)
    driver = app(phone)
    zh = language == "zh"
    open_sync(driver)
    link = next(
        w
        for w in driver.page.walk(restrict=True)
        if type(w).__name__ == "LinkCard" and w.title.startswith(row.about_name)
        and w.badge_icon == "split"
    )  # fmt: skip
    assert OURS not in link.why, "a number is not shown whole in a list"
    driver.tap(link)
    assert driver.page.name == "conflict" and driver.page.conflict_id == row.id
    now = driver.app.around.now()
    assert [card[1:] for card in cards(driver)] == [(OURS, False), (THEIRS, False)]
    for at in (row.accepted_at, row.proposed_at):
        assert at and driver.reads(f"{place.worker['name']} · {moment(at, now)}")
    assert driver.reads("等网格长裁定" if zh else "the supervisor decides")
    driver.shot(shots / f"conflict_open_{language}.png")

    decider = verdict(place, row.id, THEIRS)
    assert phone.sync().complete
    driver.shell.refresh()
    driver.settle()
    assert [card[1:] for card in cards(driver)] == [(OURS, False), (THEIRS, True)]
    assert driver.reads(f"已裁定：{THEIRS}" if zh else f"Decided: {THEIRS}")
    assert not driver.reads(decider), "an id is no name"
    driver.shot(shots / f"conflict_decided_{language}.png")
    driver.tap(driver.page.ids.open)
    assert driver.page.name == "household" and driver.page.household_id == row.about_id
    open_sync(driver)
    driver.reach(driver.find("LinkCard", badge="已裁定" if zh else "Decided"))
    driver.shot(shots / f"sync_decided_{language}.png")


def test_a_third_value_is_shown_as_what_was_decided(
    app: Start, differing: tuple[Phone, ConflictRow], place: District, shots: Path
) -> None:
    phone, row = differing
    verdict(place, row.id, "13955556666")
    assert phone.sync().complete
    driver = app(phone)
    driver.shell.go("conflict", conflict_id=row.id)
    driver.settle()
    assert [card[1:] for card in cards(driver)] == [
        (OURS, False), (THEIRS, False), ("13955556666", True),
    ]  # fmt: skip
    driver.shot(shots / "conflict_third.png")


def test_the_task_of_a_verdict_leads_to_the_conflict(
    app: Start, differing: tuple[Phone, ConflictRow], place: District
) -> None:
    phone, row = differing
    verdict(place, row.id, OURS)
    assert phone.sync().complete
    task = next(
        t for t in phone.tasks()
        if t.type == "conflict_verdict" and t.detail["conflict_id"] == row.id
    )  # fmt: skip
    driver = app(phone)
    driver.shell.go("task", task_id=task.id)
    driver.settle()
    driver.tap(driver.page.ids.main)
    assert driver.page.name == "conflict" and driver.page.conflict_id == row.id


def test_a_door_leads_to_its_conflict(
    app: Start, differing: tuple[Phone, ConflictRow], shots: Path
) -> None:
    phone, row = differing
    driver = app(phone)
    driver.shell.go("household", household_id=row.about_id)
    driver.settle()
    driver.shot(shots / "household_conflict.png")
    driver.tap(driver.page.ids.conflict)
    assert driver.page.name == "conflict" and driver.page.conflict_id == row.id


def test_a_conflict_that_is_gone_is_said_to_be(app: Start, store: Phone) -> None:
    driver = app(store)
    driver.shell.go("conflict", conflict_id="gone")
    driver.settle()
    assert driver.reads("手机上没有这条记录了") and cards(driver) == []
