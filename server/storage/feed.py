"""The change feed: what a partition holds since a number, as NDJSON made by the database itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    write = _sqlite_object if sqlite else _postgresql_object
    among = " AND substr(id, 35) = :bucket" if one_bucket else ""
    parts = [_records(records.KINDS[kind], write, _WITHIN) + among for kind in KINDS_OF[sort]]
    if not one_bucket:
        parts.append(_departures(write, _WITHIN))
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
    return _union(sort, _sqlite_object, within) + " ORDER BY seq"


def postgresql_lines(head: str) -> str:
    """SQL of the lines of a partition in one text: its head's id, after and seq are at hand.

    Of any sort of partition: a table that cannot have rows of one is found empty at once.
    """
    within = f"WHERE partition_id = {head}.id AND seq > {head}.after AND seq <= {head}.seq"
    kinds = _union("", _postgresql_object, within)
    return f"SELECT string_agg(line, E'\\n' ORDER BY seq) FROM ({kinds}) AS fed"


def _union(sort: str, write: Callable[[Members], str], within: str) -> str:
    kinds = [records.KINDS[name] for name in KINDS_OF.get(sort, records.KINDS)]
    parts = [_records(kind, write, within) for kind in kinds]
    return " UNION ALL ".join([*parts, _departures(write, within)])


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


# An object's members: name -> (SQL of the value, its type in shared.records; "object": is JSON).
Members = dict[str, tuple[str, str]]
_WITHIN = "WHERE partition_id = :partition AND seq > :after AND seq <= :upto"


def _records(kind: records.Kind, write: Callable[[Members], str], within: str) -> str:
    values = write({f.name: (f'"{f.name}"', f.type) for f in kind.fields})
    head: Members = {
        "p": ("partition_id", records.TEXT),
        "seq": ("seq", records.INT),
        "kind": (f"'{kind.name}'", "constant"),
        "id": ("id", records.TEXT),
        "rev": ("rev", records.INT),
    }
    row: Members = {
        "t": ("'row'", "constant"),
        **head,
        "by": ("created_by", records.TEXT),
        "at": ("created_at", records.INT),
        "v": (values, "object"),
    }
    gone: Members = {"t": ("'gone'", "constant"), **head}
    return (
        f"SELECT seq, CASE WHEN deleted_at IS NULL THEN {write(row)} ELSE {write(gone)} END AS line"
        f" FROM {kind.name} {within}"
    )


def _departures(write: Callable[[Members], str], within: str) -> str:
    left: Members = {
        "t": ("'left'", "constant"),
        "p": ("partition_id", records.TEXT),
        "seq": ("seq", records.INT),
        "kind": ("kind", records.TEXT),
        "id": ("record_id", records.TEXT),
        "rev": ("rev", records.INT),
        "to": ("destination", records.TEXT),
    }
    return f"SELECT seq, {write(left)} AS line FROM departure {within}"


def _sqlite_object(members: Members) -> str:
    def value(sql: str, type_: str) -> str:
        if type_ in _DOCUMENTS:
            return f"json({sql})"
        if type_ == records.BOOL:
            word = f"CASE WHEN {sql} IS NULL THEN 'null' WHEN {sql} THEN 'true' ELSE 'false' END"
            return f"json({word})"
        return sql

    pairs = ", ".join(f"'{name}', {value(*what)}" for name, what in members.items())
    return f"json_object({pairs})"


def _postgresql_object(members: Members) -> str:
    """Joined from pieces: json_build_object takes more than twice as long."""

    def value(sql: str, type_: str) -> str:
        if type_ == "object":
            return sql
        if type_ == "constant":
            return f"""'"' || {sql} || '"'"""
        if type_ in (records.INT, records.MS, records.BOOL) or type_ in _DOCUMENTS:
            return f"coalesce(CAST({sql} AS text), 'null')"
        return f"coalesce(CAST(to_json({sql}) AS text), 'null')"

    pieces = (f"""'"{name}":' || {value(*what)}""" for name, what in members.items())
    return "'{' || " + " || ',' || ".join(pieces) + " || '}'"


_DOCUMENTS = (records.SET, records.JSON, records.POSITION)
