"""Records in and out of their tables, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from server.quick_json import loads
from server.storage import plain
from server.storage.bulk import insert_rows, update_rows
from server.storage.database import is_sqlite
from server.storage.models import MODELS
from server.storage.plain import Statement
from shared import records
from shared.reconcile import Record

T = TypeVar("T")
CHUNK = 1000  # ids in one IN list


class Held(NamedTuple):
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


def partitions_of(session: Session, kind: str, ids: Collection[str]) -> set[str]:
    """The partitions in which these records now are."""
    return {row[0] for row in plain.rows(session, _PARTITIONS[kind], ids)} if ids else set()


_PARTITIONS = {
    kind: Statement(f"SELECT DISTINCT partition_id FROM {kind} WHERE id {{among}}")
    for kind in MODELS
}
_UNION = " UNION ALL ".join(
    f"SELECT id, '{kind}' FROM {kind} WHERE id {{among}}" for kind in MODELS
)
_KINDS = Statement(_UNION)
_KINDS.sqlite = (
    "WITH asked AS MATERIALIZED (SELECT value FROM json_each(?)) "
    + _UNION.format(among="IN (SELECT value FROM asked)")
)  # fmt: skip
_KINDS.postgresql = (
    "WITH asked AS MATERIALIZED (SELECT string_to_array(%s, chr(31)) AS ids) "
    + _UNION.format(among="= ANY((SELECT ids FROM asked)::text[])")
)


def kinds_of(session: Session, ids: Collection[str]) -> list[tuple[str, str]]:
    """(id, kind) of every record that has one of these ids, of whatever kind."""
    return [(row[0], row[1]) for row in plain.rows(session, _KINDS, ids)] if ids else []


def load(session: Session, kind: str, ids: Collection[str]) -> dict[str, Held]:
    """The records of a kind by id, tombstones included; unknown ids are left out."""
    if not ids:
        return {}
    return {one.record.id: one for one in _held(session, kind, _LOAD[kind], ids)}


def open_conflicts(session: Session, ids: Collection[str]) -> list[Held]:
    """The open conflicts about these records."""
    return _held(session, "conflict", _OPEN, ids) if ids else []


_COLUMNS = ("id", "partition_id", "rev", "deleted_at", "created_by", "created_at", "field_revs")
_JSON = frozenset({records.SET, records.JSON, records.POSITION})


def _loading(kind: str, where: str) -> Statement:
    names = ", ".join(f'"{name}"' for name in (*_COLUMNS, *records.FIELDS[kind]))
    return Statement(f"SELECT {names} FROM {kind} WHERE {where}")


_LOAD = {kind: _loading(kind, "id {among}") for kind in MODELS}
_OPEN = _loading("conflict", "about_id {among} AND state = 'open'")


def _held(session: Session, kind: str, statement: Statement, ids: Collection[str]) -> list[Held]:
    fields = records.FIELDS[kind]
    read = [_READ.get(field.type) for field in fields.values()] if is_sqlite(session) else None
    found = []
    for row in plain.rows(session, statement, ids):
        record_id, partition, rev, deleted_at, created_by, created_at, stamps = row[:7]
        values: Iterable[Any] = row[7:]
        if read:
            stamps = loads(stamps)
            values = (
                value if value is None or by is None else by(value)
                for by, value in zip(read, values, strict=True)
            )
        field_revs = {key: (stamp[0], stamp[1], stamp[2]) for key, stamp in stamps.items()}
        deleted = deleted_at is not None
        content = dict(zip(fields, values, strict=True))
        record = Record(kind, record_id, partition, rev, content, field_revs, deleted)
        found.append(Held(record, created_by, created_at, (partition, rev, deleted)))
    return found


# How SQLite's values are read: it has no JSON and no truth of its own.
_READ: dict[str, Callable[[Any], Any]] = dict.fromkeys(_JSON, loads) | {records.BOOL: bool}


def write(session: Session, changed: Iterable[tuple[Held, int]], now: int) -> None:
    """Insert the new records and update the changed ones; each comes with its number (seq)."""
    inserts: dict[str, list[dict[str, Any]]] = {}
    updates: dict[str, list[dict[str, Any]]] = {}
    for one, seq in changed:
        record = one.record
        row = {
            "id": record.id,
            **record.values,
            "partition_id": record.partition,
            "rev": record.rev,
            "seq": seq,
            "field_revs": record.field_revs,
            "deleted_at": now if record.deleted else None,
            "updated_at": now,
        }
        if one.stored is None:
            row |= {"created_by": one.created_by, "created_at": one.created_at}
            inserts.setdefault(record.kind, []).append(row)
        else:
            updates.setdefault(record.kind, []).append(row)
    for kind, rows in inserts.items():
        insert_rows(session, MODELS[kind].__table__, rows)
    for kind, rows in updates.items():
        update_rows(session, MODELS[kind].__table__, rows)
