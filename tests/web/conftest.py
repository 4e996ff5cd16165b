"""What the tests of the web pages share: a browser-like client, a lived-in world, a served one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.config import Config
from tests import databases
from tests.builders import PASSWORD, World, build_world
from tests.conftest import copied, running
from tests.listening import listening
from tests.web.scene import Scene, build

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Visitor:
    """A browser without scripts: keeps cookies, sends the page's CSRF token with a form."""

    def __init__(self, app: Flask, language: str = "zh-CN") -> None:
        self.client = app.test_client()
        self.headers = {**HTML, "Accept-Language": language}
        self.page = ""
        self.token = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page."""
        headers = {**self.headers, **more.pop("headers", {})}
        return self._keep(self.client.get(path, headers=headers, buffered=True, **more))

    def post(self, path: str, follow: bool = True, **data: Any) -> TestResponse:
        """Send a form."""
        data.setdefault("csrf_token", self.token)
        return self._keep(
            self.client.post(
                path, data=data, headers=self.headers, follow_redirects=follow, buffered=True
            )
        )

    def sign_in(self, username: str, password: str = PASSWORD) -> Visitor:
        """Sign in; fails the test if that does not work."""
        self.get("/sign-in")
        response = self.post("/sign-in", follow=False, username=username, password=password)
        assert response.status_code == 302, self.page
        self.get("/", follow_redirects=True)
        return self

    def hidden(self, name: str) -> str:
        """The value of the page's first hidden field of a name."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, f"no field {name}"
        return found[1]

    def _keep(self, response: TestResponse) -> TestResponse:
        if response.mimetype == "text/html":
            self.page = response.text
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.page)
            self.token = found[1] if found else self.token
        return response


class _LivedIn(dict[str, tuple[str, Scene]]):
    """A database of each sort with the scene in it, made when first asked for, to be copied."""

    def __init__(self, folder: Path, templates: dict[str, str]) -> None:
        super().__init__()
        self.folder, self.templates = folder, templates

    def __missing__(self, name: str) -> tuple[str, Scene]:
        data = self.folder / name
        data.mkdir()
        config = copied(self.templates[name], data)
        with running(config) as app:
            with app.app_context():
                world = build_world()
            scene = build(app, world)
        self[name] = config.database_url, scene
        return self[name]


@pytest.fixture(scope="session")
def lived_in(
    tmp_path_factory: pytest.TempPathFactory, templates: dict[str, str], cheap_passwords: None
) -> _LivedIn:
    """Databases with the scene, by sort."""
    return _LivedIn(tmp_path_factory.mktemp("lived_in"), templates)


@pytest.fixture
def config(database: str, lived_in: _LivedIn, tmp_path: Path) -> Iterator[Config]:
    """A server with a copy of the lived-in database and its photos."""
    url, _ = lived_in[database]
    data = tmp_path / "server"
    shutil.copytree(lived_in.folder / database, data)
    if not url:
        yield Config(data=data, testing=True, secret_key="test")
        return
    copy = databases.new_database(template=url)
    yield Config(data=data, database_url=copy, testing=True, secret_key="test")
    databases.drop_database(copy)


@pytest.fixture
def scene(database: str, lived_in: _LivedIn) -> Scene:
    """The lived-in world's records."""
    return lived_in[database][1]


@pytest.fixture
def world(scene: Scene) -> World:
    """The small world inside it."""
    return scene.world


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody at the door."""
    return Visitor(app)


@pytest.fixture
def served(app: Flask, scene: Scene) -> Iterator[str]:
    """The lived-in world behind a real port; its address."""
    with listening(app) as url:
        yield url
