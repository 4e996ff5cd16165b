"""Me: how the app looks, and a word to the office that is answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gridledger.demo import build
from mobile.sync.phone import Phone
from mobile.ui import theme
from server.core.access import Viewer
from server.operations import accounts, feedback
from tests.screens.district import District
from tests.screens.driver import Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]


def test_large_text_and_strong_contrast_are_drawn_at_once_and_kept(
    app: Start, store: Phone, shots: Path
) -> None:
    driver = app(store)
    driver.shell.open_tab("me")
    driver.settle()
    plain = driver.page.ids.text_size.chip("1.5").height
    driver.tap(driver.page.ids.text_size.chip("1.5"))
    driver.tap(driver.page.ids.palette.chip("contrast"))
    assert driver.page.name == "me" and driver.page.ids.text_size.chip("1.5").height > plain
    assert (theme.palette(), theme.size()) == ("contrast", "1.5")
    assert (store.setting("palette"), store.setting("text_size")) == ("contrast", "1.5")
    driver.shot(shots / "me_large.png")
    driver.app.restyle("palette", "day")
    driver.app.restyle("text_size", "1.0")


def test_a_complaint_written_offline_reaches_the_administrator_and_is_answered(
    app: Start, place: District, tmp_path: Path
) -> None:
    phone = place.phone(tmp_path / "phone")
    phone._session.on = False
    driver = app(phone)
    driver.shell.open_tab("me")
    driver.settle()
    driver.tap(driver.page.ids.feedback)
    driver.tap(driver.page.ids.kind.chip("complaint"))
    driver.fill(driver.page.ids.text, "晚上八点还派任务")
    driver.tap(driver.page.ids.save)
    assert driver.page.name == "me" and driver.reads("1条等答复")
    assert not phone.feedback()[0].sent
    phone._session.on = True
    phone.sync()
    given = phone.feedback()[0]
    assert given.sent and not given.answer
    with build.application(place.folder):
        found = next(one for one in place.described["accounts"] if one["role"] == "admin")
        user = accounts.find_user(found["username"])
        feedback.answer(Viewer(user.id, user.role, user.area_code), given.id, "以后不会了")
    phone.sync()
    driver.shell.go("feedback")
    driver.settle()
    assert driver.reads("以后不会了") and driver.reads("已答复")
