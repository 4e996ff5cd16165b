"""The driver's own statements inside a session's transaction, for what every push asks.

SQLAlchemy takes five times as long as the driver for a small statement, and longer still for a
list of ids; here that is one text.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.storage import direct
from server.storage.database import is_sqlite


class Statement:
    """SQL for both databases: ``?`` is a value, ``{among}`` says "one of these", ``{locked}`` has
    the rows locked where the whole file is not.
    """

    def __init__(self, text: str) -> None:
        among, listed = "IN (SELECT value FROM json_each(?))", "= ANY(string_to_array(?, chr(31)))"
        self.sqlite = text.format(among=among, locked="")
        self.postgresql = text.format(among=listed, locked="FOR UPDATE").replace("?", "%s")


def rows(session: Session, statement: Statement, *given: Any) -> list[tuple[Any, ...]]:
    """The rows of an answer. What is given as a collection are the values of an ``{among}``.

    The session is flushed first. Raises SQLAlchemy's DBAPIError.
    """
    session.flush()
    connection = session.connection()
    sqlite = is_sqlite(session)
    text = statement.sqlite if sqlite else statement.postgresql
    values = tuple(
        one if one is None or isinstance(one, str | int) else _listed(one, sqlite) for one in given
    )
    direct.tell(text, values)
    raw: Any = connection.connection.dbapi_connection
    dbapi = connection.dialect.loaded_dbapi
    try:
        cursor = raw.execute(text, values)
        found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    except dbapi.Error as error:
        raise DBAPIError.instance(text, values, error, dbapi.Error) from error
    return found


def _listed(values: Collection[str], sqlite: bool) -> str:
    return json.dumps(list(values)) if sqlite else "\x1f".join(values)
