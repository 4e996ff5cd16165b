"""When Python looks for what nobody holds any more: while nobody looks on, never amid a swipe.

A look through everything the app has loaded takes longer than ten frames on a cheap phone. So none
is taken during the start (`mobile.app` turns it off); what is there then stays for good and is left
out of later looks, which wait until nobody has touched the screen for a while.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from kivy.clock import Clock
from kivy.core.window import Window

from mobile.ui import given_back

YOUNG, MIDDLE, OLD = 2_000, 10, 10_000  # the last: far more than come between two rests
LOOK_EVERY_SECONDS = 10
REST_SECONDS = 5


class Tidying:
    """``resting()`` tells whether nothing is under way that a pause would hold up."""

    def __init__(self, resting: Callable[[], bool]) -> None:
        self._resting = resting
        self._usual = gc.get_threshold()
        self._touched = time.monotonic()
        self._looks: Any = None
        self._closed = False

    def started(self) -> None:
        """The first page is in sight."""
        if self._closed:
            return
        if self._looks is None:
            gc.freeze()
            gc.set_threshold(YOUNG, MIDDLE, OLD)
            self._looks = Clock.schedule_interval(lambda _: self._look(), LOOK_EVERY_SECONDS)
            Window.bind(on_touch_down=self._seen, on_touch_up=self._seen)
        gc.enable()

    def out_of_sight(self) -> None:
        """Another app is in front: time for all of it."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        given_back.everything()

    def close(self) -> None:
        """The app ends; what ran it goes on as it was."""
        self._closed = True
        if self._looks is not None:
            self._looks.cancel()
            Window.unbind(on_touch_down=self._seen, on_touch_up=self._seen)
            gc.unfreeze()
            gc.set_threshold(*self._usual)
        gc.enable()

    def _seen(self, *_: Any) -> None:
        self._touched = time.monotonic()

    def _look(self) -> None:
        """Only where something has been made since the last look."""
        rested = time.monotonic() - self._touched > REST_SECONDS
        if rested and any(gc.get_count()[1:]) and self._resting():
            gc.collect()
