"""What the screens ask of the machine they run on: a photo, a telephone call, a place, a network.

The desktop answers with a file chooser and settings; Android with its camera and services
(mobile/android); tests with a sample. Answers come back on the Kivy thread.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from mobile.core.photo_queue import Network

POSITION_ALLOWED = "position_allowed"  # the setting: "1" once the worker has switched it on
Position = Mapping[str, Any]
# refused: no permission. barred: none, and it may not be asked for again. no_app: nothing on this
# machine can do it. failed: it was opened, and brought nothing.
Trouble = Literal["refused", "barred", "no_app", "failed"]
Then = Callable[[Path | None], None]
Failed = Callable[[Trouble], None]


class Camera(Protocol):
    """Where photos come from. ``then(file)``, or ``then(None)`` if the person gave up."""

    def take_photo(self, into: Path, then: Then, failed: Failed) -> None:
        """Let the person take one photo, written to ``into``; the file may be another one."""

    def choose_photo(self, into: Path, then: Then, failed: Failed) -> None:
        """Let the person choose a photo that is there already, copied to ``into`` or not."""

    def open_settings(self) -> None:
        """Where the person may give the permission."""


class Dialler(Protocol):
    """How a telephone number is called."""

    def call(self, number: str) -> None:
        """Open the telephone with the number filled in; the person starts the call."""


class Locator(Protocol):
    """Where the phone is."""

    def listen(self, on: bool) -> None:
        """Look for a position, or stop; only while a form is open that may carry one."""

    def position(self) -> Position | None:
        """The last fix {"lat", "lng", "accuracy"}; None without one, as is normal indoors."""


class NetworkKind(Protocol):
    """What the phone is connected by."""

    def kind(self) -> Network:
        """wifi (not metered), mobile or none. May be asked on any thread."""


class SampleCamera:
    """Takes its photos from a list of files, one after the other, and round again."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._next = 0

    def take_photo(self, into: Path, then: Then, failed: Failed) -> None:
        """The next file."""
        then(self._files[self._next % len(self._files)])
        self._next += 1

    choose_photo = take_photo

    def open_settings(self) -> None:
        """There are none."""


class FileCamera:
    """The desktop's stand-in: choose a picture file."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path.home()

    def take_photo(self, into: Path, then: Then, failed: Failed) -> None:
        """A file chooser over the page."""
        from mobile.ui.chooser import choose_picture

        choose_picture(self._folder, then)

    choose_photo = take_photo

    def open_settings(self) -> None:
        """There are none."""


class FixedNetwork:
    """A desktop's network, as it was set when the app was started."""

    def __init__(self, kind: Network = "wifi") -> None:
        self.now = kind

    def kind(self) -> Network:
        """As set."""
        return self.now


class Consent:
    """Passes a locator on only while the worker allows it."""

    def __init__(self, locator: Locator, allowed: bool = False) -> None:
        self._locator, self.allowed = locator, allowed

    def allow(self, allowed: bool) -> None:
        """The worker changed the setting."""
        self.allowed = allowed
        if not allowed:
            self._locator.listen(False)

    def listen(self, on: bool) -> None:
        """Look for a position if that is allowed."""
        if self.allowed or not on:
            self._locator.listen(on)

    def here(self) -> Position | None:
        """The last fix, for what the worker asks of the screen; it is not written down."""
        return self._locator.position()

    def position(self) -> Position | None:
        """The last fix for a record, None while that is not allowed."""
        return self._locator.position() if self.allowed else None


class WebDialler:
    """Hands tel: links to whatever the machine opens them with."""

    def call(self, number: str) -> None:
        """Open tel:NUMBER."""
        webbrowser.open(f"tel:{number}")


class NoLocator:
    """A machine that does not know where it is."""

    def listen(self, on: bool) -> None:
        """It cannot."""

    def position(self) -> Position | None:
        """Never a fix."""
        return None
