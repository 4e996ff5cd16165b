"""A household: who and where, what is open, what was found there, and the next visit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, StringProperty

from mobile.sync.phone import HouseholdView, Phone
from mobile.ui import look, theme
from mobile.ui.left_over import NO_CHANGE, save_no_change
from mobile.ui.page import Page
from mobile.ui.parts import open_conflicts, problem_card, show_badges, visit_card
from mobile.ui.shell import UNDO_SECONDS
from mobile.ui.times import day
from mobile.ui.walk_rows import DUE_LOOK, due_word
from mobile.ui.widgets import Fact, text
from mobile.ui.words import tr, word, words
from shared import ids
from shared import vocabulary as v


class HouseholdPage(Page):
    """One door."""

    household_id = StringProperty()
    person = StringProperty()
    where = StringProperty()
    number = StringProperty()
    lives = StringProperty()
    problems_title = StringProperty()
    conflict = StringProperty()
    care_open = BooleanProperty(False)
    drafted = BooleanProperty(False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._view: HouseholdView | None = None
        self._later: Any = None
        super().__init__(*args, **kwargs)

    def enter(self, household_id: str) -> None:
        """Show this door; what is sensitive stays covered."""
        self.household_id = household_id
        self.seen = None
        self.care_open = False
        self.ids.care_facts.clear_widgets()
        self.ids.body.scroll_y = 1
        self.refresh()

    def refresh(self) -> None:
        """Read the door again."""
        phone, door = self.around.phone, self.household_id

        def work() -> tuple[HouseholdView, bool, dict[str, str]]:
            view = phone.household(door)
            names = {row.author: known_name(phone, row.author) for row in view.visits}
            return view, phone.draft(f"visit:{door}") is not None, names

        self.read_new(work, lambda it: self._show(*it) if door == self.household_id else None)

    def leave(self) -> None:
        """A "no change" that nobody took back is saved now."""
        self._commit()

    def forget(self) -> None:
        """The kept "no change" is gone with the rest."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def open_conflicts(self) -> None:
        """To what two people wrote differently."""
        if self._view:
            open_conflicts(self.shell, self._view.conflicts)

    def report(self) -> None:
        """A problem found here."""
        self.shell.go("report", household_id=self.household_id)

    def toggle_care(self) -> None:
        """Show or cover what is sensitive; the look at it is noted."""
        self.care_open = not self.care_open
        facts = self.ids.care_facts
        facts.clear_widgets()
        if not self.care_open or self._view is None:
            return
        phone, door = self.around.phone, self.household_id
        self.read(lambda: phone.note_look(door), lambda _: None)
        values = self._view.values
        rows = [
            (tr("重点人群"), words(v.CARE_GROUPS, values.get("care_groups"))),
            (tr("关注等级"), word(v.RISK, values.get("risk_level"))),
            (tr("电话"), values.get("contact_phone") or ""),
            (tr("备注"), values.get("note") or ""),
            *(
                (tr("居民"), " · ".join(filter(None, (one.get("name"), _band(one)))))
                for one in self._view.residents
            ),
        ]
        shown = [Fact(label=label, value=value) for label, value in rows if value]
        facts.fill(shown or [text("Sub", tr("没有登记更多内容"))])

    def no_change(self) -> None:
        """One tap; it stands on the disk at once, and undo takes it back until it is final."""
        if self._later is not None:
            return  # noted already, and may still be taken back
        phone, door, at = self.around.phone, self.household_id, self.around.now()
        key = f"{NO_CHANGE}{door}"
        self.read(lambda: phone.keep_draft(key, {"visited_at": at}), lambda _: None)
        self._later = Clock.schedule_once(lambda _: self._commit(), UNDO_SECONDS)
        self._pending = door
        self.shell.say(tr("已记下：无变化"), "disc_check", tr("撤销"), self._take_back)

    def _take_back(self) -> None:
        if self._later is None:
            return
        self._later.cancel()
        self._later = None
        phone, key = self.around.phone, f"{NO_CHANGE}{self._pending}"
        self.read(lambda: phone.drop_draft(key), lambda _: self.shell.say(tr("已撤销"), "undo"))

    def _commit(self) -> None:
        if self._later is None:
            return
        self._later.cancel()
        self._later = None
        phone, key = self.around.phone, f"{NO_CHANGE}{self._pending}"

        def saved(_: Any) -> None:
            self.syncer.saved()
            if self.shell.current is self:
                self.refresh()

        self.read(lambda: save_no_change(phone, key), saved)

    def _show(self, view: HouseholdView, drafted: bool, names: dict[str, str]) -> None:
        self._view = view
        values, now = view.values, self.around.now()
        self.drafted = drafted
        self.person = values.get("contact_name") or tr("未登记联系人")
        self.where = view.address
        self.number = values.get("contact_phone") or ""
        names_of = [one.get("name") or "" for one in view.residents]
        self.lives = tr("住着：{names}", names=tr("、").join(names_of)) if names_of else ""
        count = len(view.problems)
        self.problems_title = tr("未办结的问题 · {n}", n=count) if count else tr("未办结的问题")
        show_badges(self.ids.badges, self._badges(view))
        conflicts = [c for c in view.conflicts if c.state == "open"]
        self.conflict = (
            tr("有{n}处内容两人写得不同，等网格长裁定。两份都保留着。", n=len(conflicts))
            if conflicts
            else ""
        )
        self.ids.problems.fill(
            (problem_card(row, now, self._problem) for row in view.problems)
            if view.problems
            else [text("Sub", tr("没有未办结的问题"), padding=(dp(theme.XS), 0))]
        )
        said = [] if view.visits else [tr("还没有走访记录，第一次走访会出现在这里")]
        if view.older_visits:
            said = [tr("更早的{n}次走访在办公室，手机上已清理", n=view.older_visits)]
        self.ids.visits.fill(
            [
                *(visit_card(row, names[row.author], now, self._visit) for row in view.visits),
                *(text("Sub", one, padding=(dp(theme.XS), 0)) for one in said),
            ]
        )

    def _badges(self, view: HouseholdView) -> list[look.Look]:
        values = view.values
        last = day(view.last_visit_at, self.around.now())
        due = " · ".join(filter(None, (due_word(view.due, view.last_visit_at), last)))
        state = word(v.HOUSEHOLD_STATE, values.get("state"))
        count = values.get("residents_count")
        lives = " · ".join(filter(None, (state, tr("{n}人", n=count) if count else "")))
        looks = [look.Look(due, *DUE_LOOK[view.due]), look.Look(lives, "", "mute")]
        if view.place != "applied":
            looks.insert(1, look.place(view.place))
        return looks

    def _problem(self, problem_id: str) -> None:
        self.shell.go("problem", problem_id=problem_id)

    def _visit(self, visit_id: str) -> None:
        self.shell.go("visit", visit_id=visit_id)


def known_name(phone: Phone, user_id: str) -> str:
    """A person's name, "" where this phone does not know it."""
    name = phone.name_of(user_id)
    return "" if ids.is_id(name) else name


def _band(resident: Any) -> str:
    return word(v.AGE_BANDS, resident.get("age_band"))


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
