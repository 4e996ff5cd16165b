"""Values of the database itself: its epoch."""

from __future__ import annotations

from sqlalchemy.orm import Session

from server.storage import plain
from server.storage.heads import insert_ignoring
from server.storage.plain import Statement
from server.storage.tables import Setting
from shared import ids

EPOCH = "epoch"
EPOCH_SINCE = "epoch_since"
_EPOCH = Statement("SELECT value FROM setting WHERE key = ?")


def epoch(session: Session) -> str:
    """The epoch of this database: changed by a restore, so that phones know their past is gone."""
    found = plain.rows(session, _EPOCH, EPOCH)
    if not found:
        statement = insert_ignoring(session, Setting.__table__)
        session.execute(statement.values(key=EPOCH, value=ids.new_id()))
        found = plain.rows(session, _EPOCH, EPOCH)
    return str(found[0][0])


def change_epoch(session: Session, now: int) -> str:
    """Begin a new epoch: every phone downloads afresh, and old revs mean nothing any more."""
    epoch(session)
    value = ids.new_id()
    for key, text in ((EPOCH, value), (EPOCH_SINCE, str(now))):
        row = session.get(Setting, key, with_for_update=True, populate_existing=True)
        if row is None:
            session.add(Setting(key=key, value=text))
        else:
            row.value = text
    return value


def epoch_since(session: Session) -> int:
    """When the epoch was changed last, Unix ms; 0 if it never was."""
    row = session.get(Setting, EPOCH_SINCE)
    return int(row.value) if row else 0
