"""The camera by intents: what the app makes of the system's answers. Only the system is played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.ui.intent_camera import CAMERA, CHOOSER, IntentCamera, NoSuchApp, System

JPEG = b"\xff\xd8 a photo"


class PlayedSystem:
    """`System` without Android: what the person and other apps do is said by the test."""

    def __init__(self) -> None:
        self.granted = True
        self.asked: list[Callable[[bool, bool], None]] = []
        self.opened: list[tuple[int, Path | None]] = []
        self.trouble: Exception | None = None
        self.gallery: dict[str, bytes] = {}
        self.settings = 0

    def has_permission(self) -> bool:
        return self.granted

    def ask_permission(self, then: Callable[[bool, bool], None]) -> None:
        self.asked.append(then)

    def open_camera(self, request: int, into: Path) -> None:
        self._open(request, into)

    def open_chooser(self, request: int) -> None:
        self._open(request, None)

    def _open(self, request: int, into: Path | None) -> None:
        if self.trouble:
            raise self.trouble
        self.opened.append((request, into))

    def copy(self, uri: str, into: Path) -> None:
        if uri not in self.gallery:
            raise OSError("gone")
        into.write_bytes(self.gallery[uri])

    def open_settings(self) -> None:
        self.settings += 1

    def in_background(self, work: Callable[[], None], then: Callable[[bool], None]) -> None:
        try:
            work()
        except OSError:
            then(False)
        else:
            then(True)


class Asked:
    """One photo that was asked for, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.system = PlayedSystem()
        system: System = self.system  # the same interface, held by the type checker
        self.camera = IntentCamera(system)
        self.into = folder / "into.jpg"
        self.came: list[Path | None] = []
        self.failed: list[str] = []

    def take(self) -> Asked:
        self.camera.take_photo(self.into, self.came.append, self.failed.append)
        return self

    def choose(self) -> Asked:
        self.camera.choose_photo(self.into, self.came.append, self.failed.append)
        return self

    @property
    def end(self) -> tuple[list[Path | None], list[str]]:
        return self.came, self.failed


@pytest.fixture
def one(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_a_photo_that_was_taken_arrives(one: Asked) -> None:
    one.take()
    assert one.system.opened == [(CAMERA, one.into)] and one.end == ([], [])
    one.into.write_bytes(JPEG)
    one.camera.answered(CAMERA, ok=True)
    assert one.end == ([one.into], [])


def test_a_photo_counts_even_where_the_camera_says_cancelled(one: Asked) -> None:
    one.take().into.write_bytes(JPEG)
    one.camera.answered(CAMERA, ok=False)
    assert one.end == ([one.into], [])


@pytest.mark.parametrize("empty", [True, False], ids=["an empty file", "no file"])
def test_who_goes_back_from_the_camera_has_taken_none(one: Asked, empty: bool) -> None:
    one.take()
    if empty:
        one.into.touch()
    one.camera.answered(CAMERA, ok=False)
    assert one.end == ([None], [])


def test_a_camera_that_says_yes_and_brings_nothing_has_failed(one: Asked) -> None:
    one.take().camera.answered(CAMERA, ok=True)
    assert one.end == ([], ["failed"])


@pytest.mark.parametrize(("again", "word"), [(True, "refused"), (False, "barred")])
def test_a_refused_permission_is_told_and_opens_nothing(one: Asked, again: bool, word: str) -> None:
    one.system.granted = False
    one.take()
    assert one.system.opened == [], "not before the person has answered"
    one.system.asked.pop()(False, again)
    assert one.system.opened == [] and one.end == ([], [word])


def test_a_given_permission_opens_the_camera(one: Asked) -> None:
    one.system.granted = False
    one.take().system.asked.pop()(True, True)
    assert one.system.opened == [(CAMERA, one.into)]


@pytest.mark.parametrize(
    ("trouble", "word"), [(NoSuchApp(), "no_app"), (RuntimeError("a vendor's own"), "failed")]
)
def test_a_camera_that_does_not_open_is_told(one: Asked, trouble: Exception, word: str) -> None:
    one.system.trouble = trouble
    one.take()
    assert one.end == ([], [word])
    one.camera.answered(CAMERA, ok=True)
    one.camera.resumed()
    assert one.end == ([], [word]), "nobody waits for it any more"


def test_an_answer_is_taken_once_and_only_if_it_is_ours(one: Asked) -> None:
    one.take().into.write_bytes(JPEG)
    one.camera.answered(7, ok=True)
    one.camera.answered(CHOOSER, ok=True, uri="content://1")
    assert one.end == ([], [])
    for _ in range(2):
        one.camera.answered(CAMERA, ok=True)
        one.camera.resumed()
    assert one.end == ([one.into], [])


@pytest.mark.parametrize("written", [True, False])
def test_an_app_in_front_again_without_an_answer_looks_at_the_file(
    one: Asked, written: bool
) -> None:
    one.take()
    if written:
        one.into.write_bytes(JPEG)
    one.camera.resumed()
    assert one.end == ([one.into if written else None], [])


def test_what_was_chosen_is_copied(one: Asked) -> None:
    one.system.granted = False  # the gallery needs no permission
    one.system.gallery["content://1"] = JPEG
    one.choose().camera.answered(CHOOSER, ok=True, uri="content://1")
    assert one.end == ([one.into], []) and one.into.read_bytes() == JPEG


@pytest.mark.parametrize(
    ("ok", "uri", "end"),
    [
        (False, "", ([None], [])),
        (True, "", ([None], [])),
        (True, "content://gone", ([], ["failed"])),
        (True, "content://empty", ([], ["failed"])),
    ],
)
def test_a_choice_that_brings_nothing(
    one: Asked, ok: bool, uri: str, end: tuple[list[Path | None], list[str]]
) -> None:
    one.system.gallery["content://empty"] = b""
    one.choose().camera.answered(CHOOSER, ok=ok, uri=uri)
    assert one.end == end


def test_the_way_to_the_permission(one: Asked) -> None:
    one.camera.open_settings()
    assert one.system.settings == 1
