"""Records in and out of their tables, many at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from server.storage.bulk import insert_rows
from server.storage.database import any_of, is_sqlite
from server.storage.models import MODELS
from shared import records
from shared.reconcile import Record

T = TypeVar("T")
CHUNK = 1000  # ids in one IN list


@dataclass(frozen=True)
class Held:
    """A record and what its table holds beside it.

    ``stored`` is (partition, rev, deleted) as the database has it, None for a new record.
    """

    record: Record
    created_by: str | None
    created_at: int
    stored: tuple[str, int, bool] | None = None


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    part: list[T] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def partitions_of(session: Session, kind: str, ids: Iterable[str]) -> set[str]:
    """The partitions in which these records now are."""
    table = MODELS[kind].__table__
    query = select(table.c.partition_id).where(any_of(session, table.c.id, ids)).distinct()
    return set(session.scalars(query))


# Made once, with one parameter for all ids: a push asks it of every record that it makes.
_KINDS = {
    among: text(
        " UNION ALL ".join(
            f"SELECT id, '{kind}' AS kind FROM {kind} WHERE id {among}" for kind in MODELS
        )
    )
    for among in ("= ANY(:ids)", "IN (SELECT value FROM json_each(:ids))")
}


def kinds_of(session: Session, ids: Iterable[str]) -> list[tuple[str, str]]:
    """(id, kind) of every record that has one of these ids, of whatever kind."""
    wanted = sorted(set(ids))
    if not wanted:
        return []
    postgresql, sqlite = _KINDS.values()
    if is_sqlite(session):
        found = session.connection().execute(sqlite, {"ids": json.dumps(wanted)})
    else:
        found = session.connection().execute(postgresql, {"ids": wanted})
    return [(row[0], row[1]) for row in found]


def load(session: Session, kind: str, ids: Iterable[str]) -> dict[str, Held]:
    """The records of a kind by id, tombstones included; unknown ids are left out."""
    table = MODELS[kind].__table__
    query = select(table).where(any_of(session, table.c.id, ids))
    return {row["id"]: held(kind, row) for row in session.execute(query).mappings()}


def held(kind: str, row: Any) -> Held:
    """One row of a kind's table as a Held."""
    record = Record(
        kind=kind,
        id=row["id"],
        partition=row["partition_id"],
        rev=row["rev"],
        values={name: row[name] for name in records.FIELDS[kind]},
        field_revs={key: tuple(stamp) for key, stamp in row["field_revs"].items()},
        deleted=row["deleted_at"] is not None,
    )
    stored = (record.partition, record.rev, record.deleted)
    return Held(record, row["created_by"], row["created_at"], stored)


def write(session: Session, changed: Iterable[tuple[Held, int]], now: int) -> None:
    """Insert the new records and update the changed ones; each comes with its number (seq)."""
    inserts: dict[str, list[dict[str, Any]]] = {}
    updates: dict[str, list[dict[str, Any]]] = {}
    for one, seq in changed:
        record = one.record
        row = {
            **record.values,
            "partition_id": record.partition,
            "rev": record.rev,
            "seq": seq,
            "field_revs": record.field_revs,
            "deleted_at": now if record.deleted else None,
            "updated_at": now,
        }
        if one.stored is None:
            row |= {"id": record.id, "created_by": one.created_by, "created_at": one.created_at}
            inserts.setdefault(record.kind, []).append(row)
        else:
            updates.setdefault(record.kind, []).append(
                {"key": record.id, **{f"new_{name}": value for name, value in row.items()}}
            )
    for kind, rows in inserts.items():
        insert_rows(session, MODELS[kind].__table__, rows)
    for kind, rows in updates.items():
        table = MODELS[kind].__table__
        names = [name.removeprefix("new_") for name in rows[0] if name != "key"]
        session.execute(
            update(table)
            .where(table.c.id == bindparam("key"))
            .values({name: bindparam(f"new_{name}") for name in names}),
            rows,
        )
