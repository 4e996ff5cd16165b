"""Photos by the system's own camera app: what to do with its answers. Knows no Android itself.

One photo at a time. The permission is asked for first; then the camera app is opened with the
file that it is to write. What counts in the end is whether something lies in that file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mobile.ui.ports import Failed, Then

CAMERA, CHOOSER = 4701, 4702  # numbers of our requests among all answers the app gets
log = logging.getLogger(__name__)


class NoSuchApp(Exception):
    """Nothing on this phone can do it."""


class System(Protocol):
    """The few things that only the phone's system can do; answers come on the Kivy thread."""

    def has_permission(self) -> bool:
        """Whether the camera may be used."""

    def ask_permission(self, then: Callable[[bool, bool], None]) -> None:
        """Ask the person; ``then(granted, may be asked again)``."""

    def open_camera(self, request: int, into: Path) -> None:
        """Open the camera app, to write one photo. Raises NoSuchApp."""

    def open_chooser(self, request: int) -> None:
        """Open the gallery, to choose one photo. Raises NoSuchApp."""

    def copy(self, uri: str, into: Path) -> None:
        """Copy what was chosen; blocks. Raises OSError."""

    def open_settings(self) -> None:
        """Open the system's page about this app."""

    def in_background(self, work: Callable[[], None], then: Callable[[bool], None]) -> None:
        """Do it on another thread; ``then(whether it went well)``."""


@dataclass(frozen=True)
class _Asked:
    request: int
    into: Path
    then: Then
    failed: Failed


class IntentCamera:
    """The port `Camera` over a `System`, which hands its answers to ``answered``."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._asked: _Asked | None = None

    def take_photo(self, into: Path, then: Then, failed: Failed) -> None:
        """The permission, the camera app, the file."""
        asked = _Asked(CAMERA, into, then, failed)
        if self._system.has_permission():
            self._open(asked)
            return

        def answered(granted: bool, may_ask_again: bool) -> None:
            if granted:
                self._open(asked)
            else:
                failed("refused" if may_ask_again else "barred")

        self._system.ask_permission(answered)

    def choose_photo(self, into: Path, then: Then, failed: Failed) -> None:
        """The gallery; what was chosen is copied."""
        self._open(_Asked(CHOOSER, into, then, failed))

    def open_settings(self) -> None:
        """The system's page about this app."""
        self._system.open_settings()

    def answered(self, request: int, ok: bool, uri: str = "") -> None:
        """An app that was opened has closed."""
        asked = self._asked
        if asked is None or asked.request != request:
            return
        self._asked = None
        if request == CHOOSER:
            self._chosen(asked, uri if ok else "")
        elif size_of(asked.into):
            asked.then(asked.into)  # also where the app says "cancelled": nothing taken is lost
        elif ok:
            asked.failed("failed")
        else:
            asked.then(None)

    def resumed(self) -> None:
        """The app is in front again and no answer came, nor will one: look at the file."""
        if self._asked is not None:
            self.answered(self._asked.request, ok=False)

    def _open(self, asked: _Asked) -> None:
        self._asked = asked
        try:
            if asked.request == CAMERA:
                self._system.open_camera(CAMERA, asked.into)
            else:
                self._system.open_chooser(CHOOSER)
        except NoSuchApp:
            self._asked = None
            asked.failed("no_app")
        except Exception:
            log.exception("the camera could not be opened")
            self._asked = None
            asked.failed("failed")

    def _chosen(self, asked: _Asked, uri: str) -> None:
        if not uri:
            asked.then(None)
            return

        def copied(well: bool) -> None:
            if well and size_of(asked.into):
                asked.then(asked.into)
            else:
                asked.failed("failed")

        self._system.in_background(lambda: self._system.copy(uri, asked.into), copied)


def size_of(path: Path) -> int:
    """How many bytes lie there; 0 for no file."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
