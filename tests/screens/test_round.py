"""My round: every door in order, found by name, building or the end of the phone number."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.core.walking import walk
from mobile.sync.phone import HouseholdFilter, Phone
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
    assert head["show"]["title"].endswith(f"{homes[0].building} {homes[0].unit}")
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
    one = store.walk().groups[0].doors[0]
    many = [
        dataclasses.replace(one, id=f"door-{n}", door=str(n), building=f"{n // 60}号楼")
        for n in range(10_000)
    ]
    facts, now = store.walk().facts, store.walk().now
    monkeypatch.setattr(store, "walk", lambda *_: walk(many, facts, now))
    driver = app(store)
    rows = driver.page.ids.rows
    assert len(rows.data) == 10_000 + 167
    rows.scroll_y = 0
    driver.settle()
    assert rows.view_of("door-9999") is not None
    rows.scroll_y = 1
    driver.settle()
    driver.drag((300, 300), (300, 1000))
    assert rows.scroll_y < 1
    assert len(rows.layout_manager.children) < 15


def test_a_long_name_and_a_rare_character_leave_the_marks_in_place(
    app: Start, store: Phone, shots: Path
) -> None:
    homes = store.households()[:2]
    for home, name in zip(homes, (LONG, "䶮𬭎㓥🙂"), strict=True):
        store.edit("household", home.id, {"contact_name": name, "care_groups": ["elder_alone"]})
    driver = app(store)
    view = driver.page.ids.rows.view_of(homes[0].id)
    marks = [w for w in view.walk() if getattr(w, "text", "") == "待上传"]
    assert marks and marks[0].right <= view.right
    name = next(w for w in view.walk() if getattr(w, "text", "") == LONG)
    assert name.right < marks[0].x
    assert driver.reads("䶮𬭎㓥🙂")  # kept whole, whatever the font can draw
    driver.shot(shots / "round_long_name.png")


def test_the_nearest_stair_comes_first_where_the_place_is_known(app: Start, store: Phone) -> None:
    groups = store.walk().groups
    far = next(g for g in reversed(groups) if g.doors[0].position)
    lat, lng = far.doors[0].position

    class Here:
        def position(self) -> dict[str, float]:
            return {"lat": lat, "lng": lng, "accuracy": 8}

    driver = app(store, locator=Here())
    driver.tap(driver.page.ids.near)
    assert driver.said == "由近到远排列"
    head, first = driver.page.ids.rows.data[0], driver.page.ids.rows.data[1]
    assert head["show"]["title"].startswith(far.compound)
    assert "米" in head["show"]["count"] and first["viewclass"] == "DoorRow"


def test_the_round_is_read_in_slices_and_the_first_doors_are_there_at_once(store: Phone) -> None:
    first = store.walk()
    assert not first.whole and first.found == 40
    while not store.read_round():
        pass
    whole = store.walk()
    assert whole.whole and whole.total == len(store.households())
    assert [d.id for g in first.groups for d in g.doors] == [
        d.id for g in whole.groups for d in g.doors
    ][:40]


def test_the_round_in_memory_follows_what_is_saved(store: Phone) -> None:
    while not store.read_round():
        pass
    home = store.households()[0]
    store.edit("household", home.id, {"contact_name": "新来的", "care_groups": ["disabled"]})
    store.no_change(home.id)
    found = store.walk("新来的").groups[0].doors
    assert [door.id for door in found] == [home.id] and found[0].care
    assert home.id in {d.id for g in store.walk("", "waiting").groups for d in g.doors}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_in_the_largest_text_heads_and_doors_are_read_to_their_ends(
    app: Start, store: Phone, shots: Path, language: str
) -> None:
    store.keep_setting("text_size", "1.5")
    store.keep_setting("language", language)
    driver = app(store)
    driver.shot(shots / f"round_large_{language}.png")
    rows = driver.page.ids.rows
    ends = [one["offset"] + one["tall"] for one in rows.data]
    assert ends[:-1] == [one["offset"] for one in rows.data[1:]]
    sight = [w for w in rows.walk(restrict=True) if type(w).__name__ == "Sub" and w.text]
    assert len(sight) > 3 and not [w.text for w in sight if "…" in w._label.text]
    driver.shell.go("enrol")
    driver.settle()
    driver.shot(shots / f"enrol_large_{language}.png")
    assert not [w.text for w in driver.page.walk() if getattr(w, "is_shortened", False)]
    switch = driver.find("Quiet", icon="globe")
    assert "\n" not in switch.ids.said._label.text
