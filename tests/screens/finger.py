"""One finger on the glass. Importing this imports Kivy; see tests.screens.driver."""

from __future__ import annotations

from typing import Any

from kivy.base import EventLoop
from kivy.input.motionevent import MotionEvent


class Finger(MotionEvent):
    """A touch, in the window's pixels."""

    def __init__(self, x: float, y: float) -> None:
        super().__init__("finger", 99, self._where(x, y), is_touch=True, type_id="touch")
        self.profile = ["pos"]

    def down(self) -> None:
        """On the glass."""
        EventLoop.post_dispatch_input("begin", self)

    def move_to(self, x: float, y: float) -> None:
        """Moved over it."""
        self.move(self._where(x, y))
        EventLoop.post_dispatch_input("update", self)

    def up(self) -> None:
        """Off again."""
        EventLoop.post_dispatch_input("end", self)

    def depack(self, args: dict[str, float]) -> None:
        """Parts of the window's width and height, as Kivy keeps them."""
        self.sx, self.sy = args["x"], args["y"]
        super().depack(args)

    def _where(self, x: float, y: float) -> dict[str, Any]:
        window = EventLoop.window
        return {"x": x / (window.width - 1.0), "y": y / (window.height - 1.0)}
