"""The gate: PIN, several people, and a store that will not open, each with a way on."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mobile.storage import lock, unsent
from mobile.storage.people import FOLDER, UNREADABLE
from mobile.storage.store import FILE
from mobile.storage.vault import DEVICE_KEY, KEY_FILES
from mobile.sync.phone import Phone, SaveFailed
from mobile.ui.handing import FolderHanding
from tests.screens.district import District
from tests.screens.driver import DENSITY, HEIGHT, WIDTH, Driver
from tests.sync.test_rescue import pages_of, spoil

pytestmark = pytest.mark.screen
PIN, WRONG = "271828", "314159"
Open = Callable[..., Driver]


def gate(driver: Driver) -> Any:
    return driver.app.around.gate.gate


def enter(driver: Driver, pad: Any, digits: str) -> None:
    """Six digits; only the last by a finger, which takes its time."""
    for digit in digits[:-1]:
        pad.press(digit)
    driver.tap(pad.key(digits[-1]))


def with_pin(folder: Path) -> None:
    phone = Phone.open(folder)
    lock.note(folder, phone.me.name if phone.me else "", ("zh", "day", "1.0"))
    lock.set_pin(folder, phone._store.vault, PIN)
    phone.close()


def test_a_pin_is_set_on_me_and_asked_for_when_nobody_touched_the_phone(
    start: Open, root: Path, shots: Path
) -> None:
    driver = start()
    assert driver.page.name == "round"
    driver.shell.open_tab("me")
    driver.settle()
    driver.shot(shots / "me_safety.png")
    driver.tap(driver.page.ids.pin)
    enter(driver, driver.page.ids.pad, "111111")
    assert driver.page.ids.pad.problem == "太容易猜到，请换一个"
    enter(driver, driver.page.ids.pad, PIN)
    driver.shot(shots / "pin_again.png")
    enter(driver, driver.page.ids.pad, WRONG)
    assert driver.page.ids.pad.problem == "两遍不一样，请重新输入"
    keeper = driver.app.around.gate
    now = keeper.clock()
    keeper.clock = lambda: now  # however long the touches below take
    enter(driver, driver.page.ids.pad, PIN)
    enter(driver, driver.page.ids.pad, PIN)
    assert driver.page.name == "me" and driver.said == "密码已设好"
    assert PIN not in (root / lock.FILE).read_text()
    keeper.clock = lambda: now + 299
    keeper.look()
    assert not keeper.shut
    keeper.clock = lambda: now + 301
    keeper.look()
    driver.frames(3)
    driver.shot(shots / "gate_pin.png")
    assert keeper.shut
    assert not keeper.key(27, None), "back leads out of the app"
    driver.tap((WIDTH - 60 * DENSITY, HEIGHT - 40 * DENSITY))  # where the strip is
    assert keeper.shut and driver.page.name == "me", "the page under it stays as it was"
    enter(driver, gate(driver).pad, WRONG)
    assert gate(driver).pad.problem == "密码不对，还可以试4次"
    for digit in PIN:
        driver.window.dispatch("on_keyboard", ord(digit), 0, digit, [])
    driver.settle()
    assert not keeper.shut and driver.page.name == "me"


def test_after_five_wrong_tries_a_new_code_opens_it_and_nothing_is_lost(
    start: Open, root: Path, place: District, shots: Path
) -> None:
    with_pin(root)
    driver = start()
    for _ in range(lock.TRIES):
        enter(driver, gate(driver).pad, WRONG)
    assert gate(driver).what == "sign_in" and lock.state(root) == lock.Lock(
        place.worker["name"], True, 0
    )
    driver.wait(lambda: driver.app.around.gate.phone.status().waiting == 0)
    driver.settle()
    assert driver.app.around.shell is None, "unsent work went up; no page was shown"
    driver.shot(shots / "gate_sign_in.png")
    driver.tap(gate(driver).go)
    assert gate(driver).field.error == "请填写登记码"
    driver.fill(gate(driver).code, "AAAA-BBBB")
    driver.tap(gate(driver).go)
    assert "登记码" in gate(driver).field.error
    gate(driver).code.text = place.code()
    driver.tap(gate(driver).go)
    assert driver.page.name == "round" and not driver.app.around.gate.shut
    assert "还没发" in {visit.note for visit in driver.app.around.phone.visits()}
    assert lock.state(root) == lock.Lock(place.worker["name"], False, lock.TRIES)


def test_ending_the_app_gives_no_try_back(root: Path, start: Open) -> None:
    with_pin(root)
    phone = Phone.open(root)
    vault = phone._store.vault
    phone.close()
    assert [lock.unlock(root, vault, WRONG).tries_left for _ in range(3)] == [4, 3, 2]
    driver = start()
    assert "还可以试2次" in gate(driver).pad.problem
    enter(driver, gate(driver).pad, PIN)
    assert driver.page.name == "round"
    (root / lock.FILE).write_text("{broken")
    found = lock.state(root)
    assert found is not None and found.out, "a damaged lock opens to nobody"


def test_two_people_share_a_phone_and_not_their_stores(
    start: Open, root: Path, place: District, shots: Path
) -> None:
    driver = start()
    driver.shell.open_tab("me")
    driver.settle()
    driver.tap(driver.page.ids.lock_now)
    assert gate(driver).what == "choose"
    driver.tap(driver.find("Quiet", gate(driver), text="再加一个人"))
    assert driver.page.name == "enrol"
    driver.fill(driver.page.ids.link, other_link(place))
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: driver.page.name == "pin")
    for _ in range(2):
        enter(driver, driver.page.ids.pad, PIN)
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    assert driver.page.name == "round"
    names = [one.lock.name for one in driver.app.around.gate.people.everyone()]
    assert len(set(names)) == 2 and names[0] == place.worker["name"]
    other = next((root / FOLDER).iterdir())
    assert "还没发" not in {visit.note for visit in driver.app.around.phone.visits()}
    with pytest.raises(SaveFailed, match="damaged"):
        shutil.copytree(root, root.parent / "mixed", ignore=lambda *_: [FOLDER])
        for name in KEY_FILES:
            shutil.copy(other / name, root.parent / "mixed" / name)
        Phone.open(root.parent / "mixed").households()
    driver.app.around.gate.switch()
    driver.settle()
    driver.shot(shots / "gate_choose.png")
    driver.tap(driver.find("PersonCard", gate(driver), name=place.worker["name"]))
    assert driver.page.name == "round"
    assert "还没发" in {visit.note for visit in driver.app.around.phone.visits()}


def other_link(place: District) -> str:
    from gridledger.demo import build
    from server.operations import accounts

    worker = [a for a in place.described["accounts"] if a["role"] == "grid_worker"][1]
    with build.application(place.folder):
        code = accounts.make_enrolment_code(accounts.find_user(worker["username"]).id).text
    return f"gridledger://enrol?server={place.url}&code={code}"


def test_a_lost_key_is_said_and_the_store_can_be_set_aside(
    start: Open, root: Path, shots: Path
) -> None:
    for name in KEY_FILES:
        (root / name).write_text('{"wrapped": "AAAA"}')
    driver = start()
    assert gate(driver).what == "trouble"
    driver.shot(shots / "gate_key_lost.png")
    driver.tap(driver.find("Quiet", gate(driver), text="放到一边，重新开始"))
    assert driver.page.name == "enrol" and not driver.app.around.gate.shut
    aside = next(root.glob(f"{UNREADABLE}*"))
    assert (aside / FILE).exists() and (root / DEVICE_KEY).exists()


def test_a_full_disk_and_a_locked_file_at_the_start_are_said_and_tried_again(
    start: Open, root: Path, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobile.storage.store.BUSY_SECONDS", 0.1)
    other = sqlite3.connect(root / FILE, isolation_level=None)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")
    driver = start()
    assert gate(driver).what == "trouble" and any("占用" in t for t in driver.texts(gate(driver)))
    driver.shot(shots / "gate_locked.png")
    other.close()
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (root / name).rename(root / f"x{name}") if (root / name).exists() else None
    (root / FILE).symlink_to("/dev/full")
    driver.tap(driver.find("Btn", gate(driver), text="再试一次"))
    assert gate(driver).what == "trouble"
    driver.shot(shots / "gate_storage.png")
    (root / FILE).unlink()
    (root / f"x{FILE}").rename(root / FILE)
    driver.tap(driver.find("Btn", gate(driver), text="再试一次"))
    assert driver.page.name == "round"


def test_damage_met_at_work_is_mended_at_a_tap(start: Open, root: Path, shots: Path) -> None:
    driver = start()
    phone = driver.app.around.phone
    phone._store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for page in pages_of(root / FILE, "record", 0x0D):
        spoil(root / FILE, page)
    with phone._store._free:
        for reader in phone._store._readers:
            reader.execute("PRAGMA cache_size = 1")
            reader.execute("PRAGMA shrink_memory")
    driver.shell.open_tab("ledger")
    driver.settle()
    assert gate(driver) is not None and gate(driver).what == "trouble"
    driver.shot(shots / "gate_damaged.png")
    driver.tap(driver.find("Btn", gate(driver), text="马上修复"))
    driver.wait(lambda: not driver.app.around.gate.shut)
    driver.settle()
    assert driver.page.name == "sync" and driver.reads("已恢复1条未上传")
    driver.shot(shots / "sync_recovered.png")


def in_english(root: Path) -> None:
    phone = Phone.open(root)
    phone.keep_setting("language", "en")
    lock.note(root, phone.me.name if phone.me else "", ("en", "day", "1.0"))
    phone.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_store_of_a_newer_app_says_so_and_still_gives_its_unsent_work(
    start: Open, root: Path, tmp_path: Path, shots: Path, language: str
) -> None:
    if language == "en":
        in_english(root)
    with closing(sqlite3.connect(root / FILE)) as db:
        db.execute("PRAGMA user_version = 99")
    driver = start(handing=FolderHanding(lambda _, then: then(tmp_path)))
    assert gate(driver).what == "trouble"
    wanted = {"zh": "请先更新应用", "en": "update the app"}[language]
    assert any(wanted in words for words in driver.texts(gate(driver)))
    export = {"zh": "导出未发送内容", "en": "Export unsent work"}[language]
    driver.tap(driver.find("Quiet", gate(driver), text=export))
    told = " ".join(driver.texts(gate(driver)))
    assert wanted in told and unsent.NAME in told
    driver.shot(shots / f"gate_newer_{language}.png")
    with zipfile.ZipFile(next(tmp_path.glob(f"{unsent.NAME}*"))) as file:
        assert "1 records, 0 photos" in file.read("README.txt").decode()
    with closing(sqlite3.connect(root / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 99


def test_a_full_disk_at_work_is_a_sheet_that_says_what_to_do(
    start: Open, root: Path, shots: Path
) -> None:
    in_english(root)
    driver = start()
    phone = driver.app.around.phone
    writer = phone._store._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")
    driver.shell.go("visit_form", household_id=phone.households()[0].id)
    driver.settle()
    driver.page.ids.note.text = "长" * 4000
    driver.wait(lambda: driver.shell.asked is not None)
    driver.shot(shots / "full_en.png")
    assert any("storage is full" in words for words in driver.texts(driver.shell.asked))
    driver.tap(driver.find("Btn", driver.shell.asked))
    writer.execute(f"PRAGMA max_page_count = {2**30}")
    driver.page.ids.note.text = "长" * 4000 + "了"
    driver.wait(lambda: phone.drafts())
