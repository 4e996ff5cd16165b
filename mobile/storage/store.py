"""The SQLite file: one writer guarded by a lock, as many readers as are reading at once.

What `writing` has left is on the disk (WAL, synchronous=FULL); inside it, all or nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobile.core.errors import SaveFailed
from mobile.storage.migrations import migrate

BUSY_SECONDS = 5.0
FILE = "phone.sqlite3"


class Store:
    """The store in a folder. Every function of `mobile.storage` takes one of its connections."""

    def __init__(self, folder: Path) -> None:
        """Open the store, made where there is none. Raises SaveFailed."""
        self.folder = folder
        self._path = folder / FILE
        self._lock = threading.RLock()
        self._free = threading.Lock()
        self._readers: list[sqlite3.Connection] = []  # those that nobody reads with now
        self._closed = False
        with told():
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise failure(error) from error
            self._writer = self._connect()
            try:
                self._writer.execute("PRAGMA journal_mode = WAL")
                self._writer.execute("PRAGMA synchronous = FULL")
                migrate(self._writer)
            except BaseException:
                self._writer.close()
                raise

    def close(self) -> None:
        """Close every connection; a reader at work closes its own when it is done."""
        with self._lock:
            with self._free:
                self._closed = True
                readers, self._readers = self._readers, []
            for reader in readers:
                reader.close()
            self._writer.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back by any exception.

        Nothing that waits (network, pictures) belongs inside. Raises SaveFailed for a full disk,
        a locked file and the like. Not to be nested.
        """
        with self._lock, told():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot: what is read inside fits together, whatever is written meanwhile."""
        with told():
            db = self._take_reader()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                self._put_back(db)

    def _take_reader(self) -> sqlite3.Connection:
        with self._free:
            if self._closed:
                raise sqlite3.ProgrammingError("the store is closed")
            if self._readers:
                return self._readers.pop()
        db = self._connect()
        db.execute("PRAGMA query_only = ON")
        return db

    def _put_back(self, db: sqlite3.Connection) -> None:
        if db.in_transaction:
            db.execute("COMMIT")
        with self._free:
            if not self._closed:
                self._readers.append(db)
                return
        db.close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA foreign_keys = ON")
        return db


@contextmanager
def told() -> Iterator[None]:
    """SQLite's errors as SaveFailed."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(error) from error


def failure(error: Exception) -> SaveFailed:
    """What a person is told when the store or the disk would not do it."""
    text = str(error).lower()
    if "full" in text or getattr(error, "errno", None) in (28, 122):  # ENOSPC, EDQUOT
        return SaveFailed(
            "disk_full",
            "手机存储空间已满，没有保存。请清理后再试",
            "The phone's storage is full; nothing was saved",
        )
    if "locked" in text or "busy" in text:
        return SaveFailed(
            "locked", "正忙，没有保存，请再试一次", "Busy; nothing was saved, please try again"
        )
    return SaveFailed(
        "storage", f"手机存储出错，没有保存（{error}）", f"Storage failed; nothing saved ({error})"
    )
