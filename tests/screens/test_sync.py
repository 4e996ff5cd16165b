"""The sync page tells where everything is, before and after."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from mobile.sync.phone import DraftPhoto, Phone, SyncItem, TaskRow, VisitDraft
from mobile.ui import words
from mobile.ui.next_steps import next_step
from shared import protocol
from tests.screens.conftest import line
from tests.screens.district import District
from tests.screens.driver import Driver, sample_photos

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
    assert driver.find("LinkCard", badge="待上传") and not driver.reads("已发出")
    driver.shot(shots / "sync_offline.png")


@pytest.mark.screen
@pytest.mark.parametrize(
    "nowhere", ["http://127.0.0.1:1/", "http://no-such-host.invalid/", "http://[::1]:1/"]
)
def test_what_could_not_even_connect_was_not_sent(
    store: Phone, tmp_path: Path, nowhere: str
) -> None:
    visit_with_photo(store, tmp_path)
    line(store).nowhere = nowhere
    for _ in range(2):
        assert {one.code for one in store.sync().troubles} == {"offline"}
        assert [item.place for item in store.status().items] == ["waiting"]


@pytest.mark.screen
@pytest.mark.parametrize(
    ("failure", "left"),
    [
        (requests.ConnectTimeout("no answer to the first packet"), False),
        (requests.ConnectionError("cut on the way"), True),
        (requests.ReadTimeout("no answer"), True),
    ],
)
def test_what_may_have_arrived_waits_for_its_receipt(
    place: District, tmp_path: Path, failure: Exception, left: bool
) -> None:
    phone = place.phone(tmp_path / "own")
    visit_with_photo(phone, tmp_path)
    line(phone).accident = failure
    phone.sync()
    assert [item.place for item in phone.status().items] == ["sent" if left else "waiting"]
    phone.sync()
    assert [item.place for item in phone.status().items] == ["applied"]


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
    assert driver.page.state == "全部安全" and driver.reads("1张照片，1张已安全")
    assert phone.household(home).visits[0].place == "applied"
    driver.shot(shots / "sync_safe.png")


def came_back(store: Phone, **more: Any) -> SyncItem:
    """An item that the server did not take as it was."""
    home = store.households()[0]
    item = SyncItem(
        "tx", "edit", f"修改：{home.name}", "Edit", "household", home.id,
        store.status().last_contact or 0, "returned", "fixed_field",
        protocol.title("fixed_field"), protocol.title("fixed_field", "en"),
    )  # fmt: skip
    return dataclasses.replace(item, **more)


def show(monkeypatch: pytest.MonkeyPatch, store: Phone, **more: Any) -> None:
    """Let the phone say this of itself."""
    status = dataclasses.replace(store.status(), **more)
    monkeypatch.setattr(store, "status", lambda: status)


def test_what_came_back_says_why_what_to_do_and_opens_the_record(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch, shots: Path
) -> None:
    late = came_back(
        store, id="tx2", place="held", code="late_handover", field="partition",
        reason_zh=protocol.title("late_handover"),
    )  # fmt: skip
    show(monkeypatch, store, items=(came_back(store, field="building"), late))
    driver = app(store)
    open_sync(driver)
    assert driver.reads("这一项建立后不能改\n哪一项：楼栋")
    assert driver.reads("下一步：要改这一项，请联系网格长")
    assert driver.reads("下一步：不用重填，网格长确认后就算数") and not driver.reads("partition")
    driver.shot(shots / "sync_returned.png")
    driver.tap(driver.find("LinkCard", badge="没有收下"))
    assert driver.page.name == "household"
    assert driver.page.household_id == store.households()[0].id


def test_the_strip_is_not_all_safe_while_something_is_not_accepted(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = [came_back(store), came_back(store, id="tx2", place="held")]
    disputed = came_back(store, id="tx3", place="conflict", code="")
    show(monkeypatch, store, items=(*back, disputed))
    driver = app(store)
    assert (driver.find("Strip").text, driver.find("Strip").icon) == ("2 条没收下", "flag")
    open_sync(driver)
    assert driver.page.state == "都已送到，2条还没收下"
    show(monkeypatch, store, items=(disputed,))
    driver.page.refresh()
    driver.settle()
    assert driver.page.state == "都已送到，1条等网格长裁定"
    driver.shell.open_tab("round")
    driver.settle()
    assert driver.find("Strip").text == "1 条待裁定"
    show(monkeypatch, store, items=(came_back(store, place="settled"),))
    driver.app.around.syncer.count()
    driver.settle()
    assert driver.find("Strip").text == "全部安全"


def test_what_came_back_opens_the_task_that_settles_it(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch, shots: Path
) -> None:
    home = store.households()[0]
    task = TaskRow(
        "task", "rejected_change", "有内容没有收下", "A change was not accepted", "household",
        home.id, home.name, "needs", {"field": "contact_phone", "result": "rejected"}, None,
        "open", False,
    )  # fmt: skip
    monkeypatch.setattr(store, "tasks", lambda include_done=False: [task])
    item = came_back(store, code="needs", field="contact_phone", task_id="task")
    show(monkeypatch, store, items=(item,))
    driver = app(store)
    open_sync(driver)
    driver.tap(driver.find("LinkCard", badge="没有收下"))
    assert driver.page.name == "task" and driver.reads("还缺必填内容")
    assert driver.reads("哪一项：联系电话") and driver.reads("下一步：打开补上，再保存一次")
    driver.shot(shots / "task_returned.png")
    driver.tap(driver.page.ids.main)
    assert driver.page.name == "household" and driver.page.household_id == home.id


def test_what_is_no_longer_on_the_phone_is_said_to_be_gone(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, store, items=(came_back(store, about_id="gone"),))
    driver = app(store)
    open_sync(driver)
    driver.tap(driver.find("LinkCard", badge="没有收下"))
    assert driver.page.name == "sync" and driver.said == "手机上没有这条记录了"


@pytest.mark.parametrize("code", protocol.TRANSACTION_CODES)
def test_every_reason_has_a_next_step_in_both_languages(code: str) -> None:
    told = set()
    for language in words.LANGUAGES:
        words.set_language(language)
        told |= {next_step(code, True), next_step(code, False)}
    words.set_language("zh")
    assert len(told) in (2, 4) and all(told)
