"""One day of a grid worker, by touch, with the network away and back, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from gridledger.demo import build
from mobile.sync.phone import Phone
from server.operations.review import review
from server.storage.database import db
from server.storage.models import Photo, Visit
from tests.screens.conftest import line
from tests.screens.district import District, Line
from tests.screens.driver import Driver
from tests.screens.test_conflict import verdict

Start = Callable[..., Driver]
NAME = "{}·买买提吐尔逊·阿卜杜热合曼·艾则孜江䶮𬭎😀"
NOTE, MORE = "老人在家，楼道灯坏了😀", "，已报修"
OURS, THEIRS = "13911110000", "13933330000"


def sync(driver: Driver) -> None:
    """The third tab, send now, and wait for its end."""
    driver.shell.open_tab("sync")
    driver.settle()
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: not driver.app.around.syncer.running)
    driver.settle()


def send_back(place: District, visit_id: str) -> None:
    """The supervisor returns a visit."""
    with build.application(place.folder):
        seen = db.session.get(Visit, visit_id)
        assert seen is not None and seen.note == NOTE
        done = review(place.supervisor(), visit_id, "return", "请补充处理情况", seen.rev)
        assert done is not None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_day_from_the_code_to_the_corrected_visit(
    app: Start, place: District, tmp_path: Path, shots: Path, language: str
) -> None:
    zh = language == "zh"
    name = NAME.format("古丽" if zh else "帕提")
    other = place.phone(tmp_path / "other")
    phone = Phone.open(tmp_path / "mine", http=Line())
    phone.keep_setting("language", language)
    phone.keep_setting("text_size", "1.25")
    driver = app(phone)

    def shot(name: str) -> None:
        driver.shot(shots / f"journey_{language}_{name}.png")

    driver.fill(driver.page.ids.link, place.link())
    driver.tap(driver.page.ids.go)
    driver.wait(lambda: driver.page.name == "round" and not driver.app.around.syncer.running)
    driver.settle()
    disputed = {conflict.about_id for conflict in phone.conflicts()}
    home = next(h for h in phone.households() if h.care and h.id not in disputed)
    phone.edit("household", home.id, {"contact_name": name})
    sync(driver)

    line(phone).on = False
    phone.edit("household", home.id, {"contact_phone": OURS})
    driver.shell.open_tab("round")
    driver.settle()
    driver.fill(driver.page.ids.search.ids.field, name[:6])
    driver.let_pass(0.5)
    driver.settle()
    driver.tap(driver.find("DoorRow", door=home.door))
    assert driver.page.name == "household" and driver.reads(name[:8])
    shot("household")
    driver.tap(driver.page.ids.new_visit)
    driver.tap(driver.page.ids.outcome.chip("met"))
    driver.fill(driver.page.ids.note, NOTE)
    driver.tap(driver.find("PhotoTile", icon="camera"))
    driver.tap(driver.find("PhotoTile", icon="camera"))
    shot("form")
    driver.tap(driver.page.ids.save)
    visit = phone.household(home.id).visits[0]
    assert visit.place == "waiting" and phone.visit(visit.id).values["note"] == NOTE

    driver.shell.go("report", household_id=home.id)
    driver.settle()
    driver.tap(driver.page.ids.pick)
    driver.tap(driver.find("ChoiceRow"))
    assert driver.page.category_name
    driver.fill(driver.page.ids.description, NOTE)
    driver.tap(driver.page.ids.save)
    problem = next(p for p in phone.problems() if p.place == "waiting")
    sync(driver)
    assert phone.status().waiting == 3, "nothing left without a network"
    shot("offline")

    other.edit("household", home.id, {"contact_phone": THEIRS})
    assert other.sync().complete
    line(phone).on = True
    sync(driver)
    assert phone.visit(visit.id).row.place != "waiting" and phone.problem(problem.id)
    conflict = next(one for one in phone.conflicts() if one.about_id == home.id)
    verdict(place, conflict.id, THEIRS)
    send_back(place, visit.id)
    sync(driver)
    assert phone.household(home.id).values["contact_name"] == name, (
        "what cannot be drawn is kept whole"
    )
    driver.shell.go("conflict", conflict_id=conflict.id)
    driver.settle()
    assert driver.reads(f"已裁定：{THEIRS}" if zh else f"Decided: {THEIRS}")
    shot("verdict")

    task = next(t for t in phone.tasks() if t.type == "returned_visit" and t.about_id == visit.id)
    driver.shell.go("task", task_id=task.id)
    driver.settle()
    assert driver.reads("请补充处理情况")
    driver.tap(driver.page.ids.main)
    driver.tap(driver.page.ids.note)
    driver.type(MORE)
    driver.tap(driver.find("PhotoTile", icon="camera"))
    driver.tap(driver.page.ids.save)
    sync(driver)
    with build.application(place.folder):
        stored = db.session.get(Visit, visit.id)
        assert stored is not None and MORE in stored.note and stored.review_state == "pending"
        kept = db.session.scalars(select(Photo.state).where(Photo.owner_id == visit.id)).all()
        assert len(kept) == 3 and set(kept) == {"verified"}
    shot("safe")
    other.close()
