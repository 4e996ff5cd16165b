"""What the screens ask of the machine they run on: a photo, a telephone call, a place.

The desktop answers with a file chooser; Android with its camera (mobile/android); tests with a
sample. Answers come back on the Kivy thread.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

Position = Mapping[str, Any]


class Camera(Protocol):
    """Where photos come from."""

    def take_photo(self, then: Callable[[Path], None]) -> None:
        """Let the person take or choose one photo; ``then(file)``, or nothing if they gave up."""


class Dialler(Protocol):
    """How a telephone number is called."""

    def call(self, number: str) -> None:
        """Open the telephone with the number filled in; the person starts the call."""


class Locator(Protocol):
    """Where the phone is."""

    def position(self) -> Position | None:
        """The last fix {"lat", "lng", "accuracy"}; None without one, as is normal indoors."""


class SampleCamera:
    """Takes its photos from a list of files, one after the other, and round again."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._next = 0

    def take_photo(self, then: Callable[[Path], None]) -> None:
        """The next file."""
        then(self._files[self._next % len(self._files)])
        self._next += 1


class FileCamera:
    """The desktop's stand-in: choose a picture file."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path.home()

    def take_photo(self, then: Callable[[Path], None]) -> None:
        """A file chooser over the page."""
        from mobile.ui.chooser import choose_picture

        choose_picture(self._folder, then)


class WebDialler:
    """Hands tel: links to whatever the machine opens them with."""

    def call(self, number: str) -> None:
        """Open tel:NUMBER."""
        webbrowser.open(f"tel:{number}")


class NoLocator:
    """A machine that does not know where it is."""

    def position(self) -> Position | None:
        """Never a fix."""
        return None
