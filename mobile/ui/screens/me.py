"""Who this phone belongs to, how the app looks, what the phone holds, and a word to the office."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.storage import photos, retention
from mobile.sync.phone import FeedbackRow, Usage
from mobile.ui import theme
from mobile.ui.page import Page
from mobile.ui.ports import POSITION_ALLOWED
from mobile.ui.screens import pin as _pin  # noqa: F401  the rule of MeSafety
from mobile.ui.syncing import PHOTOS_ON, policy_of
from mobile.ui.widgets import text
from mobile.ui.words import language, tr, word
from shared import vocabulary as v

VERSION = "0.1.0"
# How long things stay on the phone: the chips, the setting, its choices, what holds unless chosen.
KEPT = {
    "keep_days": (retention.SETTING, retention.CHOICES, retention.DEFAULT),
    "keep_photos": (photos.SETTING, photos.CHOICES, photos.CHOICES[0]),
}


class MePage(Page):
    """The fourth tab."""

    PARTS = ("MeWork", "MeLook", "MePhone", "MeSafety", "MeMore")
    person = StringProperty()
    role = StringProperty()
    texts = StringProperty()
    photo_bytes = StringProperty()
    free = StringProperty()
    feedback_words = StringProperty()
    version = VERSION
    pin_set = BooleanProperty(False)

    def built(self) -> None:
        """What is set is shown before it can be changed."""
        self._filling = True
        for name, now in (
            ("language", language()), ("text_size", theme.size()), ("palette", theme.palette()),
        ):  # fmt: skip
            self.ids[name].value = now
            self.ids[name].bind(value=self._style(name))
        self.ids.photos_on.bind(value=self._photos_on)
        for name, (setting, choices, _) in KEPT.items():
            self.ids[name].choices = [(str(n), tr("{n}天", n=n)) for n in choices]
            self.ids[name].bind(value=self._keep(setting))
        self.ids.position.bind(active=self._position)
        self._filling = False
        if self.around.gate is None:
            self.ids.safety.clear_widgets()
            self.ids.safety.padding = 0

    def refresh(self) -> None:
        """Read it again."""
        self.pin_set = self.around.gate is not None and self.around.gate.state.has_pin
        phone = self.around.phone
        self.read(
            lambda: (
                phone.me,
                policy_of(phone),
                phone.usage(),
                phone.feedback(),
                {name: phone.setting(one, str(least)) for name, (one, _, least) in KEPT.items()},
            ),
            lambda found: self._show(*found),
        )

    def _show(
        self,
        person: Any,
        policy: str,
        used: Usage,
        feedback: list[FeedbackRow],
        kept: dict[str, str],
    ) -> None:
        self._filling = True
        self.ids.photos_on.value = policy
        for name, days in kept.items():
            self.ids[name].value = days
        self.ids.position.active = self.around.locator.allowed
        self._filling = False
        self.texts, self.photo_bytes, self.free = map(
            size_words, (used.texts, used.photos, used.free)
        )
        waits = sum(not one.answer for one in feedback)
        answered = len(feedback) - waits
        self.feedback_words = (
            tr("{n}条已答复，{m}条等答复", n=answered, m=waits)
            if feedback
            else tr("直接写给管理员，可以不署名")
        )
        if person is None:
            return
        self.person, self.role = person.name, word(v.ROLES, person.role)
        rows = [text("Txt", grid.name) for grid in person.grids]
        self.ids.grids.clear_widgets()
        for row in rows or [text("Sub", tr("还没有分到网格，请联系网格长"))]:
            self.ids.grids.add_widget(row)

    def _style(self, setting: str) -> Any:
        def chosen(_: Any, value: str) -> None:
            if not self._filling:
                self.shell.restyle(setting, value)

        return chosen

    def _photos_on(self, _: Any, policy: str) -> None:
        if not self._filling:
            phone, syncer = self.around.phone, self.syncer
            syncer.allowed = None  # another rule: an answer to the old one is void
            self.read(lambda: phone.keep_setting(PHOTOS_ON, policy), lambda _: syncer.count())

    def _keep(self, setting: str) -> Any:
        def chosen(_: Any, days: str) -> None:
            if not self._filling:
                phone = self.around.phone
                self.read(lambda: phone.keep_setting(setting, days), lambda _: None)

        return chosen

    def _position(self, _: Any, active: bool) -> None:
        if not self._filling:
            phone = self.around.phone
            self.around.locator.allow(active)
            self.read(
                lambda: phone.keep_setting(POSITION_ALLOWED, "1" if active else "0"),
                lambda _: None,
            )


def size_words(count: int) -> str:
    """Bytes as a person says them."""
    if count >= 2**30:
        return f"{count / 2**30:.1f} GB"
    return f"{count / 2**20:.1f} MB" if count >= 100 * 2**10 else f"{max(1, count // 1024)} KB"


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
