"""Check: the bytes of every verified photo are there, and are the right ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from server.operations import verify
from server.storage import blobs
from server.storage.database import db
from server.storage.models import Photo

BATCH = 500


@dataclass(frozen=True)
class Broken:
    """A photo whose bytes are ``missing`` or ``wrong``, and a few of the records that show it."""

    sha256: str
    what: str
    records: tuple[str, ...]


def check(repair: bool = False, progress: Callable[[int], None] | None = None) -> Iterator[Broken]:
    """Read and hash every verified photo; what is broken comes out as it is found.

    ``repair``: its records are told "corrupt", so that a phone which still has it sends it again.
    ``progress`` is told how many have been read. The order is that of the hashes.
    """
    done, last = 0, ""
    while names := _after(last):
        for sha256 in names:
            what = _read(sha256)
            if what:
                query = select(Photo.id).where(Photo.sha256 == sha256, Photo.deleted_at.is_(None))
                found = tuple(db.session.scalars(query.order_by(Photo.id).limit(3)))
                db.session.rollback()
                if repair:
                    verify.settle(sha256, 0, "corrupt")
                yield Broken(sha256, what, found)
            done += 1
            if progress is not None:
                progress(done)
        last = names[-1]


def count() -> int:
    """How many there are to check."""
    query = select(func.count(Photo.sha256.distinct())).where(*_VERIFIED)
    found = db.session.scalar(query) or 0
    db.session.rollback()
    return int(found)


_VERIFIED = (Photo.state == "verified", Photo.deleted_at.is_(None))


def _after(last: str) -> list[str]:
    query = select(Photo.sha256).where(*_VERIFIED, Photo.sha256 > last).distinct()
    found = list(db.session.scalars(query.order_by(Photo.sha256).limit(BATCH)))
    db.session.rollback()
    return found


def _read(sha256: str) -> str:
    digest = hashlib.sha256()
    try:
        for block in blobs.current().read(sha256):
            digest.update(block)
    except FileNotFoundError:
        return "missing"
    return "" if digest.hexdigest() == sha256 else "wrong"
