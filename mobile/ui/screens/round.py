"""My round: every door of my grids, in the order one walks them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.core.text import Label as CoreLabel
from kivy.lang import Builder
from kivy.metrics import dp, sp
from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from mobile.sync.phone import HouseholdRow, Phone
from mobile.ui import theme
from mobile.ui.page import Page
from mobile.ui.rows import Row, RowView, stack
from mobile.ui.times import day
from mobile.ui.words import tr

ROW, GROUP, FOOT = 78, 36, 8
# A door's state: (icon, tone). The word comes beside it.
DUE_LOOK = {
    "ok": ("disc_check", "good"),
    "due": ("clock", "warn"),
    "overdue": ("warn", "danger"),
    "never": ("ring", "info"),
}


class DoorRow(RowView):
    """One household."""

    door = StringProperty()
    name = StringProperty()
    where = StringProperty()
    due = StringProperty()
    due_icon = StringProperty()
    tone = StringProperty("mute")
    care = BooleanProperty(False)
    pending = BooleanProperty(False)
    _wide: dict[str, float] = {}  # noqa: RUF012  widths of names, measured once

    def name_width(self, room: float) -> float:
        """How wide the name may be, so that the marks stand right behind it."""
        if self.name not in self._wide:
            self._wide[self.name] = CoreLabel(font_size=sp(theme.HEAD)).get_extents(self.name)[0]
        marks = (dp(24) if self.care else 0) + (dp(82) if self.pending else 0)
        return max(0, min(self._wide[self.name] + dp(2), room - marks - dp(12)))


class RoundPage(Page):
    """The first tab."""

    subtitle = StringProperty()
    nothing = BooleanProperty(False)
    empty_title = StringProperty()
    empty_text = StringProperty()
    chips_width = NumericProperty(100)

    def built(self) -> None:
        """Everything is shown at first."""
        self._asked = 0
        self.ids.filter.value = "all"
        self.typed = self.later(self.refresh_from_top, 0.15)
        chips = self.ids.filter.children
        for chip in chips:
            chip.bind(width=self._measure)
        self._measure()

    def filters(self) -> list[tuple[str, str]]:
        """The chips above the list."""
        return [
            ("all", tr("全部")),
            ("due", tr("该走访")),
            ("never", tr("从未走访")),
            ("care", tr("重点关爱")),
            ("waiting", tr("待上传")),
        ]

    def refresh_from_top(self) -> None:
        """Another question: begin at the top of its answer."""
        self.refresh(to_top=True)

    def refresh(self, to_top: bool = False) -> None:
        """Read the doors; a newer question makes an older answer void."""
        self._asked += 1
        asked, query, chosen = self._asked, self.ids.search.text.strip(), self.ids.filter.value
        phone, now = self.around.phone, self.around.now()

        def arrived(found: tuple[list[Row], int, str]) -> None:
            if asked != self._asked:
                return
            rows, count, grids = found
            self.subtitle = tr("{grids} · {n}户", grids=grids, n=count)
            self._say_empty(not rows, query, chosen)
            self.ids.rows.fill(rows, to_top)

        self.read(lambda: _rows(phone, query, chosen or "all", now), arrived)
        self.syncer.count()

    def open_door(self, row: Row) -> None:
        """To a household."""
        self.shell.go("household", household_id=row["key"])

    def _say_empty(self, nothing: bool, query: str, chosen: str) -> None:
        self.nothing = nothing
        if query:
            self.empty_title = tr("没有找到“{text}”", text=query)
            self.empty_text = tr("换个姓名、楼栋或电话后四位试试")
        elif chosen == "all":
            self.empty_title = tr("这里会列出您网格里的住户")
            self.empty_text = tr("第一次同步之后就能看到")
        else:
            self.empty_title = tr("这一类没有住户")
            self.empty_text = tr("符合条件的住户会出现在这里")

    def _measure(self, *_: Any) -> None:
        chips = self.ids.filter.children
        self.chips_width = sum(c.width for c in chips) + dp(theme.S) * len(chips)


def _rows(phone: Phone, query: str, chosen: Any, now: int) -> tuple[list[Row], int, str]:
    """The list as rows, with a head per building. Runs on a worker thread."""
    doors = phone.households(query, chosen)
    names = {compound.id: compound.name for compound in phone.compounds()}
    rows: list[Row] = []
    head: Row | None = None
    group, count = None, 0
    for door in doors:
        place = (door.compound_id, door.building)
        if place != group:
            if head:
                head["show"]["count"] = tr("{n}户", n=count)
            group, count = place, 0
            title = " ".join(filter(None, (names.get(door.compound_id or ""), door.building)))
            head = {
                "viewclass": "GroupRow",
                "key": f"head {place}",
                "tall": GROUP,
                "show": {"title": title or tr("其他地址"), "count": ""},
            }
            rows.append(head)
        count += 1
        rows.append({"viewclass": "DoorRow", "key": door.id, "tall": ROW, "show": _show(door, now)})
    if head:
        head["show"]["count"] = tr("{n}户", n=count)
    me = phone.me
    grids = tr("、").join(grid.name for grid in me.grids) if me else ""
    return stack(rows, foot=FOOT), len(doors), grids


def _show(door: HouseholdRow, now: int) -> dict[str, Any]:
    icon, tone = DUE_LOOK[door.due]
    last = day(door.last_visit_at, now)
    return {
        "door": door.door or "—",
        "name": door.name or tr("未登记联系人"),
        "where": " · ".join(filter(None, (door.unit or door.address, last))),
        "due": due_word(door.due, door.last_visit_at),
        "due_icon": icon,
        "tone": tone,
        "care": door.care,
        "pending": door.pending,
    }


def due_word(due: str, last_visit_at: int | None) -> str:
    """A door's state in a word."""
    if due == "never" and last_visit_at:
        return tr("还没见到人")
    return {
        "ok": tr("近期已访"),
        "due": tr("快到期"),
        "overdue": tr("该走访"),
        "never": tr("从未走访"),
    }[due]


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
