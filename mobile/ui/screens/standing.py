"""Where this phone stands, to be shown to the supervisor; and the file for the worst case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.storage.standing import Standing
from mobile.sync.phone import PhoneError
from mobile.ui import standing
from mobile.ui.handing import Way, hand_over
from mobile.ui.page import Page
from mobile.ui.screens.me import VERSION
from mobile.ui.widgets import Card, Fact, Note, text
from mobile.ui.words import pick, tr


class StandingPage(Page):
    """Opened from the sync page."""

    person = StringProperty()
    working = BooleanProperty(False)

    def enter(self) -> None:
        """From the top."""
        self.seen = None
        self.ids.body.scroll_y = 1
        self.ids.told.clear_widgets()
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        self.read_new(self.around.phone.standing, self._show)

    def _show(self, found: Standing) -> None:
        now = self.around.now()
        self.person = found.person.name if found.person else ""
        self._sections = list(standing.report(found, VERSION, now))
        widgets: list[Any] = []
        for title, facts in self._sections:
            card = Card()
            for label, value in facts:
                card.add_widget(Fact(label=label, value=value))
            widgets += [text("Section", title), card]
        self.ids.parts.fill(widgets)

    def copy(self) -> None:
        """The text, for a message."""
        from kivy.core.clipboard import Clipboard  # looks about the machine for a clipboard

        title = tr("网格台账：{name}的手机", name=self.person)
        Clipboard.copy(standing.as_text(title, self._sections))
        self.shell.say(tr("文字已复制，可以粘贴到消息里"), "check")

    def export(self) -> None:
        """Make the file, then let the person say where it goes."""
        self.working = True
        self.ids.told.clear_widgets()
        around = self.around
        hand_over(
            around.bridge, around.handing, around.phone.export_unsent,
            self._ask, self._done, self._failed,
        )  # fmt: skip

    def _ask(self, ways: list[Way]) -> None:
        self.working = False
        self.shell.ask(
            tr("文件做好了，交到哪里？"),
            tr("内容已加密，只有服务器能打开。"),
            [*ways, (tr("取消"), "close", None)],
        )

    def _done(self, words: str) -> None:
        self.working = False
        if words:
            self._tell(words, "good")

    def _failed(self, error: Exception) -> None:
        self.working = False
        if isinstance(error, PhoneError) and error.code != "damaged":
            self._tell(pick(error.message_zh, error.message_en), "warn")
        else:
            self.shell.failed(error)

    def _tell(self, words: str, tone: str) -> None:
        icon = "disc_check" if tone == "good" else "warn"
        self.ids.told.clear_widgets()
        self.ids.told.add_widget(Note(text=words, icon=icon, tone=tone))
        self.ids.body.scroll_y = 1


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
