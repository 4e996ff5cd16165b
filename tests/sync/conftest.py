"""Real phones against the real server over a real socket."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from PIL import Image

from mobile.sync.phone import Phone
from server.operations.accounts import make_enrolment_code
from tests.builders import World
from tests.listening import listening

START = 1_790_000_000_000


@dataclass
class HandClock:
    """A clock that moves when a test says so."""

    now: int = START
    boot: str = "boot-1"

    def wall(self) -> int:
        self.now += 1
        return self.now

    def mono(self) -> int:
        return self.now - START


@dataclass
class Network(requests.Session):
    """The phone's way to the server; a test may break it.

    ``lose``: how many answers are lost after the server has done its work. ``down``: no
    connection at all. ``seen``: (method, path) of what went out.
    """

    down: bool = False
    lose: int = 0
    lose_path: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[str, str], None] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def request(self, method: str, url: str, **more: Any) -> requests.Response:  # type: ignore[override]
        path = url[url.index("/api") :]
        if self.before is not None:
            self.before(method, path)
        if self.down:
            raise requests.ConnectTimeout("the network is down")
        self.seen.append((method, path))
        response = super().request(method, url, **more)
        if self.lose and self.lose_path in path:
            self.lose -= 1
            response.close()
            raise requests.ConnectionError("the answer was lost")
        return response


@dataclass
class Place:
    """A running server and what is needed to put phones beside it."""

    app: Flask
    url: str
    world: World
    folder: Path
    phones: list[Phone] = field(default_factory=list)

    def code(self, who: str = "worker") -> str:
        """A fresh enrolment code."""
        with self.app.app_context():
            return make_enrolment_code(self.world.users[who]).text

    def phone(self, name: str = "one", who: str = "worker") -> Phone:
        """An enrolled phone that has pulled everything; its network is ``phone._session``."""
        phone = self.open(name)
        phone.enrol_by_code(self.url, self.code(who), name)
        report = phone.sync()
        assert report.complete, report
        return phone

    def open(self, name: str) -> Phone:
        """A phone's store, as it was left."""
        phone = Phone.open(self.folder / name, clock=HandClock(), http=Network())
        self.phones.append(phone)
        return phone


def network(phone: Phone) -> Network:
    """The phone's network, to be broken."""
    found = phone._session
    assert isinstance(found, Network)
    return found


def picture(colour: str = "red", side: int = 900) -> bytes:
    """A JPEG that does not shrink to nothing."""
    image = Image.effect_noise((side, side), 90).convert("RGB")
    image.paste(colour, (0, 0, side // 4, side // 4))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.fixture
def place(app: Flask, world: World, tmp_path: Path) -> Iterator[Place]:
    """The server, listening."""
    with listening(app) as url:
        found = Place(app, url, world, tmp_path / "phones")
        yield found
        for phone in found.phones:
            phone.close()
