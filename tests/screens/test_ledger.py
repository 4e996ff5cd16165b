"""The ledger on the phone: report, follow, act, tick off tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.sync.phone import Phone, ProblemRow
from mobile.ui import words
from tests.screens.driver import Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]


def in_state(store: Phone, state: str) -> ProblemRow:
    """A problem in a state."""
    return next(row for row in store.problems() if row.state == state)


def test_a_problem_is_reported_from_a_household(app: Start, store: Phone, shots: Path) -> None:
    home = store.households()[0]
    driver = app(store)
    driver.shell.go("household", household_id=home.id)
    driver.settle()
    driver.tap(driver.page.ids.report)
    page = driver.page
    assert page.ids.place.text == home.address
    driver.tap(page.ids.save)
    assert page.ids.category_field.error and page.ids.description_field.error
    driver.tap(page.ids.pick)
    assert driver.page.name == "pick"
    category = next(one for one in store.categories() if one.parent)
    driver.fill(driver.page.ids.search.ids.field, category.name[:3])
    driver.settle()
    driver.shot(shots / "category.png")
    driver.tap(driver.page.ids.rows.view_of(category.code))
    assert driver.page.name == "report" and page.category_name == category.name
    driver.fill(page.ids.description, "楼道堆物，消防通道过不去")
    driver.tap(driver.find("PhotoTile", icon="camera"))
    driver.shot(shots / "report.png")
    driver.tap(page.ids.save)
    assert driver.page.name == "household" and "已上报" in driver.said
    row = store.problems()[0]
    assert (row.category, row.pending) == (category.code, True)
    view = store.problem(row.id)
    assert view.values["target_id"] == home.id and len(view.photos) == 1


def test_a_problem_is_reported_alone_and_may_be_solved_already(app: Start, store: Phone) -> None:
    driver = app(store)
    driver.shell.open_tab("ledger")
    driver.settle()
    driver.tap(driver.page.ids.report)
    page = driver.page
    page._picked(next(one for one in store.categories() if one.parent).code)
    driver.fill(page.ids.description, "井盖松动，已垫好")
    driver.fill(page.ids.place, "东门路口")
    driver.tap(page.ids.solved_on_spot)
    driver.tap(page.ids.save)
    assert driver.page.name == "ledger"
    assert store.problem(store.problems()[0].id).row.state == "closed"


def test_the_reporter_is_asked_for_only_where_it_is_somebody_else(app: Start, store: Phone) -> None:
    driver = app(store)
    driver.shell.go("report")
    driver.settle()
    assert driver.page.ids.reporter_name_field.height == 0
    driver.tap(driver.page.ids.source.chip("resident"))
    driver.frames(4)
    assert driver.page.ids.reporter_name_field.height > 0


def test_the_list_shows_state_and_time_limit_in_words(
    app: Start, store: Phone, shots: Path
) -> None:
    driver = app(store)
    driver.shell.open_tab("ledger")
    driver.settle()
    rows = driver.page.ids.rows.data
    assert [row["key"] for row in rows] == [row.id for row in store.problems(open_only=True)]
    assert all(row["show"]["badge"] for row in rows)
    driver.shot(shots / "ledger.png")
    driver.tap(driver.page.ids.shown.chip("all"))
    assert len(driver.page.ids.rows.data) == len(store.problems())


def test_categories_are_named_in_the_chosen_language(app: Start, store: Phone) -> None:
    from mobile.ui.parts import problem_card

    row = store.problems(open_only=True)[0]
    assert row.category_en and row.category_en != row.category_zh
    assert store.problem(row.id).row.category_en == row.category_en
    driver = app(store)
    driver.app.restyle("language", "en")
    try:
        driver.shell.open_tab("ledger")
        driver.settle()
        shown = {one["key"]: one["show"]["line"] for one in driver.page.ids.rows.data}
        assert shown[row.id].startswith(row.category_en)
        driver.shell.go("problem", problem_id=row.id)
        driver.settle()
        assert driver.reads(row.category_en) and not driver.reads(row.category_zh)
        assert problem_card(row, 0, print).line.startswith(row.category_en)
    finally:
        words.set_language("zh")


def test_a_step_of_the_ledger_is_taken_on_the_phone(app: Start, store: Phone, shots: Path) -> None:
    row = in_state(store, "in_progress")
    driver = app(store)
    driver.shell.go("problem", problem_id=row.id)
    driver.settle()
    driver.shot(shots / "problem.png")
    driver.page.act("progress")
    driver.settle()
    driver.tap(driver.page.ids.save)
    assert driver.page.ids.reason_field.error
    driver.fill(driver.page.ids.reason, "已约电工明早到场")
    driver.shot(shots / "action.png")
    driver.tap(driver.page.ids.save)
    assert driver.page.name == "problem" and driver.reads("已约电工明早到场")
    assert store.problem(row.id).progress[-1].pending


def test_closure_asks_for_its_result(app: Start, store: Phone) -> None:
    row = in_state(store, "in_progress")
    driver = app(store)
    driver.shell.go("problem", problem_id=row.id)
    driver.settle()
    offered = [offer.name for offer in store.problem(row.id).actions if not offer.blocked]
    driver.page.act(offered[0])
    driver.settle()
    assert driver.page.name == "action" and driver.page.FIELDS


def test_a_task_says_why_and_is_ticked_off(app: Start, store: Phone, shots: Path) -> None:
    task = store.tasks()[0]
    driver = app(store)
    driver.shell.open_tab("ledger")
    driver.settle()
    driver.tap(driver.page.ids.shown.chip("tasks"))
    driver.shot(shots / "tasks.png")
    driver.tap(driver.page.ids.rows.view_of(task.id))
    assert driver.page.name == "task" and driver.reads(task.reason)
    driver.shot(shots / "task.png")
    driver.tap(driver.page.ids.done)
    assert driver.page.name == "ledger"
    assert task.id not in [one.id for one in store.tasks()]
