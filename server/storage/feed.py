"""The change feed: what a partition holds since a number, as NDJSON made by the database itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from server.storage import direct
from server.storage.database import is_sqlite
from server.storage.models import MODELS
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
    """The feed of a sort of partition, made once.

    Ordered as a whole, not as a subquery, so that the databases merge the tables' indices and
    keep no more than a row of each.
    """
    among = " AND substr({table}.id, 35) = :bucket" if one_bucket else ""
    kinds = [records.KINDS[kind] for kind in KINDS_OF[sort]]
    parts = [_records(kind, sqlite, _WITHIN + among) for kind in kinds]
    if not one_bucket:
        parts.append(_departures(sqlite, _WITHIN))
    return text(" UNION ALL ".join(parts) + " ORDER BY seq")


def sqlite_lines(raw: Any, partition: str, after: int, upto: int) -> Iterator[str]:
    """`lines` on a connection of `direct` to SQLite."""
    query = _sqlite_query(partition.partition(":")[0])
    for listener in direct.listeners:
        listener(query, (partition, after, upto))
    return (row[1] for row in raw.execute(query, (partition, after, upto)))


@cache
def _sqlite_query(sort: str) -> str:
    within = "WHERE partition_id = ?1 AND seq > ?2 AND seq <= ?3"
    return _union([records.KINDS[name] for name in KINDS_OF[sort]], True, within) + " ORDER BY seq"


def postgresql_lines(head: str) -> str:
    """SQL of the lines of a partition in one text: its head's id, after and seq are at hand.

    Of any sort of partition: a table that cannot have rows of one is found empty at once.
    """
    within = (
        f"WHERE {{table}}.partition_id = {head}.id"
        f" AND {{table}}.seq > {head}.after AND {{table}}.seq <= {head}.seq"
    )
    union = _union(records.KINDS.values(), False, within)
    return f"SELECT string_agg(line, E'\\n' ORDER BY seq) FROM ({union}) AS fed"


def _union(kinds: Iterable[records.Kind], sqlite: bool, within: str) -> str:
    parts = [_records(kind, sqlite, within) for kind in kinds]
    return " UNION ALL ".join([*parts, _departures(sqlite, within)])


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


_WITHIN = (
    "WHERE {table}.partition_id = :partition AND {table}.seq > :after AND {table}.seq <= :upto"
)
# An object's members: name -> SQL.
Members = dict[str, str]


def _records(kind: records.Kind, sqlite: bool, within: str) -> str:
    head: Members = {
        "p": f"{kind.name}.partition_id",
        "seq": f"{kind.name}.seq",
        "kind": f"'{kind.name}'",
        "id": f"{kind.name}.id",
        "rev": f"{kind.name}.rev",
    }
    row = {"t": "'row'"} | head | {"by": f"{kind.name}.created_by", "at": f"{kind.name}.created_at"}
    gone = {"t": "'gone'"} | head
    write = _on_sqlite if sqlite else _on_postgresql
    return f"{write(kind, row, gone)} {within.format(table=kind.name)}"


def _on_sqlite(kind: records.Kind, row: Members, gone: Members) -> str:
    def value(field: records.Field) -> str:
        column = f'"{field.name}"'
        if field.type in (records.SET, records.JSON, records.POSITION):
            return f"json({column})"
        if field.type != records.BOOL:
            return column
        word = f"CASE WHEN {column} IS NULL THEN 'null' WHEN {column} THEN 'true' ELSE 'false' END"
        return f"json({word})"

    whole = row | {"v": _json_object({field.name: value(field) for field in kind.fields})}
    return (
        f"SELECT seq, CASE WHEN deleted_at IS NULL THEN {_json_object(whole)}"
        f" ELSE {_json_object(gone)} END AS line FROM {kind.name}"
    )


def _on_postgresql(kind: records.Kind, row: Members, gone: Members) -> str:
    """Rows made JSON as a whole: members one by one take longer to begin with, and longer each."""
    values = {field.name: f'{kind.name}."{field.name}"' for field in kind.fields}
    return (
        f"SELECT {kind.name}.seq, CAST(CASE WHEN {kind.name}.deleted_at IS NULL"
        " THEN row_to_json(whole) ELSE row_to_json(gone) END AS text) AS line"
        f" FROM {kind.name}, {_lateral(values, 'v')}, {_lateral(row | {'v': 'v'}, 'whole')},"
        f" {_lateral(gone, 'gone')}"
    )


def _departures(sqlite: bool, within: str) -> str:
    left = {
        "t": "'left'",
        "p": "departure.partition_id",
        "seq": "departure.seq",
        "kind": "departure.kind",
        "id": "departure.record_id",
        "rev": "departure.rev",
        "to": "departure.destination",
    }
    where = within.format(table="departure")
    if sqlite:
        return f"SELECT seq, {_json_object(left)} AS line FROM departure {where}"
    return (
        "SELECT departure.seq, CAST(row_to_json(gone) AS text) AS line"
        f" FROM departure, {_lateral(left, 'gone')} {where}"
    )


def _json_object(members: Members) -> str:
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in members.items())
    return f"json_object({pairs})"


def _lateral(members: Members, name: str) -> str:
    columns = ", ".join(f'{sql} AS "{member}"' for member, sql in members.items())
    return f"LATERAL (SELECT {columns}) AS {name}"
