"""What the phone knows about itself is told in plain sentences: stopped, old, mended, restored."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.storage.store import FILE
from mobile.sync import client as wire
from mobile.sync.phone import Phone, Recovered
from mobile.ui import banners, words
from tests.screens.conftest import line
from tests.screens.district import District, Line
from tests.screens.driver import Driver
from tests.screens.test_sync import open_sync, show, visit_with_photo
from tests.sync.test_rescue import pages_of, spoil

Start = Callable[..., Driver]


def sync(driver: Driver) -> None:
    """Tap the button and wait for the end."""
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()


def test_a_stopped_phone_says_what_is_left_then_that_all_is_handed_in_then_why_it_is_empty(
    app: Start,
    place: District,
    tmp_path: Path,
    shots: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phone = place.phone(tmp_path / "own")
    line(phone).on = False
    home = visit_with_photo(phone, tmp_path)
    line(phone).on = True
    place.revoke(phone)

    def busy(*_: object) -> None:
        raise wire.RequestFailed("locked", "", 423)

    monkeypatch.setattr(wire.Client, "push", busy)
    monkeypatch.setattr(wire.Client, "photo_begin", busy)
    driver = app(phone)
    open_sync(driver)
    sync(driver)
    assert driver.reads("这部手机已停用，还有1条记录、1张照片没交上，请保持联网。")
    assert not driver.reads("请联系管理员"), "it is said once"
    driver.shot(shots / "revoked_left.png")
    monkeypatch.undo()
    sync(driver)
    assert driver.reads("这部手机已停用，手里的内容已交给网格长。下次同步时手机会清空。")
    driver.shot(shots / "revoked_handed_in.png")

    driver.shell.go("visit_form", household_id=home)
    driver.settle()
    driver.fill(driver.page.ids.note, "正在写的半句话")
    driver.app.around.syncer.start()
    driver.wait(lambda: driver.page.name == "enrol")
    driver.let_pass(0.6)  # longer than a draft waits
    driver.settle()
    assert driver.reads("内容已全部交给网格长，手机上已清空") and not driver.shell.back()
    assert phone.drafts() == [] and not phone.enrolled
    driver.shot(shots / "revoked_wiped.png")
    driver.fill(driver.page.ids.link, place.link())
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: driver.page.name == "round")
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    open_sync(driver)
    assert not driver.reads("停用")


def test_a_wiped_phone_still_says_why_when_it_is_opened_again(
    app: Start, place: District, tmp_path: Path
) -> None:
    phone = place.phone(tmp_path / "own")
    place.revoke(phone)
    phone.sync()
    phone.sync()
    phone.close()
    driver = app(Phone.open(tmp_path / "own", http=Line()))
    assert driver.page.name == "enrol" and driver.reads("这部手机已停用")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_old_app_a_wrong_clock_and_mended_data_are_each_told(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch, shots: Path, language: str
) -> None:
    store.keep_setting("language", language)
    show(
        monkeypatch, store, upgrade_needed=True, clock_wrong=True, clock_offset=6 * 60_000,
        repairs=2, buckets_repaired=3,
    )  # fmt: skip
    driver = app(store)
    open_sync(driver)
    told = {
        "zh": ("请更新应用；内容仍会上传", "手机时间快了6分钟", "核对时修复过2次"),
        "en": ("Please update the app", "6 minutes fast", "differences 2 times"),
    }[language]
    for sentence in told:
        assert driver.reads(sentence)
    driver.shot(shots / f"told_{language}.png")


def test_a_slow_clock_is_told_too(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, store, clock_wrong=True, clock_offset=-7 * 60_000)
    driver = app(store)
    open_sync(driver)
    assert driver.reads("手机时间慢了7分钟")


def test_an_old_phone_is_told_once_by_what_the_server_said(
    app: Start, place: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = place.phone(tmp_path / "own")

    def too_old(*_: object) -> None:
        raise wire.RequestFailed("upgrade_required", "", 426)

    monkeypatch.setattr(wire.Client, "pull", too_old)
    driver = app(phone)
    open_sync(driver)
    sync(driver)
    notes = [w.text for w in driver.page.walk(restrict=True) if type(w).__name__ == "Note"]
    assert notes == ["请更新应用；内容仍会上传，但收不到新内容。"], "said once"


@pytest.fixture
def damaged(pulled: Path, tmp_path: Path) -> Path:
    """The folder of a phone with one visit that was not sent, spoilt among its records."""
    folder = tmp_path / "damaged"
    shutil.copytree(pulled, folder)
    phone = Phone.open(folder, http=Line())
    line(phone).on = False
    visit_with_photo(phone, tmp_path)
    phone.close()
    middle = pages_of(folder / FILE, "record", 0x0D)
    spoil(folder / FILE, middle[len(middle) // 2])
    return folder


def test_a_restored_store_is_told_once_at_the_start(app: Start, damaged: Path, shots: Path) -> None:
    phone = Phone.open(damaged, http=Line())
    line(phone).on = False
    driver = app(phone)
    assert driver.page.name == "sync"
    assert driver.reads("本机数据库损坏，已恢复1条未上传，旧文件保留。其余内容会重新下载。")
    driver.shot(shots / "recovered.png")
    driver.tap(driver.find("AskNote").ids.read)
    driver.shell.open_tab("round")
    open_sync(driver)
    assert not driver.reads("损坏")
    assert phone.recovered is not None and phone.recovered.file.exists()


def test_a_restored_store_without_its_owner_asks_to_enrol(
    app: Start, damaged: Path, place: District, shots: Path
) -> None:
    path = damaged / FILE
    for page in pages_of(path, "meta", 0x0A):
        spoil(path, page)
    phone = Phone.open(damaged, http=Line())
    assert phone.recovered is not None and not phone.recovered.enrolled
    driver = app(phone)
    assert driver.page.name == "enrol"
    assert driver.reads("已恢复1条未上传，旧文件保留。请重新登记，登记后自动上传。")
    driver.shot(shots / "recovered_enrol.png")
    driver.fill(driver.page.ids.link, place.link())
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: driver.page.name == "round")
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    assert phone.status().waiting == 0


@pytest.mark.parametrize(
    ("found", "zh", "en"),
    [
        (
            Recovered(Path("old"), 3, 2, 0, 0, True),
            "已恢复3条未上传，旧文件保留。有2条读不出来，请凭记忆补填。其余内容会重新下载。",
            "Unsent entries saved: 3. The old file is kept. Entries that could not be read: 2;",
        ),
        (Recovered(Path("old"), 0, 0, 0, 0, False), "没有未上传的内容", "Please enrol again"),
    ],
)
def test_what_a_restored_store_lost_is_counted(found: Recovered, zh: str, en: str) -> None:
    assert zh in banners.recovered(found)
    words.set_language("en")
    assert en in banners.recovered(found)
    words.set_language("zh")


def test_a_new_phone_is_told_nothing(app: Start, tmp_path: Path) -> None:
    driver = app(Phone.open(tmp_path / "new", http=Line()))
    assert driver.page.name == "enrol" and driver.page.why == ""
