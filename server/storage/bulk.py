"""Many rows of one table in one statement, which costs a third of a statement a row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import JSON, Table
from sqlalchemy.orm import Session

from server.quick_json import dumps
from server.storage import plain
from server.storage.database import is_sqlite
from server.storage.plain import Statement


def insert_rows(session: Session, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns; values as the table's types take them.

    Raises SQLAlchemy's IntegrityError and the like. PostgreSQL takes the rows apart itself, from
    one JSON document; SQLite takes them one after the other, prepared once.
    """
    if not rows:
        return
    names = tuple(rows[0])
    if is_sqlite(session):
        documents = _json_columns(table, names)
        session.connection().exec_driver_sql(
            _by_marks(table, names), [_as_stored(row, documents) for row in rows]
        )
    else:
        plain.rows(session, _from_document(table, names), dumps(rows).decode())


def update_rows(session: Session, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Change rows by their ``id``, to which all have the same columns beside; as `insert_rows`."""
    if not rows:
        return
    names = tuple(name for name in rows[0] if name != "id")
    if is_sqlite(session):
        documents = _json_columns(table, (*names, "id"))
        ordered = [{**{name: row[name] for name in names}, "id": row["id"]} for row in rows]
        session.connection().exec_driver_sql(
            _changed_by_marks(table, names), [_as_stored(row, documents) for row in ordered]
        )
    else:
        plain.rows(session, _changed_from_document(table, names), dumps(rows).decode())


def _as_stored(row: dict[str, Any], documents: tuple[int, ...]) -> tuple[Any, ...]:
    values = list(row.values())
    for i in documents:
        if values[i] is not None:
            values[i] = dumps(values[i]).decode()
    return tuple(values)


@cache
def _json_columns(table: Table, names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(i for i, name in enumerate(names) if isinstance(table.c[name].type, JSON))


@cache
def _by_marks(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({_list(names)}) VALUES ({', '.join('?' * len(names))})"


@cache
def _from_document(table: Table, names: tuple[str, ...]) -> Statement:
    return Statement(
        f"INSERT INTO {table.name} ({_list(names)}) SELECT {_list(names)}"
        f" FROM json_populate_recordset(NULL::{table.name}, CAST(? AS json))"
    )


@cache
def _changed_by_marks(table: Table, names: tuple[str, ...]) -> str:
    marks = ", ".join(f'"{name}" = ?' for name in names)
    return f"UPDATE {table.name} SET {marks} WHERE id = ?"


@cache
def _changed_from_document(table: Table, names: tuple[str, ...]) -> Statement:
    changed = ", ".join(f'"{name}" = new."{name}"' for name in names)
    return Statement(
        f"UPDATE {table.name} SET {changed}"
        f" FROM json_populate_recordset(NULL::{table.name}, CAST(? AS json)) AS new"
        f" WHERE {table.name}.id = new.id"
    )


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
