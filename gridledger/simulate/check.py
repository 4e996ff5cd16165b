"""The invariants, checked against the server's own tables once all is quiet.

Nothing here asks the code under test whether it is right: rows are compared with rows, sums are
worked out again, and every transaction that a phone ever saved is looked for by the record that
was taken when it was saved.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridledger.simulate.places import APPLIED, CONFLICT, DUPLICATED, LOST, QUARANTINED, Places
from gridledger.simulate.record import Record
from mobile.storage import photos as originals
from mobile.storage.store import Store
from server.storage import blobs
from server.storage.models import MODELS
from server.storage.tables import Assignment, Blob, Partition, User
from shared import checksum, ids, records

Rows = dict[str, tuple[int, dict[str, Any]]]  # id -> rev, values
MOST_TOLD = 40


@dataclass
class Findings:
    """What was found; ``told`` says the first of what is wrong, for a person."""

    transactions: int = 0
    applied: int = 0
    conflict: int = 0
    quarantined: int = 0
    waiting: int = 0
    lost: int = 0
    duplicated: int = 0
    diverged_partitions: int = 0
    out_of_scope_records: int = 0
    missing_records: int = 0
    photos_declared: int = 0
    photos_verified: int = 0
    photos_on_phone: int = 0
    photos_lost: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not (
            self.lost or self.duplicated or self.diverged_partitions or self.out_of_scope_records
            or self.missing_records or self.waiting or self.photos_lost
        )  # fmt: skip

    def tell(self, text: str) -> None:
        """Say what is wrong, if that is not too much already."""
        if len(self.told) < MOST_TOLD:
            self.told.append(text)


def check(session: Session, phones: Mapping[str, tuple[str, Store]], record: Record) -> Findings:
    """Check every invariant; ``phones``: name -> (its person's id, its store)."""
    found = Findings(transactions=len(record.saved))
    server = _partitions(session)
    _heads(session, server, found)
    waiting: set[str] = set()
    for name, (user_id, store) in phones.items():
        with store.reading() as db:
            waiting |= _waiting(db)
            _replica(db, name, _scope(session, user_id), server, found)
    _transactions(session, record, waiting, found)
    _photos(session, record, [store for _, store in phones.values()], found)
    return found


def _partitions(session: Session) -> dict[str, Rows]:
    """Every live record of every partition, as the tables have them."""
    found: dict[str, Rows] = {}
    for kind, model in MODELS.items():
        table = model.__table__
        names = list(records.FIELDS[kind])
        for row in session.execute(select(table).where(table.c.deleted_at.is_(None))).mappings():
            values = {name: row[name] for name in names}
            found.setdefault(row["partition_id"], {})[row["id"]] = (row["rev"], values)
    return found


def _heads(session: Session, server: Mapping[str, Rows], found: Findings) -> None:
    """Count and checksum of each head equal their recomputation from the rows."""
    for head in session.scalars(select(Partition)):
        rows = server.get(head.id, {})
        total = checksum.sum64((record_id, rev) for record_id, (rev, _) in rows.items())
        if (head.count, checksum.from_signed(head.sum64)) != (len(rows), total):
            found.diverged_partitions += 1
            found.tell(f"{head.id}: the server's head does not add up to its rows")


def _scope(session: Session, user_id: str) -> set[str]:
    """What a person's phone may hold, from accounts and assignments alone."""
    user = session.get(User, user_id)
    assert user is not None
    query = select(Assignment.grid_code).where(
        Assignment.user_id == user_id, Assignment.to_at.is_(None)
    )
    grids = set(session.scalars(query))
    areas = {ids.ROOT_AREA, user.area_code, *ids.ancestors(user.area_code)}
    for code in grids:
        areas |= set(ids.ancestors(code))
    return (
        {f"area:{code}" for code in areas} | {f"grid:{code}" for code in grids}
        | {f"person:{user_id}"}
    )  # fmt: skip


def _replica(
    db: sqlite3.Connection,
    name: str,
    scope: set[str],
    server: Mapping[str, Rows],
    found: Findings,
) -> None:
    """The phone's agreed rows are the server's, no more and no fewer, partition by partition."""
    held: dict[str, Rows] = {}
    for row in db.execute(
        "SELECT id, partition_id, rev, unseal(agreed), thin FROM record"
        " WHERE agreed IS NOT NULL AND gone = 0"
    ):
        values = json.loads(row[3])
        if row[4]:  # an old visit's stub: what it still says must be what the server says
            values = _filled(values, server.get(row[1], {}).get(row[0]))
        held.setdefault(row[1], {})[row[0]] = (row[2], values)
    for partition in sorted(scope | set(held)):
        here, there = held.get(partition, {}), server.get(partition, {})
        if partition not in scope:
            found.out_of_scope_records += len(here)
            found.tell(f"{name} holds {len(here)} records of {partition}, which is not its own")
            continue
        missing = set(there) - set(here)
        found.missing_records += len(missing)
        differing = [i for i in here if here[i] != there.get(i)]
        if missing or differing:
            found.diverged_partitions += 1
            found.tell(
                f"{name} {partition}: {len(missing)} missing {_some(missing)}, "
                f"{len(differing)} differ {_some(differing)}"
            )


def _filled(stub: dict[str, Any], there: tuple[int, dict[str, Any]] | None) -> dict[str, Any]:
    """The server's values where a stub agrees with them, else the stub's own."""
    return there[1] if there and stub.items() <= there[1].items() else stub


def _some(record_ids: Iterable[str]) -> str:
    return " ".join(sorted(record_ids)[:3])


def _waiting(db: sqlite3.Connection) -> set[str]:
    """The transactions that have no answer yet."""
    return {row[0] for row in db.execute("SELECT id FROM journal WHERE result IS NULL") if row[0]}


def _transactions(session: Session, record: Record, waiting: set[str], found: Findings) -> None:
    """Each transaction ever saved: in which one place?"""
    places = Places(session, record)
    for one in record.saved.values():
        place, why = places.of(one)
        if place == LOST and one.id in waiting:
            found.waiting += 1
            found.tell(f"{one.id} still waits")
            continue
        if place == APPLIED:
            found.applied += 1
        elif place == CONFLICT:
            found.conflict += 1
        elif place == QUARANTINED:
            found.quarantined += 1
        elif place == DUPLICATED:
            found.duplicated += 1
            found.tell(f"{one.id} stands twice: {why}")
        else:
            found.lost += 1
            found.tell(f"{one.id} is lost: {why}")


def _photos(session: Session, record: Record, stores: Iterable[Store], found: Findings) -> None:
    """Each declared photo: verified with the right bytes, else whole on a phone that knows it.

    A phone that believes it verified would delete it in a week: that is as good as lost.
    """
    declared = record.photos()
    found.photos_declared = len(declared)
    states: dict[str, str] = {}
    for row in session.execute(select(Blob.sha256, Blob.state)):
        states[row[0]] = row[1]
    phones = [(store, _believed(store)) for store in stores]
    for sha256 in sorted(declared):
        if states.get(sha256) == "verified" and _hash(_stored(sha256)) == sha256:
            found.photos_verified += 1
        elif any(
            sha256 not in believed and _hash(_original(store, sha256)) == sha256
            for store, believed in phones
        ):
            found.photos_on_phone += 1
        else:
            found.photos_lost += 1
            found.tell(f"photo {sha256[:12]} is lost (server: {states.get(sha256)})")


def _believed(store: Store) -> set[str]:
    """The photos that a phone takes for verified."""
    with store.reading() as db:
        return {row[0] for row in db.execute("SELECT sha256 FROM photo WHERE state = 'verified'")}


def _stored(sha256: str) -> Iterator[bytes]:
    try:
        yield from blobs.current().read(sha256)
    except FileNotFoundError:
        return


def _original(store: Store, sha256: str) -> Iterator[bytes]:
    with suppress(OSError, ValueError):
        yield originals.read(store, originals.path_of(store.folder, sha256))


def _hash(blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()
