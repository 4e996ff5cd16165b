"""Photos in a folder, with a fan-out of two levels; every write is fsynced, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from server.storage.blobs import BLOCK, Kept, WrongOffset

THUMBNAILS, UPLOADS = "thumbnails", "uploads"
_PART = ".part"


class FolderStore:
    """The default: one machine, or several that share a disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = folder / UPLOADS
        self.small = folder / THUMBNAILS
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
        self._place(self.path(sha256), data)

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)
        for path in self._thumbnail(sha256).parent.glob(f"{sha256}-*"):
            path.unlink(missing_ok=True)

    def photos(self) -> Iterator[Kept]:
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*/*"):
            if (found := _seen(path, path.name, path.name)) is not None:
                yield found

    def thumbnail(self, sha256: str, name: str) -> bytes | None:
        try:
            return self._thumbnail(sha256, name).read_bytes()
        except FileNotFoundError:
            return None

    def keep_thumbnail(self, sha256: str, name: str, data: bytes) -> None:
        self._place(self._thumbnail(sha256, name), data)

    def thumbnails(self) -> Iterator[Kept]:
        for path in self.small.glob("*/*/*"):
            sha256, _, name = path.name.partition("-")
            if (found := _seen(path, name, sha256)) is not None:
                yield found

    def remove_thumbnail(self, sha256: str, name: str) -> None:
        self._thumbnail(sha256, name).unlink(missing_ok=True)

    @contextmanager
    def append(self, upload_id: str, offset: int, pieces: Sequence[str]) -> Iterator[_FileTail]:
        self.parts.mkdir(parents=True, exist_ok=True)  # the folder may have been moved away
        handle = os.open(self._part(upload_id), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            end = os.fstat(handle).st_size
            if end < offset:
                raise WrongOffset(end)
            if end > offset:
                os.ftruncate(handle, offset)
            yield _FileTail(handle, offset)
        finally:
            os.close(handle)

    def open_upload(self, upload_id: str, size: int, pieces: Sequence[str]) -> IO[bytes]:
        path = self._part(upload_id)
        if path.stat().st_size < size:
            raise FileNotFoundError(upload_id)
        if path.stat().st_size > size:
            os.truncate(path, size)
        return path.open("rb")

    def keep(self, upload_id: str, sha256: str, file: IO[bytes]) -> None:
        part = self._part(upload_id)
        if part.exists():
            self._move(part, self.path(sha256))
        elif not self.exists(sha256):
            raise FileNotFoundError(upload_id)

    def discard(self, upload_id: str) -> None:
        self._part(upload_id).unlink(missing_ok=True)

    def uploads(self) -> Iterator[Kept]:
        for path in self.parts.iterdir():
            if (found := _seen(path, path.name.removesuffix(_PART), "")) is not None:
                yield found

    def _part(self, upload_id: str) -> Path:
        return self.parts / f"{upload_id}{_PART}"

    def _thumbnail(self, sha256: str, name: str = "") -> Path:
        return self.small / sha256[:2] / sha256[2:4] / f"{sha256}-{name}"

    def _place(self, target: Path, data: bytes) -> None:
        self.parts.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(_PART, dir=self.parts)  # one that stays is swept
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._move(Path(name), target)

    def _move(self, part: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.rename(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _FileTail:
    """The end of a part's file; positions are its own, so that nobody else's write moves it."""

    def __init__(self, handle: int, offset: int) -> None:
        self._handle, self._at = handle, offset

    def write(self, block: bytes) -> None:
        view = memoryview(block)
        start = self._at
        while view:
            written = os.pwrite(self._handle, view, self._at)
            self._at += written
            view = view[written:]
        if hasattr(os, "posix_fadvise"):
            # Linux begins to write it to the disk at once then, and `sync` waits for less.
            os.posix_fadvise(self._handle, start, len(block), os.POSIX_FADV_DONTNEED)

    def sync(self) -> list[str]:
        os.fdatasync(self._handle)
        return []


def _seen(path: Path, name: str, sha256: str) -> Kept | None:
    """A file as it is now; None if it has just gone, or is no file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    if not path.is_file():
        return None
    return Kept(name, sha256, stat.st_size, stat.st_mtime_ns // 10**6)
