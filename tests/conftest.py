"""The real things the tests run on: both databases, migrated once and copied for each test."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
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
def config(database: str, templates: dict[str, str], tmp_path: Path) -> Iterator[Config]:
    """The configuration of a server with a fresh database and photo folder of its own."""
    data = tmp_path / "server"
    data.mkdir()
    if database == "sqlite":
        shutil.copy(templates["sqlite"], data / "gridledger.sqlite3")
        yield Config(data=data, testing=True, secret_key="test")
        return
    url = databases.new_database(template=templates["postgresql"])
    yield Config(data=data, database_url=url, testing=True, secret_key="test")
    databases.drop_database(url)


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """The real application. Requests open contexts of their own; use `with app.app_context()`."""
    from server import create_app
    from server.storage.database import db

    app = create_app(config)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


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
def world(app: Flask) -> World:
    """A street with two communities, people of every role, a worker's phone token, some homes."""
    with app.app_context():
        return build_world()
