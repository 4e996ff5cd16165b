"""The frame: the way back, the tabs, the language, and room for fingers on every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobile.sync.phone import Phone
from mobile.ui import words
from tests.screens.driver import DENSITY, WIDTH, Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]
TOUCH = 48 * DENSITY


def pages(store: Phone) -> list[tuple[str, dict[str, Any]]]:
    """Every page with what it is opened for."""
    home = next(home for home in store.households() if home.care)
    visit = next(v for h in store.households() for v in store.household(h.id).visits)
    problem = max(store.problems(), key=lambda row: len(store.problem(row.id).progress))
    offer = next(o for o in store.problem(problem.id).actions if o.name == "progress")
    return [
        ("round", {}), ("ledger", {}), ("sync", {}), ("me", {}), ("standing", {}),
        ("household", {"household_id": home.id}),
        ("visit_form", {"household_id": home.id}),
        ("visit", {"visit_id": visit.id}),
        ("report", {"household_id": home.id}),
        ("problem", {"problem_id": problem.id}),
        ("action", {"problem_id": problem.id, "offer": offer, "about": "", "photo": "must"}),
        ("task", {"task_id": store.tasks()[0].id}),
        ("conflict", {"conflict_id": store.conflicts()[0].id}),
        ("enrol", {}),
    ]  # fmt: skip


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_page_fits_and_has_room_for_fingers(
    app: Start, store: Phone, shots: Path, language: str
) -> None:
    from kivy.uix.behaviors import ButtonBehavior
    from kivy.uix.textinput import TextInput

    store.keep_setting("language", language)
    driver = app(store)
    for name, args in pages(store):
        driver.shell.go(name, **args)
        driver.settle()
        driver.frames(4)
        driver.shot(shots / language / f"{name}.png")
        for widget in driver.page.walk(restrict=True):
            tapped = isinstance(widget, (ButtonBehavior, TextInput))
            if not tapped or widget.disabled or not widget.height or not widget.opacity:
                continue
            what = f"{name}: {type(widget).__name__} {getattr(widget, 'text', '')}"
            if type(widget).__name__ != "GroupRow":
                assert widget.height >= TOUCH - 1 and widget.width >= TOUCH - 1, what
            left, right = widget.to_window(widget.x, 0)[0], widget.to_window(widget.right, 0)[0]
            if type(widget).__name__ != "Chip" or name != "round":  # that row scrolls sideways
                assert left >= -1 and right <= WIDTH + 1, what


def test_back_goes_one_step_and_from_a_tab_to_the_round(app: Start, store: Phone) -> None:
    driver = app(store)
    home = store.households()[0].id
    driver.shell.open_tab("ledger")
    driver.shell.go("household", household_id=home)
    driver.shell.go("visit_form", household_id=home)
    seen = []
    for _ in range(3):
        driver.back()
        seen.append(driver.page.name)
    assert seen == ["household", "ledger", "round"]
    assert not driver.shell.back(), "the system takes over"


def test_the_bar_leads_to_each_tab_and_leaves_inner_pages_alone(app: Start, store: Phone) -> None:
    driver = app(store)
    for name in ("ledger", "sync", "me", "round"):
        driver.tap(driver.shell.ids[f"tab_{name}"])
        assert driver.page.name == name
    driver.shell.go("report")
    driver.settle()
    assert driver.shell.ids.bar.height == 0


def test_the_language_changes_at_once_and_stays(app: Start, store: Phone) -> None:
    driver = app(store)
    driver.shell.open_tab("me")
    driver.settle()
    driver.tap(driver.page.ids.language.chip("en"))
    assert driver.reads("My grids") and not driver.reads("我的网格")
    assert store.setting("language") == "en"
    driver.tap(driver.page.ids.language.chip("zh"))
    assert driver.reads("我的网格")


def test_a_failure_is_told_in_plain_words(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = app(store)

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(store, "problems", broken)
    driver.shell.open_tab("ledger")
    driver.settle()
    assert driver.said == "没有成功，请再试一次"


def test_a_missing_font_is_said_in_letters_that_can_be_drawn(
    app: Start, store: Phone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shots: Path
) -> None:
    """And in Chinese as a picture; the way on is tried where the person stands."""
    from kivy.core.text import LabelBase

    from mobile.ui import no_font, theme

    font, registered = theme.FONT, dict(LabelBase._fonts)
    monkeypatch.setattr(theme, "FONT", tmp_path / "ours.ttf")
    monkeypatch.setattr(theme, "SYSTEM_FONTS", (tmp_path / "theirs.ttc",))
    LabelBase._fonts.pop("Roboto")
    LabelBase.register("Roboto", "data/fonts/Roboto-Regular.ttf")
    driver = app(store)
    page = driver.app.frame.children[0]
    said = driver.find("Label", page).text
    assert "make setup" in said and said.isascii() and no_font.PICTURE.is_file()
    driver.shot(shots / "no_font.png")
    again = driver.find("Button", page)
    driver.tap(again)
    assert again.get_root_window(), "it is still missing"
    (tmp_path / "theirs.ttc").symlink_to(font)
    driver.tap(again)
    assert driver.page.name == "round" and driver.texts()
    driver.shot(shots / "no_font_mended.png")
    LabelBase._fonts.update(registered)


def test_the_head_of_a_form_names_the_door_to_its_end_in_the_largest_text(
    app: Start, store: Phone
) -> None:
    store.keep_setting("text_size", "1.5")
    home = max(store.households(), key=lambda home: len(home.address))
    driver = app(store)
    driver.shell.go("visit_form", household_id=home.id)
    driver.settle()
    bar = driver.find("TopBar")
    shown = "".join(text._label.text for text in bar.walk() if hasattr(text, "_label"))
    assert home.address.split()[-1] in shown.replace("\n", "") and "…" not in shown
    assert bar.height >= bar.ids.words.height


def test_the_other_tabs_are_built_before_anybody_opens_them(app: Start, store: Phone) -> None:
    driver = app(store)
    driver.let_pass(3)
    pages = driver.shell.ids.pages
    assert all(pages.has_screen(name) and not pages.get_screen(name)._unbuilt
               for name in ("round", "ledger", "sync", "me"))  # fmt: skip
    assert driver.page.name == "round"
