"""A small demo district with a server that listens, and phones that have pulled it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from gridledger.demo import build
from gridledger.demo.plan import Plan
from mobile.storage import meta
from mobile.sync.phone import Phone
from server import create_app
from server.config import Config
from server.core.access import Viewer
from server.operations import accounts
from tests.listening import listening

NOBODY = "http://127.0.0.1:1/"  # refuses every connection


class Line(requests.Session):
    """A phone's way to the network, with a switch.

    ``accident``, once: what befalls the next request after the server has answered it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on = True
        self.nowhere = NOBODY
        self.accident: Exception | None = None

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """Send; when off, to where nothing can connect, so that the failure is a real one."""
        if not self.on:
            request.url = self.nowhere
        answer = super().send(request, **more)
        if self.accident:
            accident, self.accident = self.accident, None
            raise accident
        return answer


@dataclass
class District:
    """A running server over demo data."""

    folder: Path
    url: str
    described: dict[str, Any]

    @property
    def worker(self) -> dict[str, Any]:
        """The first grid worker."""
        found: dict[str, Any] = next(
            one for one in self.described["accounts"] if one["role"] == "grid_worker"
        )
        return found

    def supervisor(self) -> Viewer:
        """Who decides conflicts in the worker's grids; within ``build.application``."""
        found = next(one for one in self.described["accounts"] if one["role"] == "supervisor")
        user = accounts.find_user(found["username"])
        return Viewer(user.id, user.role, user.area_code)

    def revoke(self, phone: Phone) -> None:
        """Stop a phone, as an administrator does."""
        with phone._store.reading() as db:
            device = meta.get(db, "device_id")
        with build.application(self.folder):
            accounts.revoke_device(device)

    def code(self) -> str:
        """A fresh enrolment code for the worker."""
        with build.application(self.folder):
            user = accounts.find_user(self.worker["username"])
            return accounts.make_enrolment_code(user.id).text

    def link(self) -> str:
        """The same as a link, as in the QR code."""
        return f"gridledger://enrol?server={self.url}&code={self.code()}"

    def phone(self, folder: Path) -> Phone:
        """An enrolled phone that has pulled everything; its network is ``phone._session``."""
        phone = Phone.open(folder, http=Line())
        phone.enrol_by_code(self.url, self.code(), "test")
        for _ in range(3):
            if phone.sync().complete:
                return phone
        raise AssertionError("the phone could not pull the demo")


@contextmanager
def running(folder: Path, households: int = 240) -> Iterator[District]:
    """Make the demo and serve it until the block ends."""
    described = build.build(
        folder, Plan(1, households, time.time_ns() // 1_000_000), lambda zh, en: None
    )
    app = create_app(Config(data=folder, demo=True))
    try:
        with listening(app) as url:
            yield District(folder, url, described)
    finally:
        from server.storage.database import db

        with app.app_context():
            db.session.remove()
            db.engine.dispose()
