"""The row of a photo's bytes: what became of them, and which bytes somebody still needs.

The sweep claims bytes before it removes them: their row says SWEPT. Whoever comes later meets the
claim and has the bytes sent again; whoever came before holds the row until the commit, and is
then found by the sweep. So no record is told "verified" of bytes that go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.storage import plain
from server.storage.database import any_of
from server.storage.heads import insert_ignoring
from server.storage.models import Photo
from server.storage.plain import Statement
from server.storage.tables import Blob, Offered, Quarantined, QuarantinedName
from shared.reconcile import ERASED

SWEPT = "declared"  # what phones hear of it: the bytes are not here
_NOTED = ("size", "state", "mime", "width", "height", "detail", "stored_at")
_NOTE = Statement(
    f"INSERT INTO blob (sha256, {', '.join(_NOTED)}) VALUES (?{', ?' * len(_NOTED)})"
    f" ON CONFLICT (sha256) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in _NOTED)}"
    f" WHERE blob.state <> '{SWEPT}' RETURNING sha256"
)


def note(session: Session, sha256: str, **values: Any) -> bool:
    """Write the row, whether it is there or not; False: the bytes are being swept away."""
    given = [values.get(name) for name in _NOTED]
    return bool(plain.rows(session, _NOTE, sha256, *given))


def rely_on(session: Session, sha256: str) -> Blob | None:
    """The row, held until the commit, so that no sweep takes the bytes away meanwhile."""
    return session.get(Blob, sha256, with_for_update={"read": True, "key_share": True})


def needed(session: Session, hashes: Iterable[str]) -> set[str]:
    """Those that a record names, or what lies in quarantine, or what a phone offered back.

    A deleted record still names its photo, since it may come back; an erased one does not.
    """
    wanted = sorted(set(hashes))
    photos = select(Photo.sha256, Photo.deleted_at, Photo.field_revs).where(
        any_of(session, Photo.sha256, wanted)
    )
    found = {
        row[0] for row in session.execute(photos) if row[1] is None or ERASED not in (row[2] or {})
    }
    held = (
        select(QuarantinedName.name)
        .join(Quarantined, QuarantinedName.quarantine_id == Quarantined.id)
        .where(any_of(session, QuarantinedName.name, wanted), Quarantined.text.is_not(None))
    )
    offered = select(Offered.values["sha256"].as_string()).where(
        Offered.kind == "photo",
        Offered.state == "open",
        any_of(session, Offered.values["sha256"].as_string(), wanted),
    )
    found.update(session.scalars(held), session.scalars(offered))
    return found


def claim(session: Session, hashes: Sequence[str], now: int) -> list[str]:
    """Mark those that nobody needs as SWEPT, and return them; a row that somebody holds is left."""
    fresh = {"size": 0, "state": SWEPT, "stored_at": now}
    for sha256 in hashes:
        session.execute(insert_ignoring(session, Blob.__table__).values(sha256=sha256, **fresh))
    rows = select(Blob.sha256).where(any_of(session, Blob.sha256, hashes))
    free = set(session.scalars(rows.order_by(Blob.sha256).with_for_update(skip_locked=True)))
    ours = sorted(free - needed(session, free))  # asked anew, now that the rows are held
    release(session, sorted(free - set(ours)))
    session.execute(update(Blob).where(any_of(session, Blob.sha256, ours)).values(state=SWEPT))
    return ours


def release(session: Session, hashes: Iterable[str]) -> None:
    """Take the marks of these away: their bytes are gone, or are needed after all."""
    marked = any_of(session, Blob.sha256, hashes)
    session.execute(delete(Blob).where(marked, Blob.state == SWEPT))


def claimed(session: Session, most: int) -> list[str]:
    """Marks that are there: of a sweep that is at work, or that died."""
    query = select(Blob.sha256).where(Blob.state == SWEPT).order_by(Blob.sha256).limit(most)
    return list(session.scalars(query))
