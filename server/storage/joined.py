"""Which problems a body joins in (co_bodies), kept in a table that an index can answer from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from server.storage.bulk import insert_rows
from server.storage.database import any_of
from server.storage.rows import Held
from server.storage.tables import ProblemBody

TABLE = ProblemBody.__table__


def keep(
    session: Session, problems: Iterable[Held], history: Iterable[Mapping[str, Any]] = ()
) -> None:
    """Bring the table in step with changed problems; ``history`` says which fields changed."""
    changed = {
        entry["record_id"]
        for entry in history
        if entry["kind"] == "problem" and "co_bodies" in entry["changes"]
    }
    touched = [
        one for one in problems
        if one.record.id in changed or (one.stored is None and one.record.values["co_bodies"])
    ]  # fmt: skip
    if not touched:
        return
    ids = [one.record.id for one in touched if one.stored is not None]
    if ids:
        session.execute(delete(TABLE).where(any_of(session, TABLE.c.problem_id, ids)))
    rows = [
        {"body": body, "problem_id": one.record.id}
        for one in touched
        for body in sorted(set(one.record.values["co_bodies"] or ()))
    ]
    insert_rows(session, TABLE, rows)
