"""Photos on the screens: each one's state in words, what stops the camera, and always a way on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobile.storage import photos
from mobile.sync.phone import Phone
from mobile.ui.ports import POSITION_ALLOWED, Failed, FixedNetwork, Then, Trouble
from tests.screens.district import District
from tests.screens.driver import Driver
from tests.screens.photo_scene import drawn, lay_out
from tests.screens.test_visit import open_form, take_photo

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]
HERE = {"lat": 34.7466, "lng": 113.6254, "accuracy": 9.0}


class Camera:
    """Does what the test says: a trouble, or the bytes that the camera writes."""

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self.writes = drawn(1, 200)
        self.settings = 0

    def take_photo(self, into: Path, then: Then, failed: Failed) -> None:
        if self.trouble:
            failed(self.trouble)
            return
        into.write_bytes(self.writes)
        then(into)

    def choose_photo(self, into: Path, then: Then, failed: Failed) -> None:
        into.write_bytes(drawn(2, 200))
        then(into)

    def open_settings(self) -> None:
        self.settings += 1


class Here:
    """A locator that knows where it is."""

    def listen(self, on: bool) -> None:
        """Nothing to do."""

    def position(self) -> dict[str, float]:
        return HERE


def cards(driver: Driver) -> dict[str, str]:
    """What each photo on the sync page says of itself, by whose it is."""
    found = (w for w in driver.page.walk(restrict=True) if type(w).__name__ == "PhotoCard")
    return {card.title: card.badge for card in found}


def test_each_photo_that_is_not_safe_is_named_with_what_it_waits_for(
    app: Start, place: District, tmp_path: Path, shots: Path
) -> None:
    phone = place.phone(tmp_path / "own")
    states = ("uploading", "corrupt", "stored", "refused", "missing")
    scene = lay_out(phone, states, safe=2)
    network = FixedNetwork("wifi")
    driver = app(phone, network=network)
    driver.shell.open_tab("sync")
    driver.settle()
    assert driver.reads("8张照片，2张已安全") and driver.page.state == "3张照片待上传"
    who = {state: phone.visit(visit).row.target_name for state, visit in scene.visits.items()}
    said = cards(driver)
    so_far = said.pop(who["uploading"])
    assert so_far.startswith("已传") and so_far.endswith("会接着传")
    assert driver.find("PhotoCard", title=who["uploading"]).aside.startswith("64 KB / ")
    assert said == {
        "2单元电梯停运，有人被困": "排队等上传",
        who["corrupt"]: "传坏了，会重新传",
        who["stored"]: "已传完，等核实",
        who["refused"]: "不能用：照片里带着位置",
        who["missing"]: "照片文件不在手机上了，传不了",
    }
    driver.shot(shots / "sync_photo_states.png")
    driver.tap(driver.find("PhotoCard", title=who["refused"]))
    assert driver.page.name == "visit" and driver.reads("1张照片没能交上，下次上门请补拍")
    driver.back()

    # On mobile data it asks once, with how much; who says no is asked by a note, not again.
    phone.keep_setting("photos_on", "ask")
    network.now = "mobile"
    driver.page.refresh()
    driver.settle()
    question = driver.shell._question
    assert question is not None and "3张照片要传" in question.words
    driver.shot(shots / "sync_ask.png")
    driver.tap(driver.find("Quiet", question, text="先不传，等 Wi-Fi"))
    assert set(cards(driver).values()) >= {"等 Wi-Fi"} and driver.shell._question is None
    driver.page.refresh()
    driver.settle()
    assert driver.shell._question is None
    driver.tap(driver.find("TapNote"))
    driver.tap(driver.find("Btn", driver.shell._question))
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()
    assert driver.reads("8张照片，5张已安全") or driver.reads("8张照片，6张已安全")
    assert phone.visit(scene.visits["corrupt"]).row.safe

    # Its original has left the phone: the small picture is shown, and it says so.
    with phone._store.writing() as db:
        db.execute("UPDATE photo SET verified_at = 1 WHERE verified_at IS NOT NULL")
    assert photos.remove_originals(phone._store, 8 * 86_400_000) >= 5
    driver.shell.go("visit", visit_id=scene.safe)
    driver.settle()
    assert driver.reads("已安全存到服务器，2张照片都核对过") and driver.find("PhotoTile").picture
    driver.tap(driver.find("PhotoTile"))
    assert driver.page.name == "photo" and driver.page.picture
    assert "手机上只留小图" in driver.page.told
    driver.shot(shots / "photo_small.png")


def ask(driver: Driver, camera: Camera, trouble: Trouble) -> Any:
    """The question that comes of a trouble with the camera."""
    camera.trouble = trouble
    take_photo(driver)
    question = driver.shell._question
    assert question is not None
    return question


def test_no_camera_and_no_permission_have_a_way_on_and_a_broken_photo_is_left_out(
    app: Start, store: Phone, shots: Path
) -> None:
    camera, home = Camera(), store.households()[0].id
    driver = app(store, camera=camera, locator=Here())
    open_form(driver, home)
    assert "没有找到相机" in ask(driver, camera, "no_app").title
    driver.back()
    assert driver.page.name == "visit_form" and driver.page.photos == []
    driver.tap(driver.find("Btn", ask(driver, camera, "barred"), text="去系统设置"))
    assert camera.settings == 1
    question = ask(driver, camera, "refused")
    driver.shot(shots / "camera_refused.png")
    camera.trouble = None
    driver.tap(driver.find("Btn", question, text="再试一次"))
    assert len(driver.page.photos) == 1
    driver.tap(driver.find("Quiet", ask(driver, camera, "failed"), text="从相册选一张"))
    assert len(driver.page.photos) == 2
    assert [one.position for one in driver.page.photos] == [None, None], "not unless allowed"

    store.keep_setting(POSITION_ALLOWED, "1")
    driver.app.around.locator.allow(True)
    camera.trouble = None
    camera.writes = drawn(3, 200)
    take_photo(driver)
    assert driver.page.photos[2].position == HERE

    camera.writes = drawn(4)[:9000]
    take_photo(driver)
    assert "没有加入。可以重拍，不拍也能保存" in driver.page.ids.photos_field.error
    driver.shot(shots / "photo_broken.png")
    driver.page.ids.outcome.value = "met"
    driver.tap(driver.page.ids.save)
    visit = store.household(home).visits[0]
    assert visit.place == "waiting" and visit.photos == 3, "saved without the broken one"


def test_an_app_that_ended_behind_the_camera_comes_back_to_its_form(
    app: Start, store: Phone
) -> None:
    home = store.households()[0].id
    capture = store.begin_photo(
        f"visit:{home}", {"note": "写了一半"}, road=("visit_form", {"household_id": home})
    )
    capture.path.write_bytes(drawn(5, 200))
    driver = app(store)
    assert driver.page.name == "visit_form" and driver.page.ids.note.text == "写了一半"
    assert len(driver.page.photos) == 1 and driver.said == "刚拍的照片已放进草稿，接着填吧"
