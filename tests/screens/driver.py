"""Drives the phone app in an offscreen window: touches, typing, pictures. No X server is needed.

Importing this module sets Kivy up, so it must come before any import of Kivy.
"""

from __future__ import annotations

import logging
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DENSITY = 2
WIDTH, HEIGHT = 360 * DENSITY, 640 * DENSITY
os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.update(
    KIVY_WINDOW="sdl2",
    KIVY_NO_ARGS="1",
    KIVY_CLIPBOARD="sdl2",
    KIVY_NO_CONFIG="1",
    KIVY_NO_FILELOG="1",
    KIVY_LOG_MODE="PYTHON",  # leave logging and stderr to pytest
    KIVY_METRICS_DENSITY=str(DENSITY),
    KIVY_METRICS_FONTSCALE="1",
    KIVY_DPI=str(160 * DENSITY),
)
os.environ.setdefault("KIVY_HOME", tempfile.mkdtemp(prefix="kivy-home-"))

BACKSPACE, ENTER, ESCAPE = 8, 13, 27
FRAME = 1 / 60


class skipped:
    """How far Kivy's clock is ahead of the wall's: tests skip time instead of waiting."""

    seconds = 0.0


def set_up() -> None:
    """A window of 360 x 640 dp."""
    from kivy.config import Config

    logging.getLogger("kivy").setLevel(logging.ERROR)
    settings = {"width": WIDTH, "height": HEIGHT, "maxfps": 0, "vsync": "0", "multisamples": 0}
    for name, value in settings.items():
        Config.set("graphics", name, value)


class Driver:
    """The hands and eyes on one running app."""

    keeps_pictures = True  # False: a picture is drawn and thrown away

    def __init__(self, app: Any) -> None:
        from kivy.base import EventLoop
        from kivy.core.window import Window

        self.app, self.window, self._loop = app, Window, EventLoop

    # --- time ---

    def frames(self, count: int = 3) -> None:
        """Let the app draw so many frames."""
        for _ in range(count):
            self._loop.idle()

    def settle(self) -> None:
        """Until all background work has come back and been drawn."""
        from mobile.ui.rows import RowsLayout
        from mobile.ui.widgets import Column

        def at_rest() -> bool:
            making = any(one.get_root_window() for one in RowsLayout.making)
            return not (self.app.around.bridge.busy or Column.feeding or making)

        for _ in range(2):
            self.wait(at_rest)
            self.frames(3)

    def wait(self, until: Callable[[], Any], seconds: float = 20) -> None:
        """Until something holds."""
        end = time.monotonic() + seconds
        while not until():
            self._loop.idle()
            time.sleep(0.002)  # leave the processor to the work that is waited for
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s")

    def let_pass(self, seconds: float) -> None:
        """Kivy's clock goes on so far, a frame at a time; nobody waits for it."""
        for _ in range(math.ceil(seconds / FRAME)):
            skipped.seconds += FRAME
            self._loop.idle()

    # --- hands ---

    def tap(self, what: Any) -> None:
        """A finger on a widget's centre, or on a point in pixels; scrolled into sight first."""
        from tests.screens.finger import Finger

        self.frames(2)
        if isinstance(what, tuple):
            x, y = what
        else:
            self.reach(what)
            x, y = what.to_window(*what.center)
        touch = Finger(x, y)
        touch.down()
        self.let_pass(0.08)  # a scroll view waits 55 ms to see whether the finger moves
        touch.up()
        self.let_pass(0.06)
        self.settle()

    def reach(self, widget: Any) -> None:
        """Scroll a page until the widget is in sight."""
        from kivy.uix.scrollview import ScrollView

        parent = widget.parent
        while parent is not None and parent is not parent.parent:
            if isinstance(parent, ScrollView) and parent.do_scroll_y:
                middle = widget.to_window(*widget.center)[1]
                low = parent.to_window(0, parent.y)[1]
                if not low + 60 < middle < low + parent.height - 60:
                    parent.scroll_to(widget, padding=120, animate=False)
                    self.frames(3)
                return
            parent = parent.parent

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
        """A finger moved over the glass."""
        from tests.screens.finger import Finger

        touch = Finger(*start)
        touch.down()
        self.frames(1)
        for step in range(1, steps + 1):
            part = step / steps
            touch.move_to(
                start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
            )
            self.frames(1)
        touch.up()
        self.frames(3)

    def type(self, text: str) -> None:
        """Text as an input method gives it, into the field that has the focus."""
        self.window.dispatch("on_textinput", text)
        self.frames(2)

    def key(self, code: int) -> None:
        """A key; ESCAPE is Android's back."""
        if not self.window.dispatch("on_key_down", code, 0, None, []):
            self.window.dispatch("on_keyboard", code, 0, None, [])
        self.window.dispatch("on_key_up", code, 0)
        self.frames(2)
        self.settle()

    def back(self) -> None:
        """Android's back key."""
        self.key(ESCAPE)

    def fill(self, field: Any, text: str) -> None:
        """Tap a text field and type into it."""
        self.tap(field)
        assert field.focus, "the field did not get the focus"
        self.type(text)

    # --- eyes ---

    @property
    def shell(self) -> Any:
        """The frame of the app."""
        return self.app.around.shell

    @property
    def page(self) -> Any:
        """The page in sight."""
        return self.shell.current

    @property
    def said(self) -> str:
        """The last message, whether it is still in sight or not."""
        return str(self.shell.last_said)

    def find(self, kind: str, root: Any = None, **wanted: Any) -> Any:
        """The first widget of a class with these property values on the page."""
        for widget in (root or self.page).walk(restrict=True):
            if type(widget).__name__ == kind and all(
                getattr(widget, name) == value for name, value in wanted.items()
            ):
                return widget
        raise AssertionError(f"no {kind} with {wanted} on the page")

    def texts(self, root: Any = None) -> list[str]:
        """All that can be read on the page, top to bottom as built."""
        found = (getattr(widget, "text", "") for widget in (root or self.page).walk(restrict=True))
        return [text for text in found if isinstance(text, str) and text]

    def reads(self, words: str) -> bool:
        """Whether these words stand somewhere on the page."""
        return any(words in text for text in self.texts())

    def shot(self, path: Path) -> Path:
        """A picture of what is in sight."""
        image = self.picture()
        if self.keeps_pictures:
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path, optimize=True)
        return path

    def picture(self) -> Any:
        """What is in sight, drawn, as an image."""
        from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels
        from PIL import Image

        self.frames(2)
        type(self.window).on_draw(self.window)
        width, height = self.window.system_size
        pixels = glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE)
        image = Image.frombytes("RGB", (width, height), pixels)
        return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


@contextmanager
def running(folder: Path, **parts: Any) -> Iterator[Driver]:
    """An app over a folder, started and in the end stopped; ``parts`` as `mobile.app.make_app`."""
    set_up()
    from kivy.base import EventLoop
    from kivy.clock import Clock
    from kivy.core.window import Window

    from mobile.app import make_app

    if Window is None:
        raise RuntimeError("no offscreen window: libegl1 and libgl1 are needed")
    Clock.time = lambda: time.perf_counter() + skipped.seconds
    # Nobody sees the frames between two pictures: they are laid out, not drawn.
    Window.on_draw = Window.on_flip = lambda: None
    parts.setdefault("sync_by_itself", False)
    app = make_app(folder, **parts)
    app._run_prepare()
    driver = Driver(app)
    driver.frames(3)
    driver.settle()
    try:
        yield driver
    finally:
        app.stop()
        app.dispatch("on_stop")
        for child in Window.children[:]:
            Window.remove_widget(child)
        EventLoop.window = Window
        EventLoop.quit = False


def sample_photos(folder: Path) -> list[Path]:
    """Some photos of the kinds phones take; drawn here where the samples are missing."""
    shelf = Path(__file__).parents[3] / "shared" / "samples" / "photos"
    found = [shelf / name for name in ("phone_nokia_2mb.jpg", "phone_jolla_800k.jpg")]
    if all(path.is_file() for path in found):
        return found
    from PIL import Image

    drawn = []
    for number, colour in enumerate(("#8fb6c9", "#c9a58f")):
        drawn.append(folder / f"drawn-{number}.jpg")
        Image.new("RGB", (1600, 1200), colour).save(drawn[-1])
    return drawn
