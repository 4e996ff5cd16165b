"""The SQLite file: one writer guarded by a lock, as many readers as are reading at once.

What `writing` has left is on the disk (WAL, synchronous=FULL); inside it, all or nothing.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mobile.core.errors import SaveFailed
from mobile.storage import files, lock
from mobile.storage import vault as vaults
from mobile.storage.migrations import Newer, migrate
from mobile.storage.vault import DEVICE_KEY, FileKeeper, Keeper

BUSY_SECONDS = 5.0
FILE = "phone.sqlite3"
PHOTOS = "photos"
WIPING = "wiping"  # there from the first step of a wipe to the last
DAMAGED = "phone-damaged-"  # how the name of a file that was set aside begins
MARKED = "damaged"  # there once damage was met at work; the next opening rescues
_CORRUPT = (11, 26)  # SQLITE_CORRUPT, SQLITE_NOTADB


class Damaged(SaveFailed):
    """The file is damaged; `rescue` sets it aside and saves what can be read."""


class Store:
    """The store in a folder. Every function of `mobile.storage` takes one of its connections."""

    def __init__(self, folder: Path, keeper: Keeper | None = None) -> None:
        """Open the store, made where there is none. Raises SaveFailed, Damaged.

        ``keeper`` wraps the key of the vault; without one it is a file in this folder.
        """
        self.changes = 0  # transactions so far: whoever keeps a copy sees whether it is old
        self.folder = folder
        self.keeper = keeper or FileKeeper(folder / DEVICE_KEY)
        self.inbox = folder / "photos_in"  # where cameras write
        self._path = folder / FILE
        self._lock = threading.RLock()
        self._free = threading.Condition()
        self._readers: list[sqlite3.Connection] = []  # those that nobody reads with now
        self._reading = 0
        self._closed = False
        with told():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                wiping = folder / WIPING
                if wiping.exists():
                    self._shred()
                self.vault = vaults.open_vault(folder, self.keeper)
            except OSError as error:
                raise failure(error) from error
            self._writer = self._open()
            if wiping.exists():
                self._begin_anew()

    def _open(self) -> sqlite3.Connection:
        writer = self._connect()
        try:
            if (self.folder / MARKED).exists():
                raise damaged("noted at work")
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("PRAGMA synchronous = FULL")
            found = writer.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise damaged(found)
            migrate(writer)
        except BaseException:
            writer.close()
            raise
        return writer

    def close(self) -> None:
        """Close every connection; a reader at work closes its own when it is done."""
        with self._lock:
            with self._free:
                self._closed = True
                readers, self._readers = self._readers, []
            for reader in readers:
                reader.close()
            self._writer.close()

    def empty(self) -> None:
        """Overwrite and remove the database, and begin an empty one. Waits for who reads now.

        Numbers of the journal are not given twice, so that nobody takes one for another.
        """
        with self._lock, self._free, told():
            self._free.wait_for(lambda: not self._reading)
            number = self._writer.execute("SELECT coalesce(max(n), 0) FROM journal").fetchone()[0]
            try:
                files.write(self.folder / WIPING, str(number).encode())
                readers, self._readers = self._readers, []
                for one in (*readers, self._writer):
                    one.close()
                try:
                    self._shred()
                finally:
                    self.vault = vaults.open_vault(self.folder, self.keeper)
                    self._writer = self._open()
                self._begin_anew()
            except OSError as error:
                raise failure(error) from error

    def _shred(self) -> None:
        """The key first: from then on nothing that is left over can be read."""
        vaults.destroy(self.folder)
        lock.remove(self.folder)
        taken = (*self.inbox.glob("*.jpg"), *self.inbox.glob("unsent-*"))
        for path in (self._path, *self.beside(self._path), *self.set_aside(), *taken):
            overwrite(path)
        shutil.rmtree(self.folder / PHOTOS, ignore_errors=True)
        if (self.folder / PHOTOS).exists():
            raise OSError("a photo will not go")

    def _begin_anew(self) -> None:
        """The end of a wipe: the journal's numbers go on where they were."""
        wiping = self.folder / WIPING
        number = int(wiping.read_bytes() or b"0")
        self._writer.execute("DELETE FROM sqlite_sequence WHERE name = 'journal'")
        self._writer.execute("INSERT INTO sqlite_sequence VALUES ('journal', ?)", (number,))
        wiping.unlink()

    def has_room_to_rewrite(self) -> bool:
        """Whether the disk takes the database twice more, as `rewrite` needs for a moment."""
        try:
            return shutil.disk_usage(self.folder).free > 3 * self._path.stat().st_size
        except OSError:
            return False

    def rewrite(self) -> None:
        """Write the database anew without its gaps. Raises SaveFailed; then it is as it was."""
        with self._lock, self._told():
            self._writer.execute("VACUUM")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def set_aside(self) -> list[Path]:
        """The damaged files that were set aside, with what belongs to them."""
        return sorted(self.folder.glob(f"{DAMAGED}*"))

    @staticmethod
    def beside(path: Path) -> list[Path]:
        """The files that belong to a database."""
        return [path.with_name(path.name + tail) for tail in ("-wal", "-shm")]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back by any exception.

        Nothing that waits (network, pictures) belongs inside. Raises SaveFailed for a full disk,
        a locked file and the like. Not to be nested.
        """
        with self._lock, self._told():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
                self.changes += 1
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot: what is read inside fits together, whatever is written meanwhile."""
        with self._told():
            db = self._take_reader()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                self._put_back(db)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors as SaveFailed; damage is noted, so that the next opening mends it."""
        try:
            with told():
                yield
        except Damaged:
            with suppress(OSError):
                (self.folder / MARKED).touch()
            raise

    def _take_reader(self) -> sqlite3.Connection:
        with self._free:
            if self._closed:
                raise sqlite3.ProgrammingError("the store is closed")
            self._reading += 1
            if self._readers:
                return self._readers.pop()
        try:
            db = self._connect()
            db.execute("PRAGMA query_only = ON")
        except BaseException:
            self._done()
            raise
        return db

    def _put_back(self, db: sqlite3.Connection) -> None:
        try:
            if db.in_transaction:
                db.execute("COMMIT")
            with self._free:
                if not self._closed:
                    self._readers.append(db)
                    return
            db.close()
        finally:
            self._done()

    def _done(self) -> None:
        with self._free:
            self._reading -= 1
            self._free.notify_all()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        self.vault.serve(db)
        db.execute("PRAGMA foreign_keys = ON")
        return db


@contextmanager
def told() -> Iterator[None]:
    """SQLite's errors as SaveFailed."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(error) from error


def overwrite(path: Path) -> None:
    """Write zeros over a file, as far as the disk keeps its place, and remove it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, 2**20)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def damaged(why: str) -> Damaged:
    """What a person is told when the file cannot be read any more."""
    return Damaged(
        "damaged",
        f"手机里的资料文件损坏，请退出应用再打开，会自动修复（{why}）",
        f"The phone's database is damaged; leave the app and open it again ({why})",
    )


def failure(error: Exception) -> SaveFailed:
    """What a person is told when the store or the disk would not do it."""
    if isinstance(error, Newer):
        return SaveFailed(
            "newer",
            "本机资料是更新版本的应用存的，这个版本打不开。请先更新应用。",
            "A newer version of the app wrote the data on this phone; update the app first.",
        )
    text = str(error).lower()
    unsealed = "user-defined function raised" in text  # the vault could not read its own
    if unsealed or getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT:
        return damaged(str(error))
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
