"""A visit at the door, without a network: nothing typed is lost, nothing is saved by half."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobile.storage import looks
from mobile.sync.phone import Phone
from shared import ids
from tests.screens.driver import Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]
NOTE = "老人在家，楼道灯坏了三天䶮"


@pytest.fixture
def home(store: Phone) -> str:
    """A household in care."""
    return next(home.id for home in store.households() if home.care)


def looks_kept(store: Phone) -> list[str]:
    """The households whose covered details were looked at."""
    with store._store.reading() as db:
        return [one["household_id"] for one in looks.batch(db)]


def open_form(driver: Driver, home: str) -> None:
    """From the household's page to a new visit."""
    driver.shell.go("household", household_id=home)
    driver.settle()
    driver.tap(driver.page.ids.new_visit)
    assert driver.page.name == "visit_form"


def take_photo(driver: Driver) -> None:
    """Tap the tile that adds a photo."""
    driver.tap(driver.find("PhotoTile", icon="camera"))
    driver.settle()


def test_a_visit_with_photos_is_saved_offline_and_said_to_be_safe(
    app: Start, store: Phone, home: str, shots: Path
) -> None:
    driver = app(store)
    before = len(store.household(home).visits)
    open_form(driver, home)
    driver.tap(driver.page.ids.outcome.chip("met"))
    driver.fill(driver.page.ids.note, NOTE)
    driver.tap(driver.page.ids.concern_tags.chip("worry"))
    take_photo(driver)
    take_photo(driver)
    assert len(driver.page.photos) == 2
    driver.shot(shots / "visit_form.png")
    driver.tap(driver.page.ids.save)
    assert driver.page.name == "household"
    assert driver.said == "已保存，联网后自动上传"
    visits = store.household(home).visits
    assert len(visits) == before + 1 and visits[0].place == "waiting"
    view = store.visit(visits[0].id)
    assert view.values["note"] == NOTE and view.values["concern_tags"] == ["worry"]
    assert [photo.state for photo in view.photos] == ["declared", "declared"]
    assert driver.reads("待上传")
    assert driver.app.around.syncer.waiting == 3
    driver.shot(shots / "household_saved.png")


def test_what_is_missing_is_said_at_its_field(app: Start, store: Phone, home: str) -> None:
    driver = app(store)
    open_form(driver, home)
    driver.tap(driver.page.ids.save)
    assert driver.page.name == "visit_form"
    assert "走访结果" in driver.page.ids.outcome_field.error
    driver.tap(driver.page.ids.outcome.chip("not_met"))
    assert driver.page.ids.outcome_field.error == ""


def test_what_was_typed_is_there_again_after_the_app_was_killed(
    app: Start, store: Phone, home: str
) -> None:
    driver = app(store)
    open_form(driver, home)
    driver.tap(driver.page.ids.outcome.chip("met"))
    driver.fill(driver.page.ids.note, NOTE)
    take_photo(driver)
    driver.let_pass(0.6)
    driver.settle()
    kept = store.draft(f"visit:{home}")
    assert kept is not None and kept.values["note"] == NOTE and len(kept.photos) == 1
    driver.shell.open_tab("round")
    open_form(driver, home)
    page = driver.page
    assert (page.ids.note.text, page.ids.outcome.value) == (NOTE, "met")
    assert len(page.photos) == 1 and "接着" in driver.said


def test_a_draft_can_be_thrown_away(app: Start, store: Phone, home: str) -> None:
    store.keep_draft(f"visit:{home}", {"note": NOTE})
    driver = app(store)
    open_form(driver, home)
    assert driver.page.ids.note.text == NOTE
    driver.tap(driver.find("SnackBtn", driver.shell, text="重新填写"))
    assert driver.page.ids.note.text == ""
    assert store.draft(f"visit:{home}") is None


def test_a_removed_photo_comes_back_with_undo(app: Start, store: Phone, home: str) -> None:
    driver = app(store)
    open_form(driver, home)
    take_photo(driver)
    driver.page.remove_photo(0)
    assert driver.page.photos == []
    driver.tap(driver.find("SnackBtn", driver.shell, text="撤销"))
    assert len(driver.page.photos) == 1


def test_no_change_is_one_tap_and_undo_takes_it_back(app: Start, store: Phone, home: str) -> None:
    driver = app(store)
    before = len(store.household(home).visits)
    driver.shell.go("household", household_id=home)
    driver.settle()
    driver.tap(driver.page.ids.no_change)
    driver.tap(driver.find("SnackBtn", driver.shell, text="撤销"))
    driver.back()
    assert len(store.household(home).visits) == before and store.drafts() == []


def test_no_change_is_saved_when_the_page_is_left(app: Start, store: Phone, home: str) -> None:
    driver = app(store)
    before = len(store.household(home).visits)
    driver.shell.go("household", household_id=home)
    driver.settle()
    driver.tap(driver.page.ids.no_change)
    driver.back()
    visits = store.household(home).visits
    assert len(visits) == before + 1 and visits[0].outcome == "no_change"


def test_no_change_survives_the_app_being_killed(app: Start, store: Phone, home: str) -> None:
    store.keep_draft(f"no_change:{home}", {"visited_at": 1_790_000_000_000})
    before = len(store.household(home).visits)
    app(store)
    visits = store.household(home).visits
    assert len(visits) == before + 1 and store.drafts() == []


def test_care_details_are_covered_until_they_are_asked_for_and_the_look_is_noted(
    app: Start, store: Phone, home: str
) -> None:
    driver = app(store)
    driver.shell.go("household", household_id=home)
    driver.settle()
    assert not driver.reads("老人") or not driver.page.ids.care_facts.children
    assert looks_kept(store) == []
    for _ in range(3):  # open, covered, open again
        driver.tap(driver.page.ids.care)
    assert driver.page.ids.care_facts.children and driver.reads("重点人群")
    driver.settle()
    assert looks_kept(store) == [home]
    driver.back()
    driver.shell.go("household", household_id=home)
    driver.settle()
    assert not driver.page.ids.care_facts.children


def test_a_saved_visit_can_be_corrected(app: Start, store: Phone, home: str) -> None:
    store.no_change(home)
    visit = store.household(home).visits[0].id
    driver = app(store)
    driver.shell.go("visit", visit_id=visit)
    driver.settle()
    driver.tap(driver.page.ids.edit)
    driver.fill(driver.page.ids.note, NOTE)
    take_photo(driver)
    driver.tap(driver.page.ids.save)
    assert driver.page.name == "visit" and driver.reads(NOTE)
    assert store.visit(visit).values["note"] == NOTE
    assert [photo.state for photo in store.visit(visit).photos] == ["declared"]
    driver.tap(driver.page.ids.edit)
    assert driver.page.photos == [] and driver.reads("再加照片")
    take_photo(driver)
    driver.tap(driver.page.ids.save)
    assert len(store.visit(visit).photos) == 2, "a photo alone is enough to save"
    assert store.drafts() == []


def test_the_number_is_handed_to_the_telephone(app: Start, store: Phone) -> None:
    called: list[str] = []

    class Dialler:
        def call(self, number: str) -> None:
            called.append(number)

    home = next(home for home in store.households() if home.phone)
    driver = app(store, dialler=Dialler())
    driver.shell.go("household", household_id=home.id)
    driver.settle()
    driver.tap(driver.page.ids.call)
    assert called == [store.household(home.id).values["contact_phone"]]


def test_a_campaign_is_asked_at_the_door_and_its_answers_stand_on_the_visit(
    app: Start, store: Phone, home: str, shots: Path
) -> None:
    driver = app(store)
    open_form(driver, home)
    page = driver.page
    driver.tap(page.ids.outcome.chip("met"))
    driver.tap(driver.find("TapNote", icon="flag"))
    driver.tap(page.ids.save)
    assert page.ids["gas_safety.gas_hose_field"].error, "what is required is said at its place"
    hose, alarm, *_ = (chips for chips in page.ids.campaigns.walk() if hasattr(chips, "choices"))
    driver.tap(hose.chip("rubber"))
    driver.tap(alarm.chip("no"))
    driver.reach(hose)
    driver.shot(shots / "campaign.png")
    driver.tap(page.ids.save)
    visit = store.household(home).visits[0]
    given = {"gas_safety": {"gas_hose": "rubber", "alarm": False}}
    assert store.visit(visit.id).values["answers"] == given
    assert store.campaigns(home)[1] == given, "the next visit begins with it"
    driver.shell.go("visit", visit_id=visit.id)
    driver.settle()
    assert driver.reads("橡胶软管") and driver.reads("冬季燃气安全")


def test_what_was_solved_at_the_door_is_in_the_ledger_as_closed(
    app: Start, store: Phone, home: str, shots: Path
) -> None:
    driver = app(store)
    open_form(driver, home)
    page = driver.page
    driver.tap(page.ids.outcome.chip("met"))
    driver.fill(page.ids.note, NOTE)
    driver.tap(page.ids.resolved_on_spot)
    driver.tap(page.ids.save)
    assert page.name == driver.page.name and page.ids.solved_category_field.error
    page._picked("street_lamp")
    driver.settle()
    kept = store.draft(f"visit:{home}")
    assert kept is not None and kept.values["solved_category"] == "street_lamp"
    driver.reach(page.ids.solved_description)
    driver.shot(shots / "solved.png")
    driver.tap(page.ids.save)
    row = store.problems()[0]
    assert (row.state, row.description, row.category) == ("closed", NOTE, "street_lamp")
    visit = store.household(home).visits[0]
    assert [one.id for one in store.visit(visit.id).problems] == [row.id]


def test_no_photo_is_offered_for_the_visit_of_another(
    app: Start, store: Phone, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.no_change(home)
    visit = store.household(home).visits[0].id
    driver, me = app(store), store.me
    assert me is not None
    other = replace(me, user_id=ids.new_id())
    monkeypatch.setattr(Phone, "me", property(lambda _: other))
    driver.shell.go("visit_form", visit_id=visit)
    driver.settle()
    assert driver.page.ids.photos_field.hidden and not driver.page.asks_photos
