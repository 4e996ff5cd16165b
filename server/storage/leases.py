"""Who may write to an upload: one at a time, among all web processes and machines, by its row.

A lease is held for LEASE_MS after the last bytes came; whoever is silent for longer loses it, and
learns so before it writes again. A lease of a process of this machine that has died is void at
once. None of these statements waits for the disk: if the machine loses its power, an upload may
stand a little further back, and those bytes are sent again.
"""

from __future__ import annotations

import functools
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, literal, or_, select, update
from sqlalchemy.sql import ColumnElement

from server.storage.database import db, jotting
from server.storage.tables import Upload
from shared import ids

LEASE_MS = 20_000
WAIT_S = 3.0  # for a writer whose connection has just been cut


@dataclass(frozen=True)
class Lease:
    """The right to write to an upload, and how far it was when it was given."""

    upload_id: str
    token: str
    received: int
    pieces: list[str]


def begin(row: dict[str, Any]) -> None:
    """Add an upload, to which nobody writes yet. One that is lost is begun anew."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            new = insert(Upload).from_select(
                list(row),
                select(*(literal(v, Upload.__table__.c[k].type) for k, v in row.items())).where(
                    _unhurried()
                ),
            )
        else:
            new = insert(Upload).values(row)
        with jotting(connection):
            connection.execute(new)


def take(upload_id: str, now: int) -> Lease | None:
    """A lease on an upload; None where another writer has it, or it is gone."""
    token = f"{_process()}/{ids.new_id()}"
    values = {"lease": token, "lease_until": now + LEASE_MS}
    here = Upload.id == upload_id
    row = _change(here, or_(Upload.lease.is_(None), Upload.lease_until < now), **values)
    if row is None:
        holder = db.session.scalar(select(Upload.lease).where(here))
        db.session.rollback()
        if holder is not None and _is_dead(holder):
            row = _change(here, Upload.lease == holder, **values)
    return None if row is None else Lease(upload_id, token, row.received, row.pieces or [])


def settled(upload_id: str, now: Callable[[], int]) -> bool:
    """Wait until nobody writes to an upload, WAIT_S at most; whether anybody did."""
    query = select(Upload.lease, Upload.lease_until).where(Upload.id == upload_id)
    until = time.monotonic() + WAIT_S
    waited = False
    while time.monotonic() < until:
        row = db.session.execute(query).first()
        db.session.rollback()
        if row is None or row[0] is None or (row[1] or 0) < now() or _is_dead(row[0]):
            return waited
        waited = True
        time.sleep(0.02)
    return waited


def advance(lease: Lease, received: int, pieces: list[str], now: int) -> bool:
    """Note how far an upload is, and go on; False: the lease was lost."""
    until = now + LEASE_MS
    return _change(*_its(lease), received=received, pieces=pieces, lease_until=until) is not None


def give_back(lease: Lease, received: int, pieces: list[str]) -> bool:
    """End the lease, and note how far the upload is; False: it was lost."""
    noted = {"received": received, "pieces": pieces, "lease": None, "lease_until": None}
    return _change(*_its(lease), **noted) is not None


def _its(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return Upload.id == lease.upload_id, Upload.lease == lease.token


def _change(*where: ColumnElement[bool], **values: Any) -> Any:
    statement = update(Upload).where(*where).values(**values)
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            statement = statement.where(_unhurried())
        with jotting(connection):
            return connection.execute(
                statement.returning(Upload.received, Upload.pieces)
            ).one_or_none()


def _unhurried() -> ColumnElement[bool]:
    return func.set_config("synchronous_commit", "off", True) == "off"


@functools.cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()}+{boot}"


def _process() -> str:
    return f"{_machine()}/{os.getpid()}.{_started(os.getpid())}"


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty where that cannot be known.

    One that was killed and that nobody has buried yet (Z) writes no more: it has no beginning.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def _is_dead(token: str) -> bool:
    """Whether the holder was a process of this machine that is no more."""
    machine, _, rest = token.partition("/")
    pid, _, started = rest.partition("/")[0].partition(".")
    if machine != _machine() or not pid.isdigit() or not started:
        return False
    return _started(int(pid)) != started
