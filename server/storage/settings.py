"""Values of the database itself: its epoch."""

from __future__ import annotations

from sqlalchemy.orm import Session

from server.storage.heads import insert_ignoring
from server.storage.tables import Setting
from shared import ids

EPOCH = "epoch"


def epoch(session: Session) -> str:
    """The epoch of this database: changed by a restore, so that phones know their past is gone."""
    found = session.get(Setting, EPOCH)
    if found is None:
        statement = insert_ignoring(session, Setting.__table__)
        session.execute(statement.values(key=EPOCH, value=ids.new_id()))
        found = session.get(Setting, EPOCH)
    assert found is not None
    return found.value
