"""A window of a phone's size in a process of its own: empty, or the app at work.

`python -m bench.window empty` and `... app FOLDER` say "ready" when something can be seen;
`... scroll FOLDER` and `... sync FOLDER` say how long the frames took, as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, DENSITY, FPS = 720, 1280, 2, 60
os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.update(
    KIVY_WINDOW="sdl2", KIVY_NO_ARGS="1", KIVY_NO_CONFIG="1", KIVY_NO_FILELOG="1",
    KIVY_NO_CONSOLELOG="1", KIVY_CLIPBOARD="sdl2", KIVY_METRICS_FONTSCALE="1",
    KIVY_METRICS_DENSITY=str(DENSITY), KIVY_DPI=str(160 * DENSITY),
    # Mesa draws on the thread that asks: with threads of its own it keeps several frames in
    # memory, a hundred megabytes that no phone's graphics chip takes from the app.
    LP_NUM_THREADS="0",
)  # fmt: skip
os.environ.setdefault("KIVY_HOME", tempfile.mkdtemp(prefix="kivy-home-"))


def settings() -> None:
    """The window, before it is made."""
    from kivy.config import Config

    logging.getLogger("kivy").setLevel(logging.ERROR)
    Config.remove_section("input")  # the window has the touches; none is looked for elsewhere
    Config.add_section("input")
    wanted = {"width": WIDTH, "height": HEIGHT, "maxfps": FPS, "vsync": "0", "multisamples": 0}
    for name, value in wanted.items():
        Config.set("graphics", name, value)


def say(word: str) -> None:
    """To the one who started this."""
    print(word, flush=True)


def drawn() -> None:
    """Wait until what was asked to be drawn has been: Mesa puts it off, a screen could not."""
    from kivy.graphics.opengl import glFinish

    glFinish()


def empty() -> None:
    """A window with nothing in it."""
    settings()
    from kivy.app import App
    from kivy.clock import Clock
    from kivy.uix.widget import Widget

    class Empty(App):
        """Nothing."""

        def build(self) -> Any:
            """A bare widget."""
            return Widget()

        def on_start(self) -> None:
            """After its second frame."""
            Clock.schedule_once(lambda _: Clock.schedule_once(lambda _: self._seen(), 0), 0)

        def _seen(self) -> None:
            drawn()
            say("ready")
            self.stop()

    Empty().run()


class AtWork:
    """The real app over a folder, its frames pumped and measured here."""

    def __init__(self, folder: Path, sync: bool = False) -> None:
        settings()
        from mobile.app import make_app

        self.app = make_app(folder, sync_by_itself=sync)
        self.app._run_prepare()
        from kivy.base import EventLoop
        from kivy.core.window import Window

        self._loop, self.window = EventLoop, Window
        self.probe = Probe(Window)

    @property
    def page(self) -> Any:
        """The page in sight; None before there is one."""
        shell = self.app.around.shell
        return shell.current if shell is not None else None

    def usable(self) -> bool:
        """The round is there, filled with doors to the foot of the screen."""
        from mobile.ui.rows import RowsLayout

        page = self.page
        return (
            page is not None and page.name == "round" and len(page.ids.rows.data) > 0
            and page.get_root_window() is not None and not RowsLayout.making
            and not self.app.around.gate.shut
        )  # fmt: skip

    def at_rest(self) -> bool:
        """The whole round has been read."""
        return self.usable() and self.page.ids.rows.data.walk.whole and not self.busy

    @property
    def busy(self) -> bool:
        """Whether something is under way behind the screen."""
        return self.app.around.bridge.busy or self.app.around.syncer.running

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Frames until something holds."""
        end = time.monotonic() + seconds
        while not condition():
            self._loop.idle()
            if time.monotonic() > end:
                raise RuntimeError("the app did not come so far")

    def frame(self) -> None:
        """One frame."""
        self._loop.idle()

    def close(self) -> None:
        """Stop the app."""
        self.app.stop()
        self.app.dispatch("on_stop")


class Probe:
    """How long our own work held up each frame: drawing and the pause between frames left out.

    ``wall`` and ``cpu`` in ms a frame; the first includes what other threads took of the
    interpreter meanwhile.
    """

    def __init__(self, window: Any) -> None:
        from kivy.base import EventLoop
        from kivy.clock import Clock

        self.wall: list[float] = []
        self.cpu: list[float] = []
        self._out = (0.0, 0.0)
        window.on_draw = self._left_out(window.on_draw)
        window.on_flip = self._left_out(window.on_flip)
        Clock.idle = self._left_out(Clock.idle)
        EventLoop.idle = self._measured(EventLoop.idle)

    def forget(self) -> None:
        """Begin anew."""
        self.wall.clear()
        self.cpu.clear()

    def told(self) -> dict[str, Any]:
        """The distributions."""
        return {"frames": len(self.wall), "wall": spread(self.wall), "cpu": spread(self.cpu)}

    def _left_out(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return work(*args)
            finally:
                gone = time.perf_counter() - wall, time.thread_time() - cpu
                self._out = self._out[0] + gone[0], self._out[1] + gone[1]

        return timed

    def _measured(self, idle: Callable[..., Any]) -> Callable[..., Any]:
        def timed() -> Any:
            self._out = (0.0, 0.0)
            wall, cpu = time.perf_counter(), time.thread_time()
            result = idle()
            self.wall.append((time.perf_counter() - wall - self._out[0]) * 1000)
            self.cpu.append((time.thread_time() - cpu - self._out[1]) * 1000)
            return result

        return timed


def spread(values: list[float]) -> dict[str, float]:
    """The middle, the ends, and the share that is over 8 ms."""
    ordered = sorted(values) or [0.0]
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))]
          for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}  # fmt: skip
    over = sum(value > 8 for value in ordered)
    return {**{name: round(value, 2) for name, value in at.items()},
            "max": round(ordered[-1], 2), "over_8ms": over}  # fmt: skip


def scroll(work: AtWork) -> None:
    """Flings from the top to the bottom of the list and back, by a finger."""
    from tests.screens.finger import Finger

    rows = work.page.ids.rows
    middle, low, high = WIDTH / 2, HEIGHT * 0.25, HEIGHT * 0.75
    for start, end, times in ((low, high, 30), (high, low, 30)):
        for _ in range(times):
            finger = Finger(middle, start)
            finger.down()
            for step in range(1, 7):
                finger.move_to(middle, start + (end - start) * step / 6)
                work.frame()
            finger.up()
            for _ in range(10):
                work.frame()
    for part in range(0, 101, 2):  # as the bar at the side is dragged
        rows.scroll_y = 1 - part / 100
        work.frame()


def walk_about(work: AtWork) -> None:
    """What a person does meanwhile: tabs, a search, the list, a household."""
    rows = work.page.ids.rows
    for step in range(400):
        if step % 50 == 10:
            work.app.around.shell.open_tab(("ledger", "sync", "me", "round")[step // 50 % 4])
        if step % 100 == 60:
            work.app.around.shell.open_tab("round")
        rows.scroll_y = max(0.0, rows.scroll_y - 0.0008)
        work.frame()


def main() -> None:
    """As the arguments say."""
    what, folder = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
    if what == "empty":
        empty()
        return
    work = AtWork(folder, sync=what == "sync")
    work.until(work.usable if what != "sync" else lambda: work.page is not None)
    work.frame()
    if what == "app":
        drawn()
        say("ready")
        work.until(work.at_rest)
    elif what == "scroll":
        work.until(work.at_rest)
        work.probe.forget()
        scroll(work)
        say(json.dumps(work.probe.told()))
    else:
        work.probe.forget()
        while work.app.around.syncer.running or not work.page.name:
            walk_about(work)
        work.until(lambda: not work.busy)
        say(json.dumps(work.probe.told()))
    with suppress(OSError):
        say(next(line for line in Path("/proc/self/status").read_text().splitlines()
                 if line.startswith("VmHWM")).split()[1])  # fmt: skip
    work.close()


if __name__ == "__main__":
    main()
