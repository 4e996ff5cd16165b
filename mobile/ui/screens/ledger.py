"""The problems of my grids, and what I am asked to do."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ListProperty, StringProperty

from mobile.sync.phone import ProblemRow, TaskRow
from mobile.ui import look
from mobile.ui.page import Page
from mobile.ui.rows import Row, RowView, stack
from mobile.ui.times import due
from mobile.ui.words import pick, tr

ROW, FOOT = 108, 76


class ProblemLine(RowView):
    """One problem or one task."""

    title = StringProperty()
    line = StringProperty()
    badge = StringProperty()
    badge_icon = StringProperty()
    badge_tone = StringProperty("mute")
    badge2 = StringProperty()
    badge2_icon = StringProperty()
    badge2_tone = StringProperty("mute")
    badge3 = StringProperty()


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

        def work() -> tuple[list[Row], int, int]:
            open_problems, tasks = phone.problems(query, open_only=True), phone.tasks()
            if shown == "tasks":
                found = [_task(row, now) for row in tasks if query in row.about_name + row.reason]
            else:
                rows = phone.problems(query) if shown == "all" else open_problems
                found = [_problem(row, now) for row in rows]
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


def _problem(row: ProblemRow, now: int) -> Row:
    state, limit = look.problem(row.state), look.limit(row, now)
    second = look.place("waiting") if row.pending else limit
    return {
        "viewclass": "ProblemLine",
        "key": row.id,
        "tall": ROW,
        "task": False,
        "show": {
            "title": row.description,
            "line": " · ".join(filter(None, (pick(row.category_zh, row.category_en), row.address))),
            "badge": state.text,
            "badge_icon": state.icon,
            "badge_tone": state.tone,
            "badge2": second.text,
            "badge2_icon": second.icon,
            "badge2_tone": second.tone,
            "badge3": tr("督办") if row.supervised else "",
        },
    }


def _task(row: TaskRow, now: int) -> Row:
    limit, tone = due(row.due_at, now)
    return {
        "viewclass": "ProblemLine",
        "key": row.id,
        "tall": ROW,
        "task": True,
        "show": {
            "title": row.about_name or row.reason or pick(row.title_zh, row.title_en),
            "line": look.task_words(row),
            "badge": pick(row.title_zh, row.title_en),
            "badge_icon": "task",
            "badge_tone": "primary",
            "badge2": limit,
            "badge2_icon": "warn" if tone == "danger" else "clock",
            "badge2_tone": tone,
            "badge3": "",
        },
    }


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
