"""The database: one SQLAlchemy object, and the two ways a use case opens a transaction."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, MetaData, String, any_, event, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import Pool
from sqlalchemy.sql import ColumnElement

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every model."""

    metadata = MetaData(naming_convention=NAMING)


# expire_on_commit is off: a page may go on showing what a use case has just committed.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

# Byte order on PostgreSQL, as SQLite has it, so that a subtree of codes is one range of an index.
Ordered = String().with_variant(String(collation="C"), "postgresql")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Ms = BigInteger  # Unix milliseconds, UTC
REST_S = 5.0  # a pooled connection that rested longer may have been cut


_line = threading.RLock()


def in_line(dialect: str) -> AbstractContextManager[Any]:
    """Where this process's writers to SQLite wait: the file itself is asked again and again, with
    pauses of up to 100 ms, while nobody writes."""
    return _line if dialect == "sqlite" else nullcontext()


@contextmanager
def write() -> Iterator[Session]:
    """A transaction that writes: commits when the block ends, rolls back if it raises.

    SQLite takes its write lock at the start (BEGIN IMMEDIATE), so that two writers queue here and
    never meet a dead end half way.
    """
    session: Session = db.session()
    _leave_reading(session)
    with in_line(session.get_bind().dialect.name):
        session.connection(execution_options={"gridledger_write": True})
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def snapshot() -> Iterator[Session]:
    """A transaction that reads one state of the database, however long it takes."""
    session: Session = db.session()
    _leave_reading(session)
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    else:
        session.connection()
    try:
        yield session
    finally:
        session.rollback()


@contextmanager
def jotting(connection: Connection) -> Iterator[Connection]:
    """One statement whose loss in a crash of the machine would not matter: not waited for.

    On PostgreSQL the statement has to say so itself. What other transactions wrote stays durable.
    """
    if connection.dialect.name == "postgresql":
        yield connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.commit()
        return
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA synchronous = NORMAL")
    try:
        connection.execution_options(gridledger_write=True)
        with in_line("sqlite"), connection.begin():
            yield connection
    finally:
        connection.execution_options(gridledger_write=False)
        raw.execute("PRAGMA synchronous = FULL")


@contextmanager
def lasting_snapshot() -> Iterator[Session]:
    """`snapshot` in a session of its own, which may outlive the request."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with Session(bind=connection) as session:
            yield session
            session.commit()  # nothing was written; after a rollback psycopg prepares all anew


def _leave_reading(session: Session) -> None:
    """End the reads of this request (who is signed in) that came before the use case."""
    if session.in_transaction():
        session.commit()


def is_sqlite(session: Session) -> bool:
    """Whether this session speaks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def any_of(session: Session, column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text column has one of these values: one parameter, however many they are."""
    wanted = sorted(set(values))
    if is_sqlite(session):
        given = func.json_each(json.dumps(wanted)).table_valued("value")
        return cast(ColumnElement[bool], column.in_(select(given.c.value)))
    return cast(ColumnElement[bool], column == any_(literal(wanted, ARRAY(String))))


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection: Any, _record: Any) -> None:
    if type(connection).__module__.partition(".")[0] != "sqlite3":
        return
    connection.isolation_level = None  # BEGIN is said below, not guessed by the driver
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Pool, "checkin")
def _note_rest(_connection: Any, record: Any) -> None:
    record.info["resting_since"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _ask_if_alive(connection: Any, record: Any, _proxy: Any) -> None:
    """The pool's own pre-ping, for connections that rested a while alone: it costs a round trip."""
    since = record.info.pop("resting_since", None)
    if since is None or time.monotonic() - since < REST_S:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error  # the pool opens another one


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("gridledger_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
