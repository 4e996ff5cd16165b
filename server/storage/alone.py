"""One process at a time does a long piece of work, among all machines; it ends with the process."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from server.storage.database import db


@contextmanager
def alone(name: str, folder: Path) -> Iterator[bool]:
    """True: nobody else is at this work until the block ends; False: somebody is.

    PostgreSQL: an advisory lock of a connection of its own. SQLite: a locked file in ``folder``.
    """
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            number = zlib.crc32(f"gridledger {name}".encode())
            held = bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
            try:
                yield held
            finally:
                if held:
                    connection.execute(select(func.pg_advisory_unlock(number)))
            return
    yield from _locked(folder / f"{name}.lock")


def _locked(path: Path) -> Iterator[bool]:
    import fcntl

    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
