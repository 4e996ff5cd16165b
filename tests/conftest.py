"""The real things the tests run on: both databases, migrated once and copied for each test."""

from __future__ import annotations

import copy
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask

from server.config import Config
from server.operations import sign_in
from shared import ids
from tests import databases, object_store
from tests.builders import World, build_world

# As in the Makefile: the programs that tests start do not compile the same modules again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever runs on PostgreSQL is marked so, and is left out of the fast tier."""
    for item in items:
        if "postgresql" in getattr(getattr(item, "callspec", None), "params", {}).values():
            item.add_marker(pytest.mark.postgresql)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashing that takes no time: the true cost is paid by no test but its own."""
    true, sign_in._hasher = sign_in._hasher, PasswordHasher(time_cost=1, memory_cost=64)
    yield
    sign_in._hasher = true


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A migrated database of each sort, made when it is first asked for, to be copied."""
    made = _Templates(tmp_path_factory.mktemp("templates"))
    yield made
    databases.stop()


class _Templates(dict[str, str]):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> str:
        url = "" if name == "sqlite" else databases.new_database()
        migrate(Config(data=self.folder, database_url=url, testing=True))
        self[name] = url or str(self.folder / "gridledger.sqlite3")
        return self[name]


@pytest.fixture(scope="session")
def worlds(
    templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory, cheap_passwords: None
) -> dict[str, tuple[str, World]]:
    """A database of each sort with the small world in it, likewise."""
    return _Worlds(tmp_path_factory.mktemp("worlds"), templates)


class _Worlds(dict[str, tuple[str, World]]):
    def __init__(self, folder: Path, templates: dict[str, str]) -> None:
        super().__init__()
        self.folder, self.templates = folder, templates

    def __missing__(self, name: str) -> tuple[str, World]:
        config = copied(self.templates[name], self.folder)
        with running(config) as app, app.app_context():
            world = build_world()
        self[name] = config.database_url or str(self.folder / "gridledger.sqlite3"), world
        return self[name]


def copied(template: str, data: Path) -> Config:
    """The configuration of a server on a copy of a template, with its files in a folder."""
    if template.endswith(".sqlite3"):
        shutil.copy(template, data / "gridledger.sqlite3")
        return Config(data=data, testing=True, secret_key="test")
    url = databases.new_database(template)
    return Config(data=data, database_url=url, testing=True, secret_key="test")


@contextmanager
def running(config: Config) -> Iterator[Flask]:
    """The application; afterwards nothing is connected to its database."""
    from server import create_app
    from server.storage.database import db

    app = create_app(config)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def migrate(config: Config) -> None:
    """Bring a database to the newest schema, as `gridledger db upgrade` does."""
    from flask_migrate import upgrade

    from server import MIGRATIONS, create_app
    from server.storage.database import db

    app = create_app(config)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on: each test runs on both."""
    return str(request.param)


@pytest.fixture
def config(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """A server with a fresh database, which holds the world if the test asks for that."""
    data = tmp_path / "server"
    data.mkdir()
    if "world" in request.fixturenames:
        template, _ = request.getfixturevalue("worlds")[database]
    else:
        template = request.getfixturevalue("templates")[database]
    made = copied(template, data)
    yield made
    if made.database_url:
        databases.drop_database(made.database_url)


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """The real application. Requests open contexts of their own; use `with app.app_context()`."""
    with running(config) as app:
        yield app


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real S3 server, `rclone serve s3`."""
    with object_store.serving(tmp_path_factory.mktemp("s3")) as port:
        yield port


@pytest.fixture
def s3(s3_port: int) -> str:
    """The address of an object store of the test's own."""
    return object_store.url(s3_port, ids.new_id())


@pytest.fixture
def world(database: str, worlds: dict[str, tuple[str, World]]) -> World:
    """A street with two communities, people of every role, a worker's phone token, some homes."""
    return copy.deepcopy(worlds[database][1])
