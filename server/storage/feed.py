"""The change feed: what a partition holds since a number, as NDJSON made by the database itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    Text,
    TextClause,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from server.storage.database import is_sqlite
from server.storage.models import MODELS
from server.storage.tables import Departure
from shared import checksum, records

# What a partition of each sort can hold, so that no other table is asked.
KINDS_OF = {
    "grid": [k.name for k in records.KINDS.values() if k.home == "grid"] + ["area", "reference"],
    "area": [k.name for k in records.KINDS.values() if k.home == "area"],
    "person": ["task"],
}
ROWS_AT_ONCE = 2000


def lines(
    session: Session, partition: str, after: int, upto: int, bucket: int | None = None
) -> Iterator[str]:
    """The rows of a partition with after < seq <= upto, in order of seq, one JSON line each.

    Must run in one snapshot. A record is there once, at its last number. With ``bucket`` only the
    records of that bucket (the last byte of their id).
    """
    sort = partition.partition(":")[0]
    query = _query(sort, is_sqlite(session), bucket is not None)
    given = {"partition": partition, "after": after, "upto": upto}
    if bucket is not None:
        given["bucket"] = f"{bucket:02x}"
    many = {"yield_per": ROWS_AT_ONCE} if upto - after > ROWS_AT_ONCE else {}
    for row in session.connection().execute(query, given, execution_options=many):
        yield row[1]


@cache
def _query(sort: str, sqlite: bool, one_bucket: bool) -> TextClause:
    """The feed of a sort of partition, made once: building and keying it costs milliseconds.

    Ordered as a whole, not as a subquery, so that the databases merge the tables' indices and
    keep no more than a row of each.
    """
    kinds = KINDS_OF[sort]
    parts = [_records(kind, sqlite) for kind in kinds]
    if one_bucket:
        parts = [
            part.where(
                func.substr(MODELS[kind].__table__.c.id, literal_column("35")) == _given("bucket")
            )
            for kind, part in zip(kinds, parts, strict=True)
        ]
    else:
        parts.append(_departures(sqlite))
    dialect = (sqlite_dialect if sqlite else postgresql_dialect)(paramstyle="named")
    return text(str(union_all(*parts).order_by("seq").compile(dialect=dialect)))


def bucket_sums(session: Session, partition: str) -> list[int]:
    """The checksum of each of a partition's 256 buckets, from its live rows."""
    sums = [0] * 256
    for kind in KINDS_OF[partition.partition(":")[0]]:
        table = MODELS[kind].__table__
        query = select(table.c.id, table.c.rev).where(
            table.c.partition_id == partition, table.c.deleted_at.is_(None)
        )
        for row in session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}):
            bucket = int(row[0][-2:], 16)
            sums[bucket] = (sums[bucket] + checksum.term(row[0], row[1])) % checksum.MODULUS
    return sums


def _given(name: str) -> ColumnElement[Any]:
    """A parameter of the finished text."""
    return literal_column(f":{name}")


def _bucket_of(table: Any) -> ColumnElement[Any]:
    return func.substr(table.c.id, literal_column("35"))


def _within(table: Any) -> ColumnElement[bool]:
    return and_(
        table.c.partition_id == _given("partition"),
        table.c.seq > _given("after"),
        table.c.seq <= _given("upto"),
    )


def _records(kind: str, sqlite: bool) -> Any:
    table = MODELS[kind].__table__
    values = _object(
        {f.name: _json_value(table.c[f.name], f.type, sqlite) for f in records.KINDS[kind].fields},
        sqlite,
    )
    head = {
        "p": table.c.partition_id,
        "seq": table.c.seq,
        "kind": _text(kind),
        "id": table.c.id,
        "rev": table.c.rev,
    }
    row = _object(
        {
            "t": _text("row"),
            **head,
            "by": table.c.created_by,
            "at": table.c.created_at,
            "v": values,
        },
        sqlite,
    )
    gone = _object({"t": _text("gone"), **head}, sqlite)
    line = case((table.c.deleted_at.is_(None), _as_text(row, sqlite)), else_=_as_text(gone, sqlite))
    return select(table.c.seq.label("seq"), line.label("line")).where(_within(table))


def _departures(sqlite: bool) -> Any:
    table = Departure.__table__
    row = _object(
        {
            "t": _text("left"),
            "p": table.c.partition_id,
            "seq": table.c.seq,
            "kind": table.c.kind,
            "id": table.c.record_id,
            "rev": table.c.rev,
            "to": table.c.destination,
        },
        sqlite,
    )
    return select(table.c.seq.label("seq"), _as_text(row, sqlite).label("line")).where(
        _within(table)
    )


def _object(members: dict[str, ColumnElement[Any]], sqlite: bool) -> ColumnElement[Any]:
    build = func.json_object if sqlite else func.json_build_object
    flat: list[Any] = []
    for name, value in members.items():
        flat += [_text(name), value]
    return build(*flat)


def _text(word: str) -> ColumnElement[Any]:
    """A constant of ours as SQL text, not a parameter: PostgreSQL must know its type."""
    return literal_column("'" + word.replace("'", "''") + "'")


def _json_value(column: Any, type_: str, sqlite: bool) -> ColumnElement[Any]:
    if type_ in (records.SET, records.JSON, records.POSITION):
        return func.json(column) if sqlite else cast(column, JSONB)
    if type_ == records.BOOL and sqlite:
        return func.json(
            case((column.is_(None), _text("null")), (column, _text("true")), else_=_text("false"))
        )
    return column


def _as_text(value: ColumnElement[Any], sqlite: bool) -> ColumnElement[Any]:
    return value if sqlite else cast(value, Text)
