"""The sync page tells where everything is, before and after."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.sync.phone import DraftPhoto, Phone, SyncItem, VisitDraft
from tests.screens.conftest import line
from tests.screens.district import District
from tests.screens.driver import Driver, sample_photos

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]


def visit_with_photo(phone: Phone, folder: Path) -> str:
    """Save a visit with a photo; the household's id."""
    home = phone.households()[0].id
    photo = DraftPhoto(phone.prepare_photo(sample_photos(folder)[0]))
    draft = phone.new_visit(home)
    phone.save_visit(VisitDraft({**draft.values, "outcome": "met"}, (photo,), draft.grid))
    return home


def open_sync(driver: Driver) -> None:
    """To the third tab."""
    driver.shell.open_tab("sync")
    driver.settle()


def test_the_strip_counts_what_waits_and_leads_to_the_sync_page(
    app: Start, store: Phone, tmp_path: Path
) -> None:
    visit_with_photo(store, tmp_path)
    driver = app(store)
    strip = driver.find("Strip")
    assert strip.text == "待上传 2"
    driver.tap(strip)
    assert driver.page.name == "sync" and driver.page.state == "1条记录、1张照片待上传"


def test_without_a_network_all_stays_and_that_is_said(
    app: Start, store: Phone, tmp_path: Path, shots: Path
) -> None:
    visit_with_photo(store, tmp_path)
    driver = app(store)
    open_sync(driver)
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    assert driver.reads("内容都在手机上") and "1条记录" in driver.page.state
    driver.shot(shots / "sync_offline.png")


def test_a_sync_makes_all_safe(app: Start, place: District, tmp_path: Path, shots: Path) -> None:
    phone = place.phone(tmp_path / "own")
    line(phone).on = False
    home = visit_with_photo(phone, tmp_path)
    line(phone).on = True
    driver = app(phone)
    open_sync(driver)
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    assert driver.page.state == "全部安全" and driver.reads("照片 1 / 1 已核实")
    assert phone.household(home).visits[0].place == "applied"
    driver.shot(shots / "sync_safe.png")


def test_what_came_back_says_why_and_can_be_opened(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch, shots: Path
) -> None:
    home = store.households()[0]
    item = SyncItem(
        "tx", "edit", "修改住户", "Edit", "household", home.id, store.status().last_contact or 0,
        "returned", "out_of_scope", "不在您负责的网格", "Not in your grids",
    )  # fmt: skip
    status = dataclasses.replace(
        store.status(), items=(item,), clock_wrong=True, clock_offset=6 * 60_000
    )
    monkeypatch.setattr(store, "status", lambda: status)
    driver = app(store)
    open_sync(driver)
    assert driver.reads("不在您负责的网格") and driver.reads("手机时间快了6分钟")
    driver.shot(shots / "sync_returned.png")
    driver.tap(driver.find("LinkCard", title="修改住户"))
    assert driver.page.name == "household" and driver.page.household_id == home.id
