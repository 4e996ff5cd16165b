"""Photo bytes: one small interface, and which store an application has.

A store holds finished photos by their SHA-256, thumbnails beside them, and the bytes of uploads
under way. Every web process and machine of one server sees the same store. Required of each:

- photos and thumbnails appear whole or not at all, and may be written again with the same bytes;
- what `keep` and `write` have returned from survives a crash of the process and of the machine;
  so do the bytes of an upload once `Tail.sync` has returned;
- bytes of an upload that were written and never synced may be gone, and are not read;
- `read` never returns bytes of an upload that was not kept;
- no call holds more than PIECE bytes of a photo in memory, however large the photo is;
- two that write to one upload at once are kept apart by their caller (server.storage.leases).

How far an upload is, and the names of its pieces, stands in its row, written by the caller after
`sync`; a store never guesses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

from flask import Flask, current_app

from server.config import Config

BLOCK = 256 * 1024
PIECE = 1024 * 1024


class WrongOffset(Exception):
    """The store has fewer bytes of an upload than its row says; ``offset`` says how many."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the store has {offset} bytes")
        self.offset = offset


@dataclass(frozen=True)
class Kept:
    """Something in the store: ``name`` is a hash, a thumbnail's name or an upload's id."""

    name: str
    sha256: str
    size: int
    modified_ms: int


class Tail(Protocol):
    """The end of one upload, where bytes are added."""

    def write(self, block: bytes) -> None:
        """Add bytes."""

    def sync(self) -> list[str]:
        """Make all that was written durable; the names of the pieces made since the last time."""


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

    def photos(self) -> Iterator[Kept]:
        """Every finished photo."""

    def thumbnail(self, sha256: str, name: str) -> bytes | None:
        """A smaller picture of a photo, by the name it was kept under; None: not made yet."""

    def keep_thumbnail(self, sha256: str, name: str, data: bytes) -> None:
        """Keep one."""

    def thumbnails(self) -> Iterator[Kept]:
        """Every thumbnail."""

    def remove_thumbnail(self, sha256: str, name: str) -> None:
        """Delete one; nothing to do if it is not here."""

    def append(
        self, upload_id: str, offset: int, pieces: Sequence[str]
    ) -> AbstractContextManager[Tail]:
        """Where the upload's next bytes go; what lies beyond the offset is dropped.

        ``pieces``: the names that earlier `sync` calls gave. Raises WrongOffset.
        """

    def open_upload(self, upload_id: str, size: int, pieces: Sequence[str]) -> IO[bytes]:
        """The first ``size`` bytes of an upload, to be read and searched; raises
        FileNotFoundError, also where there are fewer."""

    def keep(self, upload_id: str, sha256: str, file: IO[bytes]) -> None:
        """Make the upload that `open_upload` gave as ``file`` the photo of this hash."""

    def discard(self, upload_id: str) -> None:
        """Forget an upload; nothing to do if it is not known."""

    def uploads(self) -> Iterator[Kept]:
        """Every upload of which there are bytes."""


def register(app: Flask, config: Config) -> None:
    """Give the application its store. Raises ValueError for an address that is none."""
    app.extensions["gridledger_blobs"] = make(config)


def make(config: Config) -> Store:
    """The store that the settings name: an object store, else the data folder's ``photos``."""
    if config.blobs_url:
        from server.storage.blob_objects import ObjectStore

        return ObjectStore(config.blobs_url)
    from server.storage.blob_folder import FolderStore

    return FolderStore(config.data / "photos")


def current() -> Store:
    """The store of the current application."""
    store: Store = current_app.extensions["gridledger_blobs"]
    return store
