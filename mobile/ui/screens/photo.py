"""A photo in full."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty

from mobile.ui.page import Page
from mobile.ui.photos import pixels, texture
from mobile.ui.words import tr

SIDE = 1440  # pixels


class PhotoPage(Page):
    """One photo, fitted to the screen."""

    title = StringProperty()
    state = StringProperty()
    told = StringProperty()
    picture = ObjectProperty(None, allownone=True)

    def enter(self, path: str, title: str, state: str = "", small: bool = False) -> None:
        """Read it in the background. ``small``: the original has left the phone."""
        self.title, self.state, self.picture = title, state, None
        self.told = tr("原图已存到服务器，手机上只留小图") if small else ""
        phone = self.around.phone
        self.read(
            lambda: pixels(lambda: phone.picture(Path(path)), SIDE, square=False), self._arrived
        )

    def resume(self) -> None:
        """It stays as it was."""

    def _arrived(self, found: object) -> None:
        if found:
            self.picture = texture(found)  # type: ignore[arg-type]
        else:
            self.told = tr("这张照片打不开，文件可能坏了")


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
