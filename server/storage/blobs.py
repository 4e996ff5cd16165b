"""Photo bytes: one small interface, and the folder that is its default.

A store holds finished photos by their SHA-256 and the parts of uploads under way. Required of
every store:

- what `append` has returned from survives a crash of the process and of the machine;
- `append` at any place but the end raises WrongOffset and changes nothing;
- two that append to one upload at once: one wins, the other gets UploadBusy or WrongOffset;
- `keep` makes the whole photo appear at once or not at all, and may be repeated;
- `read` never returns bytes of an upload that was not kept.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from flask import Flask, current_app

from server.config import Config
from shared import ids

BLOCK = 256 * 1024


class WrongOffset(Exception):
    """The upload stands elsewhere; ``offset`` says where."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the upload stands at {offset}")
        self.offset = offset


class UploadBusy(Exception):
    """Another request is writing to this upload."""


class Store(Protocol):
    """Where photo bytes are."""

    def exists(self, sha256: str) -> bool:
        """Whether a finished photo is here."""

    def size(self, sha256: str) -> int:
        """Its bytes; raises FileNotFoundError."""

    def read(self, sha256: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Its bytes in blocks, from start to (not including) stop; raises FileNotFoundError."""

    def write(self, sha256: str, data: bytes) -> None:
        """Keep a whole photo whose hash the caller has checked."""

    def remove(self, sha256: str) -> None:
        """Delete a photo and its thumbnails for good; nothing to do if it is not here."""

    def thumbnail(self, sha256: str, name: str) -> bytes | None:
        """A smaller picture of a photo, by the name it was kept under; None: not made yet."""

    def keep_thumbnail(self, sha256: str, name: str, data: bytes) -> None:
        """Keep one, whole or not at all; may be repeated."""

    def append(self, upload_id: str, offset: int, data: bytes) -> int:
        """Add to an upload at its end; returns its new length."""

    def received(self, upload_id: str) -> int:
        """How many bytes of an upload are safe; 0 for one that is not known."""

    def read_upload(self, upload_id: str) -> Iterator[bytes]:
        """The bytes of an upload so far, in blocks."""

    def keep(self, upload_id: str, sha256: str) -> None:
        """Make a finished upload the photo of this hash."""

    def discard(self, upload_id: str) -> None:
        """Forget an upload; nothing to do if it is not known."""


class FolderStore:
    """Photos in a folder with a fan-out of two levels; every write is fsynced, then renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = folder / "uploads"
        self.parts.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a photo of this hash is, or would be."""
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def exists(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def size(self, sha256: str) -> int:
        return self.path(sha256).stat().st_size

    def read(self, sha256: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with self.path(sha256).open("rb") as file:
            file.seek(start)
            left = None if stop is None else stop - start
            while left is None or left > 0:
                block = file.read(BLOCK if left is None else min(BLOCK, left))
                if not block:
                    return
                if left is not None:
                    left -= len(block)
                yield block

    def write(self, sha256: str, data: bytes) -> None:
        self.parts.mkdir(parents=True, exist_ok=True)
        part = self.parts / f"{sha256}.{os.getpid()}"
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._move(part, sha256)

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)
        for path in self._small(sha256).parent.glob(f"{sha256}-*"):
            path.unlink(missing_ok=True)

    def thumbnail(self, sha256: str, name: str) -> bytes | None:
        path = self._small(sha256, name)
        return path.read_bytes() if path.exists() else None

    def keep_thumbnail(self, sha256: str, name: str, data: bytes) -> None:
        target = self._small(sha256, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{ids.new_id()}")
        part.write_bytes(data)
        part.rename(target)

    def _small(self, sha256: str, name: str = "") -> Path:
        return self.folder / "thumbnails" / sha256[:2] / sha256[2:4] / f"{sha256}-{name}"

    def append(self, upload_id: str, offset: int, data: bytes) -> int:
        with self._open(upload_id) as handle:
            end = os.lseek(handle, 0, os.SEEK_END)
            if end != offset:
                raise WrongOffset(end)
            try:
                _write_all(handle, data)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, offset)
                raise
            return end + len(data)

    def received(self, upload_id: str) -> int:
        path = self._part(upload_id)
        return path.stat().st_size if path.exists() else 0

    def read_upload(self, upload_id: str) -> Iterator[bytes]:
        path = self._part(upload_id)
        if not path.exists():
            return
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block

    def keep(self, upload_id: str, sha256: str) -> None:
        part = self._part(upload_id)
        if part.exists():
            self._move(part, sha256)
        elif not self.exists(sha256):
            raise FileNotFoundError(upload_id)

    def discard(self, upload_id: str) -> None:
        self._part(upload_id).unlink(missing_ok=True)

    def _part(self, upload_id: str) -> Path:
        return self.parts / f"{upload_id}.part"

    @contextmanager
    def _open(self, upload_id: str) -> Iterator[int]:
        self.parts.mkdir(parents=True, exist_ok=True)  # the folder may have been moved away
        handle = os.open(self._part(upload_id), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadBusy(upload_id) from None
            yield handle
        finally:
            os.close(handle)

    def _move(self, part: Path, sha256: str) -> None:
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.rename(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def register(app: Flask, config: Config) -> None:
    """Give the application its store."""
    app.extensions["gridledger_blobs"] = FolderStore(config.data / "photos")


def current() -> Store:
    """The store of the current application."""
    store: Store = current_app.extensions["gridledger_blobs"]
    return store
