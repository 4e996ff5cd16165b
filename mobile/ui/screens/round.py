"""My round: every door of my grids, in the order one walks them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.metrics import dp, sp
from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from mobile.sync.phone import Person
from mobile.ui import theme
from mobile.ui.page import Page
from mobile.ui.rows import Row, RowView
from mobile.ui.walk_rows import ROOMY, WalkRows
from mobile.ui.words import tr


class DoorRow(RowView):
    """One household."""

    door = StringProperty()
    name = StringProperty()
    where = StringProperty()
    due = StringProperty()
    due_icon = StringProperty()
    tone = StringProperty("mute")
    care = BooleanProperty(False)
    problems = NumericProperty(0)
    pending = BooleanProperty(False)
    long = BooleanProperty(False)  # its second line takes two
    _wide: dict[tuple[str, float], float] = {}  # noqa: RUF012  widths of names, measured once

    @staticmethod
    def pending_word() -> str:
        """Beside its shape, where there is room for it."""
        return tr("待上传") if theme.tall(0, 1) < ROOMY else ""

    def name_width(
        self, room: float, name: str, care: bool, problems: float, pending: bool
    ) -> float:
        """How wide the name may be, so that the marks stand right behind it."""
        key = (name, sp(theme.HEAD))
        if key not in self._wide:
            self._wide[key] = CoreLabel(font_size=key[1]).get_extents(name)[0]
        marks = (dp(24) if care else 0) + (dp(22) + sp(12) if problems else 0)
        word = sp(44) if self.pending_word() else 0
        marks += dp(38) + word if pending else 0
        return max(0, min(self._wide[key] + dp(2), room - marks - dp(12)))


class RoundPage(Page):
    """The first tab."""

    subtitle = StringProperty()
    nothing = BooleanProperty(False)
    empty_title = StringProperty()
    empty_text = StringProperty()
    chips_width = NumericProperty(100)
    can_near = BooleanProperty(False)
    near = BooleanProperty(False)

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
            ("overdue", tr("已超期")),
            ("never", tr("从未走访")),
            ("care", tr("重点关爱")),
            ("problems", tr("有问题")),
            ("waiting", tr("待上传")),
        ]

    def nearest(self) -> None:
        """Nearest first, or in walking order again."""
        self.near = not self.near
        self.shell.say(tr("由近到远排列") if self.near else tr("按楼栋顺序排列"), "near")
        self.refresh_from_top()

    def refresh_from_top(self) -> None:
        """Another question: begin at the top of its answer."""
        self.refresh(to_top=True)

    def refresh(self, to_top: bool = False) -> None:
        """Look for the doors; a newer question makes an older answer void."""
        self._asked += 1
        asked, query, chosen = self._asked, self.ids.search.text.strip(), self.ids.filter.value
        phone, fix = self.around.phone, self.around.locator.here()
        here = (float(fix["lat"]), float(fix["lng"])) if fix else None
        self.can_near = here is not None
        near, wide = here if self.near else None, Window.width / dp(1)

        def work() -> tuple[WalkRows, Person | None]:
            return WalkRows(phone.walk(query, chosen or "all", near), wide), phone.me

        def arrived(found: tuple[WalkRows, Person | None]) -> None:
            if asked != self._asked:
                return
            rows, me = found
            self._say(rows, me)
            self._say_empty(not rows and rows.walk.whole, query, chosen)
            self.ids.rows.fill(rows, to_top)
            Clock.schedule_once(self._filled, 0)  # when the rows have been laid out
            if not rows.walk.whole:
                self._read_on(asked)

        self.read(work, arrived)
        self.syncer.count()

    def _filled(self, _: float) -> None:
        self.shell.filled = True

    def open_door(self, row: Row) -> None:
        """To a household."""
        self.shell.go("household", household_id=row["key"])

    def _read_on(self, asked: int) -> None:
        """The first doors are in sight: the rest is read in slices, then the list is whole."""
        phone = self.around.phone

        def arrived(whole: bool) -> None:
            if asked == self._asked:
                self.refresh() if whole else self._read_on(asked)

        self.read(phone.read_round, arrived)

    def _say(self, rows: WalkRows, me: Person | None) -> None:
        if not rows.walk.whole:
            return
        grids = tr("、").join(grid.name for grid in me.grids) if me else ""
        counts = rows.walk.counts
        due = counts["due"] + counts["overdue"] + counts["never"]
        said = [tr("{n}户该走访", n=due) if due else "", tr("{n}户", n=rows.walk.total), grids]
        self.subtitle = " · ".join(filter(None, said))

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


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
