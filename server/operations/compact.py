"""Keep tombstones, departures and chains bounded: below a partition's floor nothing is remembered.

A phone whose cursor is below the floor takes the partition afresh (pull sends a reset).
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.models import MODELS
from server.storage.tables import ChainLink, Departure, Partition

KEEP_MS = 90 * 24 * 3600 * 1000


def compact(keep_ms: int = KEEP_MS) -> dict[str, int]:
    """Forget what was deleted or moved longer ago than this; returns partition -> its new floor.

    One short transaction a partition; safe to run twice, and while the server runs.
    """
    before = now_ms() - keep_ms
    floors: dict[str, int] = {}
    partitions = list(db.session.scalars(select(Partition.id)))
    db.session.rollback()
    for partition in partitions:
        with write() as session:
            floor = _floor(session, partition, before)
            if floor:
                _forget(session, partition, floor)
                floors[partition] = floor
    return floors


def _floor(session: Session, partition: str, before: int) -> int:
    """The last seq that a commit before this moment reached, 0 if there is none or nothing new."""
    query = select(func.max(ChainLink.seq)).where(
        ChainLink.partition_id == partition, ChainLink.at < before
    )
    floor = session.scalar(query) or 0
    head = session.get(Partition, partition, with_for_update=True, populate_existing=True)
    return int(floor) if head is not None and floor > head.floor else 0


def _forget(session: Session, partition: str, floor: int) -> None:
    for model in MODELS.values():
        table = model.__table__
        session.execute(
            delete(table).where(
                table.c.partition_id == partition, table.c.seq <= floor,
                table.c.deleted_at.is_not(None),
            )
        )  # fmt: skip
    session.execute(
        delete(Departure).where(Departure.partition_id == partition, Departure.seq <= floor)
    )
    session.execute(
        delete(ChainLink).where(ChainLink.partition_id == partition, ChainLink.seq < floor)
    )
    session.execute(update(Partition).where(Partition.id == partition).values(floor=floor))
