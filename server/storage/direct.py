"""Plain connections of the driver, for the statements that every contact of a phone asks.

Each statement is a transaction of its own and is prepared once a connection; SQLAlchemy lends the
connection and is not asked again. All else goes by `server.storage.database`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

POOL = 8  # as many as a process has threads

_SETTINGS = {
    # A plan is made once: it must suit tables of any size, not of that moment's, and all that is
    # asked here has its index.
    "postgresql": (
        "SET plan_cache_mode = force_generic_plan",
        "SET enable_seqscan = off",
        "SET jit = off",
    ),
    # What is written here may be lost in a crash of the machine; what others committed is safe.
    "sqlite": ("PRAGMA synchronous = NORMAL", "PRAGMA cache_size = -8192"),
}
# Name -> a statement with $1, $2, all given as text, that each connection to PostgreSQL prepares.
PREPARED: dict[str, str] = {}
_twins: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()
# Told of every statement and its parameters: whoever explains their plans.
listeners: list[Callable[[str, Any], None]] = []


@contextmanager
def connection(engine: Engine) -> Iterator[Any]:
    """A driver's own connection to the database of an engine, in no transaction.

    Raises SQLAlchemy's OperationalError when the database cannot be had.
    """
    twin = _twin(engine)
    unavailable = engine.dialect.loaded_dbapi.OperationalError
    try:
        pooled = twin.raw_connection()
    except unavailable as error:
        raise OperationalError("", None, error) from error
    try:
        yield pooled.dbapi_connection
    except unavailable as error:
        pooled.invalidate(error)
        twin.dispose()  # the others were cut too, it may be
        raise OperationalError("", None, error) from error
    finally:
        pooled.close()


def sqlite_row(raw: Any, statement: str, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The first row of the answer to a statement with ?1, ?2."""
    tell(statement, given)
    found: tuple[Any, ...] | None = raw.execute(statement, given).fetchone()
    return found


def postgresql_row(raw: Any, name: str, given: Sequence[str | None]) -> list[bytes | None] | None:
    """The first row of the answer to one of `PREPARED`, as the text that PostgreSQL sends.

    By libpq's own call: a cursor of psycopg would take as long as the database does.
    """
    tell(PREPARED[name], given)
    values = [None if one is None else one.encode() for one in given]
    result = raw.pgconn.exec_prepared(name.encode(), values)
    if result.status != ExecStatus.TUPLES_OK:
        raise _failed(raw.pgconn, result)
    if not result.ntuples:
        return None
    return [result.get_value(0, column) for column in range(result.nfields)]


def _failed(pgconn: Any, result: Any) -> Exception:
    if pgconn.status != ConnStatus.OK:
        return psycopg.OperationalError(pgconn.get_error_message())
    return psycopg.errors.error_from_result(result)


def tell(statement: str, given: Any) -> None:
    """Tell whoever explains plans of a statement that goes out."""
    for listener in listeners:
        listener(statement, given)


def _twin(engine: Engine) -> Engine:
    """The engine whose connections are lent here; it ends with the one it stands beside."""
    twin = _twins.get(engine)
    if twin is None:
        twin = create_engine(
            engine.url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, pool_size=POOL
        )
        event.listen(twin, "connect", _set_up)
        twin = _twins.setdefault(engine, twin)
        event.listen(engine, "engine_disposed", lambda _: twin.dispose())
    return twin


def _set_up(connection: Any, _record: Any) -> None:
    dialect = "sqlite" if type(connection).__module__.startswith("sqlite3") else "postgresql"
    for setting in _SETTINGS[dialect]:
        connection.execute(setting)
    if dialect == "postgresql":
        for name, statement in PREPARED.items():
            result = connection.pgconn.prepare(name.encode(), statement.encode())
            if result.status != ExecStatus.COMMAND_OK:
                raise _failed(connection.pgconn, result)
