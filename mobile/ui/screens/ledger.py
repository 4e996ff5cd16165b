"""The problems of my grids, and what I am asked to do."""

from __future__ import annotations

from pathlib import Path

from kivy.core.window import Window
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import ListProperty, StringProperty

from mobile.ui import ledger_rows
from mobile.ui.page import Page
from mobile.ui.rows import Row, RowView, stack
from mobile.ui.ticking_off import ticked
from mobile.ui.words import tr

FOOT = 84  # under the last row: room for the button over the list


class ProblemLine(RowView):
    """One problem or one task."""

    title = StringProperty()
    line = StringProperty()
    icon = StringProperty()
    tone = StringProperty("mute")
    badge = StringProperty()
    badge_icon = StringProperty()
    badge_tone = StringProperty("mute")
    badge2 = StringProperty()
    badge2_icon = StringProperty()
    badge2_tone = StringProperty("mute")
    badge3 = StringProperty()
    badge3_icon = StringProperty()
    badge3_tone = StringProperty("mute")


class LedgerPage(Page):
    """The second tab: open problems, tasks, all problems."""

    subtitle = StringProperty()
    kinds = ListProperty()
    nothing = StringProperty()
    empty_text = StringProperty()
    empty_icon = StringProperty("ledger")

    def built(self) -> None:
        """What is open comes first."""
        self._asked = 0
        self.typed = self.later(self.refresh_from_top, 0.15)
        self._count(0, 0)
        self.ids.shown.value = "open"

    def refresh_from_top(self) -> None:
        """Another question: begin at the top of its answer."""
        self.refresh(to_top=True)

    def refresh(self, to_top: bool = False) -> None:
        """Read the list; a newer question makes an older answer void."""
        self._asked += 1
        asked, query = self._asked, self.ids.search.text.strip()
        shown, phone, now = self.ids.shown.value, self.around.phone, self.around.now()
        wide = Window.width / dp(1)

        def work() -> tuple[list[Row], int, int]:
            done = ticked(phone)
            open_problems = phone.problems(query, open_only=True)
            tasks = [one for one in phone.tasks() if one.id not in done]
            if shown == "tasks":
                wanted = [one for one in tasks if query in one.about_name + one.reason]
                found = ledger_rows.of_tasks(wanted, now, wide)
            elif shown == "all":
                found = ledger_rows.of_problems(phone.problems(query), now, wide, grouped=False)
            else:
                found = ledger_rows.of_problems(open_problems, now, wide, grouped=True)
            return stack(found, foot=FOOT), len(open_problems), len(tasks)

        def arrived(answer: tuple[list[Row], int, int]) -> None:
            if asked != self._asked:
                return
            rows, open_count, task_count = answer
            self._count(open_count, task_count)
            self._say_empty(not rows, shown, query)
            self.ids.rows.fill(rows, to_top)

        self.read(work, arrived)

    def open_row(self, row: Row) -> None:
        """To a problem or a task."""
        if row["viewclass"] == "GroupRow":
            return
        if row["task"]:
            self.shell.go("task", task_id=row["key"])
        else:
            self.shell.go("problem", problem_id=row["key"])

    def _count(self, open_count: int, task_count: int) -> None:
        self.subtitle = tr("未办结 {n} · 待办任务 {m}", n=open_count, m=task_count)
        kinds = [
            ("open", tr("未办结")),
            ("tasks", tr("任务 {n}", n=task_count) if task_count else tr("任务")),
            ("all", tr("全部")),
        ]
        if kinds != self.kinds:
            self.kinds = kinds

    def _say_empty(self, nothing: bool, shown: str, query: str) -> None:
        self.empty_icon = "task" if shown == "tasks" else "ledger"
        if not nothing:
            self.nothing = self.empty_text = ""
        elif query:
            self.nothing = tr("没有找到“{text}”", text=query)
            self.empty_text = tr("换个编号、地址或描述试试")
        elif shown == "tasks":
            self.nothing = tr("现在没有任务")
            self.empty_text = tr("该走访的住户、退回的走访、要复查的问题会出现在这里")
        else:
            self.nothing = tr("这里会列出网格里的问题")
            self.empty_text = tr("走访时发现的问题，点“报问题”记进来")


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
