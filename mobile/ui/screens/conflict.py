"""A conflict: both values, who wrote each and when, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.widget import Widget

from mobile.sync.phone import ConflictRow, Phone
from mobile.ui import look
from mobile.ui.page import Page
from mobile.ui.times import moment
from mobile.ui.widgets import Card
from mobile.ui.words import pick, tr

PAGES = {"household": "household", "visit": "visit", "problem": "problem"}


class ValueCard(Card):
    """One of the values, and whose it is."""

    title = StringProperty()
    value = StringProperty()
    by = StringProperty()
    chosen = BooleanProperty(False)


class ConflictPage(Page):
    """One conflict."""

    conflict_id = StringProperty()
    about = StringProperty()
    field = StringProperty()
    told = StringProperty()
    told_icon = StringProperty("split")
    told_tone = StringProperty("warn")
    leads = BooleanProperty(False)

    def enter(self, conflict_id: str) -> None:
        """Show this conflict."""
        self.conflict_id = conflict_id
        self._row: ConflictRow | None = None
        self.seen = None
        self.ids.cards.clear_widgets()
        self.ids.body.scroll_y = 1
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        phone, wanted = self.around.phone, self.conflict_id

        def work() -> tuple[ConflictRow | None, dict[str, str]]:
            row = next((one for one in phone.conflicts() if one.id == wanted), None)
            return row, names_of(phone, row.field) if row else {}

        self.read_new(work, lambda found: self._show(*found))

    def open_about(self) -> None:
        """To the record."""
        if self._row:
            page = PAGES[self._row.about_kind]
            self.shell.go(page, **{f"{page}_id": self._row.about_id})

    def _show(self, row: ConflictRow | None, names: dict[str, str]) -> None:
        self._row = row
        if row is None:
            self.told, self.told_icon, self.told_tone = tr("手机上没有这条记录了"), "info", "mute"
            self.about = self.field = ""
            self.leads = False
            return
        self.about = row.about_name
        self.field = pick(row.field_zh, row.field_en)
        self.leads = row.about_kind in PAGES and bool(row.about_id)
        self._tell(row, names)
        self.ids.cards.fill(self._cards(row, names))

    def _tell(self, row: ConflictRow, names: dict[str, str]) -> None:
        if row.state == "open":
            self.told = tr("两份都保留着，等网格长裁定。裁定之前用现用的值，您不用再做什么。")
            self.told_icon, self.told_tone = "split", "warn"
        elif row.state == "agreed":
            self.told = tr("后来写成了一样的，不用裁定。")
            self.told_icon, self.told_tone = "disc_check", "good"
        else:
            self.told = tr("已裁定：{value}", value=_value(row, row.verdict, names))
            self.told_icon, self.told_tone = "disc_check", "good"
            by = self._by(row.decided_by, row.decided_at, known_only=True)
            if by:
                self.told += f"\n{by}"

    def _cards(self, row: ConflictRow, names: dict[str, str]) -> Iterator[Widget]:
        decided = row.state == "decided"
        was = tr("原来现用的") if decided else tr("现用的")
        yield ValueCard(
            title=was,
            value=_value(row, row.accepted, names),
            by=self._by(row.accepted_by, row.accepted_at),
            chosen=decided and row.verdict == row.accepted,
        )
        yield ValueCard(
            title=tr("另一个"),
            value=_value(row, row.proposed, names),
            by=self._by(row.proposed_by, row.proposed_at),
            chosen=decided and row.verdict == row.proposed,
        )
        if decided and row.verdict not in (row.accepted, row.proposed):
            yield ValueCard(
                title=tr("裁定的第三个值"),
                value=_value(row, row.verdict, names),
                by=self._by(row.decided_by, row.decided_at, known_only=True),
                chosen=True,
            )

    def _by(self, who: str, at: int | None, known_only: bool = False) -> str:
        name = who or ("" if known_only else tr("姓名未知"))
        return " · ".join(filter(None, (name, moment(at, self.around.now()))))


def names_of(phone: Phone, field: str) -> dict[str, str]:
    """The names of a field's codes that the vocabulary does not have. On a worker thread."""
    if field == "category":
        return {one.code: pick(one.name, one.name_en) for one in phone.categories()}
    return dict(phone.bodies()) if field == "body" else {}


def _value(row: ConflictRow, given: Any, names: dict[str, str]) -> str:
    known = names.get(given) if isinstance(given, str) else None
    return known or look.value(row.about_kind, row.field, given)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
