"""A task: what is asked, why, until when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.sync.phone import TaskRow
from mobile.ui import look
from mobile.ui.next_steps import next_step
from mobile.ui.page import Page
from mobile.ui.times import due
from mobile.ui.words import pick, tr

CAME_BACK = ("rejected_change", "late_action")
PAGES = {"household": "household", "visit": "visit", "problem": "problem"}


class TaskPage(Page):
    """One task."""

    task_id = StringProperty()
    kind = StringProperty()
    about = StringProperty()
    reason = StringProperty()
    field = StringProperty()
    todo = StringProperty()
    limit = StringProperty()
    limit_tone = StringProperty("mute")
    leads = BooleanProperty(False)

    def enter(self, task_id: str) -> None:
        """Show this task."""
        self.task_id = task_id
        self._task: TaskRow | None = None
        self._decided = False
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        phone, wanted = self.around.phone, self.task_id

        def work() -> tuple[TaskRow | None, bool]:
            row = next((one for one in phone.tasks(include_done=True) if one.id == wanted), None)
            conflict = row.detail.get("conflict_id") if row else None
            known = conflict and any(one.id == conflict for one in phone.conflicts())
            return row, bool(known)

        self.read(work, lambda found: self._show(*found))

    def open_about(self) -> None:
        """To what it is about."""
        if self._task and self._decided:
            self.shell.go("conflict", conflict_id=self._task.detail["conflict_id"])
        elif self._task and self._task.about_id:
            page = PAGES[self._task.about_kind]
            self.shell.go(page, **{f"{page}_id": self._task.about_id})

    def done(self) -> None:
        """Tick it off."""
        phone, task = self.around.phone, self.task_id

        def finished(_: Any) -> None:
            self.syncer.saved()
            self.shell.back()
            self.shell.say(tr("已记下：办好了"), "disc_check")

        self.read(lambda: phone.finish_task(task), finished)

    def _show(self, row: TaskRow | None, decided: bool) -> None:
        if row is None:
            return
        self._task, self._decided = row, decided
        self.kind = pick(row.title_zh, row.title_en)
        self.about = row.about_name or self.kind
        self.reason = look.task_words(row)
        self.limit, self.limit_tone = due(row.due_at, self.around.now())
        self.leads = decided or (bool(row.about_id) and row.about_kind in PAGES)
        self.field = self.todo = ""
        if row.type in CAME_BACK:
            self.field = look.where(row.about_kind, row.detail.get("field") or "")
            step = next_step(row.reason, row.detail.get("result") == "held")
            self.todo = tr("下一步：{what}", what=step)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
