"""Who this phone belongs to, the language, and what the app is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import StringProperty

from mobile.ui.page import Page
from mobile.ui.widgets import text
from mobile.ui.words import language, tr, word
from shared import vocabulary as v

VERSION = "0.1.0"


class MePage(Page):
    """The fourth tab."""

    person = StringProperty()
    role = StringProperty()
    version = VERSION

    def on_kv_post(self, _: Any) -> None:
        """What is set is shown before it can be changed."""
        self._filling = True
        self.ids.language.value = language()
        self.ids.language.bind(value=self._speak)
        self.ids.wifi.bind(active=self._wifi)
        self._filling = False

    def refresh(self) -> None:
        """Read it again."""
        phone = self.around.phone
        self.read(lambda: (phone.me, phone.setting("photos_on_wifi_only")), self._show)

    def _show(self, found: tuple[Any, str]) -> None:
        person, wifi = found
        self._filling = True
        self.ids.wifi.active = wifi == "1"
        self._filling = False
        if person is None:
            return
        self.person, self.role = person.name, word(v.ROLES, person.role)
        rows = [text("Txt", grid.name) for grid in person.grids]
        self.ids.grids.clear_widgets()
        for row in rows or [text("Sub", tr("还没有分到网格，请联系网格长"))]:
            self.ids.grids.add_widget(row)

    def _speak(self, _: Any, code: str) -> None:
        if code != language():
            self.shell.restyle("language", code)

    def _wifi(self, _: Any, active: bool) -> None:
        if not self._filling:
            phone = self.around.phone
            self.read(
                lambda: phone.keep_setting("photos_on_wifi_only", "1" if active else "0"),
                lambda _: None,
            )


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
