"""A task: what is asked, why, until when."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.sync.phone import Phone, TaskRow, UnknownRecord
from mobile.ui import look
from mobile.ui.next_steps import next_step
from mobile.ui.page import Page
from mobile.ui.ticking_off import tick_off
from mobile.ui.times import day, due
from mobile.ui.widgets import Fact
from mobile.ui.words import label, tr

CAME_BACK = ("rejected_change", "late_action")
TO_A_VISIT = ("visit_due", "recheck", "callback")
PAGES = {"household": "household", "visit": "visit", "problem": "problem"}


class Told(NamedTuple):
    """What the page shows: the task, whether its conflict is known, whom to tell of what."""

    row: TaskRow | None
    decided: bool
    values: Mapping[str, Any]


class TaskPage(Page):
    """One task: its one main step, and a way to say that it is done."""

    task_id = StringProperty()
    kind = StringProperty()
    icon = StringProperty("task")
    tone = StringProperty("primary")
    about = StringProperty()
    reason = StringProperty()
    field = StringProperty()
    todo = StringProperty()
    number = StringProperty()
    limit = StringProperty()
    limit_tone = StringProperty("mute")
    leads = BooleanProperty(False)
    step = StringProperty()
    step_icon = StringProperty()
    done_words = StringProperty()

    def enter(self, task_id: str) -> None:
        """Show this task."""
        self.task_id = task_id
        self._task: TaskRow | None = None
        self._decided = self._ticked = False
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        phone, wanted = self.around.phone, self.task_id

        def arrived(told: Told) -> None:
            if wanted == self.task_id:
                self._show(told)

        self.read(lambda: _told(phone, wanted), arrived)

    def go_on(self) -> None:
        """The main step."""
        task = self._task
        if task is None:
            return
        if task.type in TO_A_VISIT and task.about_kind == "household":
            self.shell.go("visit_form", household_id=task.about_id)
        elif task.type == "returned_visit":
            self.shell.go("visit_form", visit_id=task.about_id)
        else:
            self.open_about()

    def open_about(self) -> None:
        """To what it is about."""
        if self._task and self._decided:
            self.shell.go("conflict", conflict_id=self._task.detail["conflict_id"])
        elif self._task and self._task.about_id:
            page = PAGES[self._task.about_kind]
            self.shell.go(page, **{f"{page}_id": self._task.about_id})

    def done(self) -> None:
        """Tick it off; it can be taken back for a while."""
        if self._task is None or self._ticked:
            return
        self._ticked = True
        said = tr("已记下：{what}", what=self.done_words)
        tick_off(self.around, self.task_id, said)

    def _show(self, told: Told) -> None:
        row = told.row
        self._task, self._decided = row, told.decided
        if row is None:
            self._gone()
            return
        self.kind, self.icon, self.tone = look.task(row)
        self.about = row.about_name or self.kind
        self.reason = look.task_words(row)
        self.limit, self.limit_tone = due(row.due_at, self.around.now())
        known = told.decided or (bool(row.about_id) and row.about_kind in PAGES)
        self.step, self.step_icon = main_step(row) if known else ("", "")
        self.leads = known and row.type in (*TO_A_VISIT, "returned_visit", "tell_reporter")
        self.done_words = done_words(row)
        self.field = self.todo = ""
        if row.type in CAME_BACK:
            self.field = look.where(row.about_kind, row.detail.get("field") or "")
            step = next_step(row.reason, row.detail.get("result") == "held")
            self.todo = tr("下一步：{what}", what=step)
        self._tell(told.values)

    def _gone(self) -> None:
        """It has left the phone: nothing of it, nor of the task before, stays in sight."""
        self.kind, self.about = tr("任务"), tr("手机上没有这条记录了")
        self.icon, self.tone, self.limit_tone = "info", "mute", "mute"
        self.reason = self.field = self.todo = self.limit = ""
        self.step = self.step_icon = self.done_words = ""
        self.leads = False
        self._tell({})

    def _tell(self, values: Mapping[str, Any]) -> None:
        """Where it is, whom to tell of what, and a number to call."""
        self.number = values.get("number") or ""
        facts = [(label("problem", name), values.get(name)) for name in (
            "reporter_name", "place", "result")]  # fmt: skip
        last = day(values.get("last_visit_at"), self.around.now())
        facts.append((tr("最近走访"), last))
        self.ids.facts.fill(Fact(label=name, value=str(value)) for name, value in facts if value)


def _told(phone: Phone, wanted: str) -> Told:
    row = next((one for one in phone.tasks(include_done=True) if one.id == wanted), None)
    conflict = row.detail.get("conflict_id") if row else None
    known = bool(conflict) and any(one.id == conflict for one in phone.conflicts())
    return Told(row, known, _about(phone, row) if row and row.about_id else {})


def _about(phone: Phone, row: TaskRow) -> Mapping[str, Any]:
    """What the page tells of what the task is about, as far as it is on this phone."""
    record_id = row.about_id or ""
    try:
        if row.about_kind == "household":
            home = phone.household(record_id)
            return {"place": home.address, "number": home.values.get("contact_phone"),
                    "last_visit_at": home.last_visit_at}  # fmt: skip
        if row.about_kind == "problem":
            values = phone.problem(record_id).values
            if row.type != "tell_reporter":
                return {"place": values.get("place")}
            return {**values, "number": values.get("reporter_phone")}
    except UnknownRecord:
        pass
    return {}


def main_step(row: TaskRow) -> tuple[str, str]:
    """The main step of a task and its picture; "" where telling that it is done is that."""
    if row.type in TO_A_VISIT and row.about_kind == "household":
        return tr("去走访"), "pencil"
    if row.type == "returned_visit":
        return tr("修改走访"), "pencil"
    if row.type == "tell_reporter":
        return "", ""
    if row.type == "conflict_verdict":
        return tr("看裁定结果"), "split"
    return tr("打开看看"), "right"


def done_words(row: TaskRow) -> str:
    if row.type == "tell_reporter":
        return tr("已经告诉了")
    return tr("知道了") if row.type in (*look.TOLD, *look.CAME_BACK) else tr("办好了")


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
