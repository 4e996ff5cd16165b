"""Photos on a page: small tiles, one to add, one page to look at a photo.

A picture is read and shrunk on a worker thread; only its small pixels reach the Kivy thread.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.relativelayout import RelativeLayout
from kivy.uix.stacklayout import StackLayout
from PIL import Image, UnidentifiedImageError

from mobile.sync.phone import PhotoView
from mobile.ui.page import Around
from mobile.ui.words import tr

if TYPE_CHECKING:
    from mobile.ui.shell import Shell

Pixels = tuple[tuple[int, int], bytes]
TILE = 176  # pixels


def pixels(read: Callable[[], bytes], side: int, square: bool = True) -> Pixels | None:
    """A picture's pixels, cut to a square or fitted; None for one that cannot be read."""
    try:
        with Image.open(BytesIO(read())) as image:
            image.draft("RGB", (side, side))
            small = image.convert("RGB")
    except (OSError, ValueError, UnidentifiedImageError):
        return None
    if square:
        edge = min(small.size)
        left, top = (small.width - edge) // 2, (small.height - edge) // 2
        small = small.crop((left, top, left + edge, top + edge))
    small.thumbnail((side, side))
    return small.size, small.tobytes()


def texture(found: Pixels) -> Texture:
    """The pixels as Kivy draws them. For the Kivy thread."""
    size, data = found
    made = Texture.create(size=size, colorfmt="rgb")
    made.blit_buffer(data, colorfmt="rgb", bufferfmt="ubyte")
    made.flip_vertical()
    return made


class PhotoTile(ButtonBehavior, RelativeLayout):
    """One photo; with a cross to take it away where that is possible."""

    picture = ObjectProperty(None, allownone=True)
    icon = StringProperty("image")
    words = StringProperty()
    removable = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_remove")
        super().__init__(**kwargs)

    def on_remove(self) -> None:
        """The cross was tapped."""

    def load(self, around: Around, path: Path | None) -> None:
        """Read the picture in the background."""
        if path is None:
            return

        def arrived(found: Pixels | None) -> None:
            if found:
                self.picture = texture(found)

        around.bridge.quick(lambda: pixels(lambda: around.phone.picture(path), TILE), arrived)


class PhotoStrip(StackLayout):
    """The photos of a form or a page. ``on_add``, ``on_remove(n)`` and ``on_look(n)``."""

    editable = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        for event in ("on_add", "on_remove", "on_look"):
            self.register_event_type(event)
        super().__init__(**kwargs)

    def on_add(self) -> None:
        """Another photo is wanted."""

    def on_remove(self, index: int) -> None:
        """A photo's cross was tapped."""

    def on_look(self, index: int) -> None:
        """A photo was tapped."""

    def fill(self, around: Around, photos: list[tuple[Path | None, str, str]], add: str) -> None:
        """Show photos given as (file, icon, words); ``add`` names the tile for another one."""
        self.clear_widgets()
        for index, (path, icon, words) in enumerate(photos):
            tile = PhotoTile(removable=self.editable, icon=icon, words=words)
            tile.bind(on_release=_telling(self, "on_look", index))
            tile.bind(on_remove=_telling(self, "on_remove", index))
            tile.load(around, path)
            self.add_widget(tile)
        if self.editable:
            more = PhotoTile(icon="camera", words=add)
            more.bind(on_release=lambda _: self.dispatch("on_add"))
            self.add_widget(more)


def look_at(shell: Shell, photo: PhotoView, state: str) -> None:
    """A photo of a record in full, or where it can be seen."""
    if photo.path:
        shell.go("photo", path=str(photo.path), title=tr("照片"), state=state, small=photo.small)
    else:
        shell.say(tr("这张照片不在这部手机上，办公室电脑上能看"), "image")


def _telling(strip: PhotoStrip, event: str, index: int) -> Callable[..., None]:
    return lambda *_: strip.dispatch(event, index)
