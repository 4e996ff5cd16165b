"""A photo in full."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty

from mobile.ui.page import Page
from mobile.ui.photos import pixels, texture

SIDE = 1440  # pixels


class PhotoPage(Page):
    """One photo, fitted to the screen."""

    title = StringProperty()
    picture = ObjectProperty(None, allownone=True)

    def enter(self, path: str, title: str) -> None:
        """Read it in the background."""
        self.title, self.picture = title, None
        phone = self.around.phone
        self.read(
            lambda: pixels(lambda: phone.picture(Path(path)), SIDE, square=False), self._arrived
        )

    def resume(self) -> None:
        """It stays as it was."""

    def _arrived(self, found: object) -> None:
        if found:
            self.picture = texture(found)  # type: ignore[arg-type]


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
