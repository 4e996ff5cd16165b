"""The database: one SQLAlchemy object, and the two ways a use case opens a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, MetaData, String, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Session

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


@contextmanager
def write() -> Iterator[Session]:
    """A transaction that writes: commits when the block ends, rolls back if it raises.

    SQLite takes its write lock at the start (BEGIN IMMEDIATE), so that two writers queue here and
    never meet a dead end half way.
    """
    session: Session = db.session()
    _leave_reading(session)
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


def _leave_reading(session: Session) -> None:
    """End the reads of this request (who is signed in) that came before the use case."""
    if session.in_transaction():
        session.commit()


def is_sqlite(session: Session) -> bool:
    """Whether this session speaks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


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


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("gridledger_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
