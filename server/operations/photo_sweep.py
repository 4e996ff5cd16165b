"""Sweep: bytes that nobody needs any more are collected, beside running uploads.

First everything is looked at and counted, then it is removed; both walk through the store without
holding its names in memory. Photos are claimed in the database before their bytes go, see
server.storage.blob_rows; a sweep that dies half way is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TypeVar

from flask import current_app
from sqlalchemy import delete, or_, select

from server.config import Config
from server.errors import Trouble
from server.operations import audit_log
from server.operations.clock import now_ms
from server.storage import blob_rows, blobs, leases
from server.storage.alone import alone
from server.storage.blobs import Kept
from server.storage.database import any_of, db, write
from server.storage.settings import epoch_since
from server.storage.tables import Upload

DAY_MS = 24 * 3600 * 1000
DAYS = 7
QUIET_DAYS = 30  # after a restore nothing is removed: phones still give back what it lost
BATCH = 200
FEW = 10  # orphans that are never too many

T = TypeVar("T")


@dataclass
class Swept:
    """How much was collected, or would be: how many, and their bytes."""

    photos: int = 0
    photo_bytes: int = 0
    thumbnails: int = 0
    thumbnail_bytes: int = 0
    uploads: int = 0
    upload_bytes: int = 0

    def __bool__(self) -> bool:
        return any(asdict(self).values())


def sweep(
    days: int = DAYS, dry_run: bool = False, most: bool = False, now: int | None = None
) -> Swept | None:
    """Collect photos that nobody needs, uploads that expired, and what was left beside them.

    ``days``: what is younger is left alone. None: another sweep is at work. Raises Trouble
    unavailable within QUIET_DAYS of a restore, and invalid where more than half of all photos
    would go, unless ``most``: the wrong database, rather than so many orphans.
    """
    now = now_ms() if now is None else now
    waits = epoch_since(db.session()) + QUIET_DAYS * DAY_MS
    db.session.rollback()
    if waits > now and not dry_run:
        left = -(-(waits - now) // DAY_MS)
        raise Trouble(
            "unavailable",
            f"恢复备份后 {QUIET_DAYS} 天内不清理，还有 {left} 天 / "
            f"Nothing is swept within {QUIET_DAYS} days of a restore; {left} to go",
        )
    config: Config = current_app.config["GRIDLEDGER"]
    with alone("sweep", config.data) as ours:
        if not ours:
            return None
        look = _Sweep(now, days, removes=False)
        found = look.run()
        if dry_run:
            return found
        if found.photos > max(FEW, look.all_photos // 2) and not most:
            raise Trouble(
                "invalid",
                f"{look.all_photos} 张照片中有 {found.photos} 张没有记录用到：数据库设置对吗？"
                f"确实要清理请加 --most / {found.photos} of {look.all_photos} photos belong to no "
                "record: is this the right database? If so, add --most",
            )
        done = _Sweep(now, days, removes=True).run()
    if done:
        with write() as session:
            detail = {
                "photos": done.photos,
                "thumbnails": done.thumbnails,
                "uploads": done.uploads,
                "bytes": done.photo_bytes + done.thumbnail_bytes + done.upload_bytes,
            }
            audit_log.record(session, None, "photo.sweep", detail=detail)
    return done


class _Sweep:
    """One walk through the store."""

    def __init__(self, now: int, days: int, removes: bool) -> None:
        self.now, self.before, self.removes = now, now - days * DAY_MS, removes
        self.store = blobs.current()
        self.swept = Swept()
        self.all_photos = 0

    def run(self) -> Swept:
        if self.removes:
            self._finish_claimed()
        for thumbnails in _batches(self._old(self.store.thumbnails()), BATCH):
            self._thumbnails(thumbnails)
        for photos in _batches(self._old(self._counted(self.store.photos())), BATCH):
            self._photos(photos)
        for uploads in _batches(self.store.uploads(), BATCH):
            self._uploads(uploads)
        if self.removes:
            _forget_expired(self.now)
        return self.swept

    def _old(self, kept: Iterable[Kept]) -> Iterator[Kept]:
        return (one for one in kept if one.modified_ms < self.before)

    def _counted(self, kept: Iterable[Kept]) -> Iterator[Kept]:
        for one in kept:
            self.all_photos += 1
            yield one

    def _finish_claimed(self) -> None:
        """What a sweep that died had claimed: needed by now, or removed now."""
        while names := _asked(lambda: blob_rows.claimed(db.session(), BATCH)):
            with write() as session:
                needed = blob_rows.needed(session, names)
                blob_rows.release(session, needed)
            self._remove([name for name in names if name not in needed])

    def _photos(self, photos: list[Kept]) -> None:
        sizes = {one.sha256: one.size for one in photos}
        needed = _asked(lambda: blob_rows.needed(db.session(), sizes))
        gone = [name for name in sizes if name not in needed]
        if self.removes and gone:
            with write() as session:
                gone = blob_rows.claim(session, gone, self.now)
            self._remove(gone)
        self.swept.photos += len(gone)
        self.swept.photo_bytes += sum(sizes[name] for name in gone)

    def _remove(self, claimed: list[str]) -> None:
        for sha256 in claimed:
            self.store.remove(sha256)
        with write() as session:
            blob_rows.release(session, claimed)

    def _thumbnails(self, thumbnails: list[Kept]) -> None:
        needed = _asked(lambda: blob_rows.needed(db.session(), (one.sha256 for one in thumbnails)))
        for one in thumbnails:
            if one.sha256 not in needed:
                if self.removes:
                    self.store.remove_thumbnail(one.sha256, one.name)
                self.swept.thumbnails += 1
                self.swept.thumbnail_bytes += one.size

    def _uploads(self, uploads: list[Kept]) -> None:
        names = [one.name for one in uploads]
        expires = _asked(lambda: _expires(names))
        ended = []
        for one in uploads:
            if one.name in expires:
                if expires[one.name] >= self.now:
                    continue
                if self.removes and leases.take(one.name, self.now) is None:
                    continue  # somebody writes to it at this moment
                ended.append(one.name)
            elif one.modified_ms >= self.before:
                continue
            if self.removes:
                self.store.discard(one.name)
            self.swept.uploads += 1
            self.swept.upload_bytes += one.size
        if self.removes and ended:
            with write() as session:
                session.execute(delete(Upload).where(any_of(session, Upload.id, ended)))


def _expires(names: list[str]) -> dict[str, int]:
    query = select(Upload.id, Upload.expires_at).where(any_of(db.session(), Upload.id, names))
    return {upload_id: at for upload_id, at in db.session.execute(query)}


def _forget_expired(now: int) -> None:
    """Rows of uploads that ended, well or not, and that nobody else writes to."""
    free = or_(Upload.lease.is_(None), Upload.lease_until < now)
    with write() as session:
        session.execute(delete(Upload).where(Upload.expires_at < now, free))


def _asked(question: Callable[[], T]) -> T:
    """The answer; no transaction stays open while the store is walked through."""
    try:
        return question()
    finally:
        db.session.rollback()


def _batches(many: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(many)
    while batch := list(islice(source, size)):
        yield batch
