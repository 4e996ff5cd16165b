"""Yesterday's database: kept, and put back, told (restore) or not told (somebody copied files)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.operations import backup
from server.storage.database import db, write
from server.storage.settings import EPOCH, epoch
from server.storage.tables import Setting


@dataclass(frozen=True)
class Kept:
    """A backup, and the epoch it was made in."""

    file: Path
    epoch: str


def keep(target: Path) -> Kept:
    """A backup of the running database, by `gridledger backup`'s own use case."""
    db.session.remove()
    current = epoch(db.session())
    db.session.remove()
    backup.backup(target)
    return Kept(target, current)


def put_back(kept: Kept, silently: bool) -> None:
    """Put it in place; the server must be stopped. Silently: in its own epoch."""
    backup.restore(kept.file)
    db.session.remove()
    if silently:
        with write() as session:
            row = session.get(Setting, EPOCH, populate_existing=True)
            assert row is not None
            row.value = kept.epoch
    db.session.remove()
