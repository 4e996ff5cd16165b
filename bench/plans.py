"""Every statement that a push and a pull send to the database, and how it would run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from psycopg import RawCursor
from sqlalchemy import event
from sqlalchemy.engine import Engine

from server.storage import direct

Statement = tuple[str, Any]
_EXPLAINED = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")


@contextmanager
def captured() -> Iterator[dict[str, Any]]:
    """The statements sent meanwhile, by their text, each with its last parameters."""
    found: dict[str, Any] = {}

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
        if statement.strip().upper().startswith(_EXPLAINED):
            found[statement] = parameters[0] if many else parameters

    def keep_direct(statement: str, parameters: Any) -> None:
        found[statement] = parameters

    event.listen(Engine, "before_cursor_execute", keep)
    direct.listeners.append(keep_direct)
    try:
        yield found
    finally:
        direct.listeners.remove(keep_direct)
        event.remove(Engine, "before_cursor_execute", keep)


def scans(app: Flask, statements: dict[str, Any], forced: bool) -> list[tuple[str, str]]:
    """(table, statement) of every table that would be read from end to end.

    ``forced``: ask PostgreSQL to avoid it wherever an index would do, as for tables too small to
    tell by.
    """
    from server.storage.database import db

    found = []
    with app.app_context(), db.engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        if connection.dialect.name == "sqlite":
            for statement, parameters in statements.items():
                for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters):
                    words = row[3].split()
                    if words[0] == "SCAN" and words[1] in db.metadata.tables:
                        found.append((words[1], statement))
            return found
        raw.execute(f"SET enable_seqscan = {'off' if forced else 'on'}")
        for statement, parameters in statements.items():
            cursor = RawCursor(raw) if "$1" in statement else raw
            plan = cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters).fetchone()[0]
            found += [(table, statement) for table in _scanned(plan[0]["Plan"])]
        raw.rollback()
    return found


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from _scanned(inner)
