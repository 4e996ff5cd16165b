"""My round: every door in order, found by name, building or the end of the phone number."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.sync.phone import HouseholdFilter, HouseholdRow, Phone
from tests.screens.driver import Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]
LONG = "阿卜杜拉合曼·买买提艾力·图尔荪尼亚孜古丽扎尔别克"


def doors(driver: Driver) -> list[str]:
    """The keys of the doors in the list."""
    return [row["key"] for row in driver.page.ids.rows.data if row["viewclass"] == "DoorRow"]


def search(driver: Driver, text: str) -> None:
    """Type into the search field and wait for the answer."""
    driver.fill(driver.page.ids.search.ids.field, text)
    driver.let_pass(0.2)
    driver.settle()


def test_the_doors_stand_in_stair_order_under_their_buildings(
    app: Start, store: Phone, shots: Path
) -> None:
    homes = store.households()
    driver = app(store)
    assert doors(driver) == [home.id for home in homes]
    head = driver.page.ids.rows.data[0]
    assert head["viewclass"] == "GroupRow"
    assert head["show"]["title"].endswith(homes[0].building)
    driver.shot(shots / "round.png")


def test_a_search_finds_by_name_and_by_the_end_of_the_phone_number(
    app: Start, store: Phone
) -> None:
    home = next(home for home in store.households() if home.phone)
    driver = app(store)
    search(driver, home.phone[-4:])
    assert home.id in doors(driver)
    driver.tap(driver.find("IconBtn", icon="close"))
    search(driver, home.name)
    assert home.id in doors(driver) and len(doors(driver)) < len(store.households())


def test_a_search_for_nobody_says_so(app: Start, store: Phone, shots: Path) -> None:
    driver = app(store)
    search(driver, "查无此人")
    assert doors(driver) == [] and driver.reads("没有找到“查无此人”")
    driver.shot(shots / "round_empty.png")


@pytest.mark.parametrize("chosen", ["due", "never", "care"])
def test_a_chip_narrows_the_round(app: Start, store: Phone, chosen: HouseholdFilter) -> None:
    driver = app(store)
    driver.page.ids.filter.value = chosen
    driver.settle()
    assert doors(driver) == [home.id for home in store.households("", chosen)]


def test_a_door_leads_to_its_page_and_back_leads_to_the_round(app: Start, store: Phone) -> None:
    driver = app(store)
    first = store.households()[0]
    driver.tap(driver.page.ids.rows.view_of(first.id))
    assert driver.page.name == "household" and driver.reads(first.name)
    driver.back()
    assert driver.page.name == "round"


def test_a_very_long_list_holds_only_the_rows_in_sight(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store.households()[0]
    many = [
        dataclasses.replace(one, id=f"door-{n}", door=str(n), building=f"{n // 60}号楼")
        for n in range(10_000)
    ]
    monkeypatch.setattr(store, "households", lambda *_: many)
    driver = app(store)
    rows = driver.page.ids.rows
    assert len(doors(driver)) == 10_000
    rows.scroll_y = 0
    driver.frames(4)
    assert rows.view_of("door-9999") is not None
    rows.scroll_y = 1
    driver.frames(4)
    driver.drag((300, 300), (300, 1000))
    assert rows.scroll_y < 1
    assert len(rows.layout_manager.children) < 15


def test_a_long_name_and_a_rare_character_leave_the_marks_in_place(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch, shots: Path
) -> None:
    def odd(home: HouseholdRow, name: str) -> HouseholdRow:
        return dataclasses.replace(home, name=name, pending=True, care=True)

    homes = store.households()[:3]
    homes = [odd(homes[0], LONG), odd(homes[1], "䶮𬭎㓥"), homes[2]]
    monkeypatch.setattr(store, "households", lambda *_: homes)
    driver = app(store)
    view = driver.page.ids.rows.view_of(homes[0].id)
    marks = [w for w in view.walk() if getattr(w, "text", "") == "待上传"]
    assert marks and marks[0].right <= view.right
    name = next(w for w in view.walk() if getattr(w, "text", "") == LONG)
    assert name.right < marks[0].x
    driver.shot(shots / "round_long_name.png")
