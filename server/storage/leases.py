"""Who may write to an upload: one at a time, among all web processes and machines, by its row.

A lease is held for LEASE_MS after the last bytes came; whoever is silent for longer loses it, and
learns so before it writes again. A lease of a process of this machine that has died is void at
once. None of these statements waits for the disk: if the machine loses its power, an upload may
stand a little further back, and those bytes are sent again.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.storage import direct
from server.storage.database import db, in_line
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
    _row("upload_begin", *(row[name] for name in _BEGUN))


def take(upload_id: str, now: int) -> Lease | None:
    """A lease on an upload; None where another writer has it, or it is gone."""
    token = f"{_process()}/{ids.new_id()}"
    row = _row("upload_take", upload_id, token, now + LEASE_MS, now)
    if row is None:
        holder = db.session.scalar(select(Upload.lease).where(Upload.id == upload_id))
        db.session.rollback()
        if holder is not None and _is_dead(holder):
            row = _row("upload_take_over", upload_id, token, now + LEASE_MS, holder)
    return None if row is None else Lease(upload_id, token, int(row[0]), json.loads(row[1] or "[]"))


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
    return _note(lease, received, pieces, lease.token, now + LEASE_MS)


def give_back(lease: Lease, received: int, pieces: list[str]) -> bool:
    """End the lease, and note how far the upload is; False: it was lost."""
    return _note(lease, received, pieces, None, None)


def _note(
    lease: Lease, received: int, pieces: list[str], token: str | None, until: int | None
) -> bool:
    noted = _row(
        "upload_note", lease.upload_id, lease.token, received, json.dumps(pieces), token, until
    )
    return noted is not None


def _row(name: str, *given: Any) -> Any:
    """The first row of the answer to one of _STATEMENTS, a transaction of its own."""
    dialect = db.engine.dialect.name
    with direct.connection(db.engine) as raw:
        if dialect == "postgresql":
            return direct.postgresql_row(
                raw, name, [None if one is None else str(one) for one in given]
            )
        with in_line(dialect):
            return direct.sqlite_row(raw, _SQLITE[name], given)


_BEGUN = ("id", "sha256", "size", "received", "device_id", "created_at", "expires_at", "concat",
          "told")  # fmt: skip
_STATEMENTS = {
    "upload_begin": (
        f"INSERT INTO upload ({', '.join(_BEGUN)}) SELECT $1{{text}}, $2{{text}}, $3{{int}},"
        " $4{int}, $5{text}, $6{int}, $7{int}, $8{text}, $9{text} WHERE {quiet} RETURNING id"
    ),
    "upload_take": (
        "UPDATE upload SET lease = $2{text}, lease_until = $3{int} WHERE id = $1{text}"
        " AND (lease IS NULL OR lease_until < $4{int}) AND {quiet} RETURNING received, pieces"
    ),
    "upload_take_over": (
        "UPDATE upload SET lease = $2{text}, lease_until = $3{int} WHERE id = $1{text}"
        " AND lease = $4{text} AND {quiet} RETURNING received, pieces"
    ),
    "upload_note": (
        "UPDATE upload SET received = $3{int}, pieces = $4{json}, lease = $5{text},"
        " lease_until = $6{int} WHERE id = $1{text} AND lease = $2{text} AND {quiet} RETURNING id"
    ),
}
_SQLITE = {
    name: text.format(text="", int="", json="", quiet="1").replace("$", "?")
    for name, text in _STATEMENTS.items()
}
_QUIET = "set_config('synchronous_commit', 'off', true) = 'off'"  # of this transaction alone
direct.PREPARED.update(
    (name, text.format(text="::text", int="::bigint", json="::jsonb", quiet=_QUIET))
    for name, text in _STATEMENTS.items()
)


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
