"""What the phone knows about itself: identity, epoch, scope, settings; one row each."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from mobile.core.views import Grid, Person
from shared.ledger import Actor

SEALED = frozenset({"token"})


def get(db: sqlite3.Connection, name: str, default: str = "") -> str:
    """A value as text."""
    row = db.execute("SELECT unseal(value) FROM meta WHERE name = ?", (name,)).fetchone()
    return default if row is None else str(row[0])


def put(db: sqlite3.Connection, name: str, value: str | int) -> None:
    """Keep a value."""
    kept = "seal(?)" if name in SEALED else "?"
    db.execute(
        f"INSERT INTO meta (name, value) VALUES (?, {kept})"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, str(value)),
    )


def number(db: sqlite3.Connection, name: str, default: int = 0) -> int:
    """A value as a whole number."""
    return int(get(db, name) or default)


def count_up(db: sqlite3.Connection, name: str) -> int:
    """One more than before; the new number."""
    value = number(db, name) + 1
    put(db, name, value)
    return value


@dataclass(frozen=True)
class Identity:
    """Who this phone is to the server. ``epoch`` and ``scope_rev`` are as last heard."""

    server: str
    token: str
    device_id: str
    person: Person
    epoch: str
    scope_rev: int

    @property
    def actor(self) -> Actor:
        """The person as the ledger's rules see them."""
        return Actor(self.person.user_id, self.person.role, self.person.body)


def identity(db: sqlite3.Connection) -> Identity | None:
    """The identity, None before enrolment."""
    kept = tuple(map(tuple, db.execute("SELECT name, value FROM meta WHERE name IN" + _OWN)))
    known = _known.get(kept)
    if known is None and kept:
        known = _read_identity(db)
        _known.clear()
        if known is not None:
            _known[kept] = known
    return known


_known: dict[tuple[tuple[Any, ...], ...], Identity] = {}  # as it is kept -> the one read last


def _read_identity(db: sqlite3.Connection) -> Identity | None:
    known: dict[str, str] = dict(
        db.execute("SELECT name, unseal(value) FROM meta WHERE name IN" + _OWN)
    )
    if not known.get("device_id"):
        return None
    grids = json.loads(known.get("grids") or "[]")
    return Identity(
        server=known.get("server", ""),
        token=known.get("token", ""),
        device_id=known["device_id"],
        person=Person(
            user_id=known.get("user_id", ""),
            name=known.get("user_name", ""),
            role=known.get("user_role", ""),
            grids=tuple(Grid(*pair) for pair in grids),
            body=known.get("user_body", ""),
        ),
        epoch=known.get("epoch", ""),
        scope_rev=int(known.get("scope_rev") or 0),
    )


_OWN = (
    " ('server', 'token', 'device_id', 'user_id', 'user_name', 'user_role', 'user_body', 'grids',"
    " 'epoch', 'scope_rev')"
)


def keep_person(db: sqlite3.Connection, user: dict[str, object]) -> None:
    """What the server says of the person (``id``, ``name``, ``role``, ``body``)."""
    user_id = user.get("id") or user.get("user_id")
    for name, value in (
        ("user_id", user_id),
        ("user_name", user.get("name")),
        ("user_role", user.get("role")),
        ("user_body", user.get("body")),
    ):
        if isinstance(value, str):
            put(db, name, value)


def keep_grids(db: sqlite3.Connection, grids: list[Grid]) -> None:
    """The grids in scope as last heard."""
    put(db, "grids", json.dumps([list(grid) for grid in grids], ensure_ascii=False))
