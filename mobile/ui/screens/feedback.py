"""A complaint or suggestion, and what was answered to earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.uix.widget import Widget

from mobile.sync.phone import Draft, FeedbackRow
from mobile.ui import look
from mobile.ui.form import FormPage
from mobile.ui.times import moment
from mobile.ui.widgets import Badge, Card, text
from mobile.ui.words import choices, tr, word
from shared import vocabulary as v


class FeedbackPage(FormPage):
    """To the administrator, past the supervisor."""

    FIELDS = ("kind", "text", "anonymous")

    @staticmethod
    def kinds() -> list[tuple[str, str]]:
        """The tiles."""
        return choices(v.FEEDBACK_KINDS)

    def enter(self) -> None:
        """As it was left."""
        self.draft_key = "feedback"
        self.begin({"kind": "suggestion"})
        phone = self.around.phone

        def arrived(found: tuple[Draft | None, list[FeedbackRow]]) -> None:
            kept, rows = found
            if kept:
                self.begin(kept.values)
            self.ids.earlier.fill(self._earlier(rows))

        self.read(lambda: (phone.draft("feedback"), phone.feedback()), arrived)

    def save(self) -> None:
        """Keep it; it goes with the next sync."""
        phone, values = self.around.phone, self.values()

        def work() -> None:
            phone.give_feedback(
                values["kind"] or "suggestion", values["text"] or "", bool(values["anonymous"])
            )
            phone.drop_draft("feedback")

        self.save_by(work, self._saved)

    def _saved(self, _: Any) -> None:
        self.draft_key = ""
        self.shell.back()
        self.shell.say(tr("已写好，联网后送给管理员"), "disc_check")

    def _earlier(self, rows: list[FeedbackRow]) -> Iterator[Widget]:
        if rows:
            yield text("Section", tr("写过的"))
        for row in rows:
            state = (
                look.Look(tr("已答复"), "disc_check", "good")
                if row.answer
                else look.Look(tr("已送到"), "check", "info")
                if row.sent
                else look.place("waiting")
            )
            card = Card()
            card.add_widget(Badge(text=state.text, icon=state.icon, tone=state.tone))
            card.add_widget(text("Txt", row.text))
            about = [word(v.FEEDBACK_KINDS, row.kind), moment(row.made_at, self.around.now())]
            about += [tr("不署名")] if row.anonymous else []
            card.add_widget(text("Sub", " · ".join(about)))
            if row.answer:
                card.add_widget(text("Txt", tr("答复：{text}", text=row.answer)))
            yield card


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
