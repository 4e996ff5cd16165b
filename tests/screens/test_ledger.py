"""The ledger on the phone: report, follow, act, tick off tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.sync.phone import Phone, ProblemDraft, ProblemRow, TaskRow
from mobile.ui import words
from tests.screens.driver import Driver

pytestmark = pytest.mark.screen
Start = Callable[..., Driver]


def in_state(store: Phone, state: str) -> ProblemRow:
    """A problem in a state."""
    return next(row for row in store.problems() if row.state == state)


class Telephone:
    """Remembers what was dialled."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def call(self, number: str) -> None:
        self.called.append(number)


def test_an_urgent_problem_is_reported_from_a_household_and_its_number_is_at_hand(
    app: Start, store: Phone, shots: Path
) -> None:
    home, telephone = store.households()[0], Telephone()
    driver = app(store, dialler=telephone)
    driver.shell.go("household", household_id=home.id)
    driver.settle()
    driver.tap(driver.page.ids.report)
    page = driver.page
    assert page.ids.place.text == home.address
    driver.tap(page.ids.save)
    assert page.ids.category_field.error and page.ids.description_field.error
    driver.tap(page.ids.pick)
    assert driver.page.name == "pick"
    category = next(one for one in store.categories() if one.call)
    driver.fill(driver.page.ids.search.ids.field, category.name[:3])
    driver.settle()
    driver.shot(shots / "category.png")
    driver.tap(driver.page.ids.rows.view_of(category.code))
    assert driver.page.name == "report" and page.category_name == category.name
    driver.tap(driver.find("TapNote", icon="call"))
    assert telephone.called == ["119"] and driver.reads("同时拨打 119")
    driver.fill(page.ids.description, "楼道堆物，消防通道过不去")
    driver.tap(driver.find("PhotoTile", icon="camera"))
    driver.shot(shots / "report.png")
    driver.tap(page.ids.save)
    assert driver.page.name == "household" and "打电话" in driver.said
    driver.tap(driver.find("SnackBtn", driver.shell, text="拨打 119"))
    assert telephone.called == ["119", "119"]
    row = store.problems()[0]
    assert (row.category, row.pending) == (category.code, True)
    view = store.problem(row.id)
    assert view.values["target_id"] == home.id and len(view.photos) == 1
    driver.tap(driver.page.ids.report)
    driver.tap(driver.page.ids.pick)
    assert [one["key"] for one in driver.page.ids.rows.data[:2]] == ["head 最近用过", category.code]


def test_what_is_known_already_is_found_while_reporting_and_takes_what_is_new(
    app: Start, store: Phone, shots: Path
) -> None:
    home = store.households()[0]
    first = {
        "category": "sewage", "description": "楼前下水道堵了，污水漫到门口", "place": home.address,
        "target_kind": "household", "target_id": home.id,
    }  # fmt: skip
    known = store.report_problem(ProblemDraft(first))
    driver = app(store)
    driver.shell.go("report", household_id=home.id)
    driver.settle()
    page = driver.page
    page._picked("sewage")
    driver.fill(page.ids.description, "下水道又堵了，楼前都是污水")
    driver.wait(lambda: page.ids.alike.children)
    driver.settle()
    driver.reach(page.ids.alike)
    driver.shot(shots / "alike.png")
    driver.tap(driver.find("Quiet", text="打开看看"))
    assert driver.page.name == "problem" and driver.page.problem_id == known
    driver.back()
    assert page.ids.description.text == "下水道又堵了，楼前都是污水"
    driver.tap(driver.find("Quiet", text="补充到这件"))
    assert driver.page.name == "problem" and "没有另报" in driver.said
    assert [row.description for row in store.problems()].count(first["description"]) == 1
    assert store.problem(known).progress[-1].reason == "下水道又堵了，楼前都是污水"
    assert store.draft(f"problem:{home.id}") is None


def test_a_category_that_asks_for_it_is_reported_with_a_photo_of_how_it_is(
    app: Start, store: Phone
) -> None:
    driver = app(store)
    driver.shell.go("report")
    driver.settle()
    page = driver.page
    page._picked("road_damage")
    driver.fill(page.ids.description, "路面塌了一块")
    driver.fill(page.ids.place, "东门路口")
    driver.tap(page.ids.save)
    assert "照片" in page.ids.photos_field.error
    driver.tap(driver.find("PhotoTile", icon="camera"))
    driver.tap(page.ids.save)
    view = store.problem(store.problems()[0].id)
    assert view.row.category == "road_damage"
    assert [photo.phase for photo in view.photos] == ["before"]


def test_a_problem_is_reported_alone_and_may_be_solved_already(app: Start, store: Phone) -> None:
    driver = app(store)
    driver.shell.open_tab("ledger")
    driver.settle()
    driver.tap(driver.page.ids.report)
    page = driver.page
    page._picked("sewage")
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
    rows = [row for row in driver.page.ids.rows.data if row["viewclass"] != "GroupRow"]
    known = {row.id: row for row in store.problems(open_only=True)}
    assert {row["key"] for row in rows} == set(known)
    assert all(row["show"]["badge"] and row["show"]["icon"] for row in rows)
    late = [row["show"]["badge2_tone"] == "danger" for row in rows]
    assert late == sorted(late, reverse=True), "what is overdue comes first"
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
        shown = {one["key"]: one["show"].get("line") for one in driver.page.ids.rows.data}
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
    assert driver.page.name == "ledger" and driver.page.ids.rows.view_of(task.id) is None
    driver.tap(driver.find("SnackBtn", driver.shell, text="撤销"))
    assert driver.page.ids.rows.view_of(task.id) and store.drafts() == []
    driver.tap(driver.page.ids.rows.view_of(task.id))
    driver.tap(driver.page.ids.done)
    assert task.id in [one.id for one in store.tasks()], "it may still be taken back"
    driver.shell.open_tab("round")
    driver.settle()
    assert task.id not in [one.id for one in store.tasks()]


def test_a_task_leads_to_the_step_it_asks_for(app: Start, store: Phone) -> None:
    task = next(one for one in store.tasks() if one.type == "visit_due")
    driver = app(store)
    driver.shell.go("task", task_id=task.id)
    driver.settle()
    driver.tap(driver.find("Btn", text="去走访"))
    assert driver.page.name == "visit_form" and driver.page.household_id == task.about_id


@pytest.mark.parametrize(
    ("kind", "about", "step", "done"),
    [
        ("visit_due", "household", "去走访", "办好了"),
        ("recheck", "problem", "打开看看", "办好了"),
        ("returned_visit", "visit", "修改走访", "知道了"),
        ("late_action", "problem", "打开看看", "知道了"),
        ("conflict_verdict", "household", "看裁定结果", "知道了"),
        ("tell_reporter", "problem", "", "已经告诉了"),
    ],
)
def test_each_task_asks_for_its_own_step(kind: str, about: str, step: str, done: str) -> None:
    from mobile.ui.screens.task import done_words, main_step

    row = TaskRow("t", kind, "", "", about, "a", "", "", {}, None, "open", False)
    assert (main_step(row)[0], done_words(row)) == (step, done)


def test_what_is_not_possible_now_is_said_with_its_reason(app: Start, store: Phone) -> None:
    driver = app(store)
    driver.shell.go("problem", problem_id=in_state(store, "in_progress").id)
    driver.settle()
    assert driver.page.action == "request_closure" and driver.page.second == "progress"
    assert driver.reads("重新打开") and driver.reads("到“已销号”时才能办")
    driver.tap(driver.page.ids.second)
    assert driver.page.name == "action" and driver.page.ids.photos.editable


def test_the_root_cause_is_asked_only_of_what_is_hard_or_comes_back(
    app: Start, store: Phone
) -> None:
    from mobile.ui.screens.action import whys

    row = in_state(store, "in_progress")
    driver = app(store)
    view = store.problem(row.id)
    offer = next(one for one in view.actions if one.name == "request_closure")
    for asks in (False, True):
        driver.shell.go(
            "action", problem_id=row.id, offer=offer, about="", photo="", asks_cause=asks
        )
        driver.settle()
        assert ("root_cause" in driver.page.FIELDS) is asks
    driver.fill(driver.page.ids.result, "修好了")
    driver.tap(driver.page.ids.save)
    assert driver.page.ids.root_cause_field.error
    assert whys(" 没人管 \n\n没有钱") == ["没人管", "没有钱"]


def test_a_task_that_is_gone_is_said_to_be_and_nothing_of_the_one_before_stays(
    app: Start, store: Phone, shots: Path
) -> None:
    task = next(task for task in store.tasks() if task.about_name)
    driver = app(store)
    driver.shell.go("task", task_id=task.id)
    driver.settle()
    assert driver.reads(task.about_name) and driver.page.step
    driver.shell.go("task", task_id="gone")
    driver.settle()
    driver.shot(shots / "task_gone.png")
    assert driver.reads("手机上没有这条记录了") and not driver.reads(task.about_name)
    page = driver.page
    assert not (page.step or page.reason or page.ids.facts.children or page.ids.main.height)
    driver.back()
    driver.settle()
    assert driver.reads(task.about_name) and driver.page.ids.main.height
