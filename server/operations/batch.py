"""The working set of one commit: records as they will be, numbered and written at its end.

A batch holds the locks of its partitions. Each transaction applies to it in memory; one that is
refused is undone in memory too, so nothing of it reaches the database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.core import scope
from server.core.scope import Sender
from server.storage import heads, joined, rows, search
from server.storage.bulk import insert_rows
from server.storage.rows import Held
from server.storage.tables import Change, Departure
from shared import ids
from shared.reconcile import Record

Key = tuple[str, str]  # kind, record id


class NeedLock(Exception):
    """The batch met records in partitions it has not locked: start again with these too."""

    def __init__(self, partitions: Iterable[str]) -> None:
        super().__init__()
        self.partitions = frozenset(partitions)


@dataclass
class Batch:
    """Everything that one commit reads and changes. ``now`` is the server's clock, Unix ms.

    ``epoch`` is the database's; a transaction made under another one merges by its `was` values.
    """

    session: Session
    sender: Sender
    now: int
    epoch: str
    heads: dict[str, heads.Head] = field(default_factory=dict)
    held: dict[Key, Held | None] = field(default_factory=dict)
    changed: dict[Key, None] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    authors: dict[tuple[str, int], tuple[str | None, int]] = field(default_factory=dict)
    about: dict[str, list[str]] = field(default_factory=dict)  # record id -> its open conflicts
    _asked: set[str] = field(default_factory=set)  # whose conflicts are in ``about``
    _kinds: dict[str, set[str]] = field(default_factory=dict)  # record id -> kinds in ``held``
    tx_id: str | None = None
    author: str | None = None
    made_at: int = 0
    late: bool = False  # it was held and is released out of turn
    escrow: bool = False  # the device was revoked: all it sends goes into quarantine
    own: bool = False  # the server's own page, import or job sends it, not a phone
    taken: dict[str, set[str]] = field(default_factory=dict)  # id to be created -> kinds it names
    looked_up: dict[tuple[str, str], Any] = field(default_factory=dict)  # what was asked once
    _judged: tuple[Sender | None, dict[tuple[str, int | None], str]] = (None, {})
    _undo: list[tuple[Key, Held | None, bool]] = field(default_factory=list)
    _undo_also: list[Callable[[], None]] = field(default_factory=list)
    _marks: tuple[int, int] = (0, 0)

    def prepare(self, wanted: Mapping[str, Collection[str]], partitions: Iterable[str]) -> None:
        """Lock the partitions of these records (kind -> ids), wherever they are, and these too;
        then load the records with the open conflicts about them.
        """
        need = set(partitions)
        for kind, record_ids in wanted.items():
            need |= rows.partitions_of(self.session, kind, record_ids)
        self.load(wanted, need)
        self.load_conflicts([key[1] for key, one in self.held.items() if one])

    def load(self, wanted: Mapping[str, Collection[str]], partitions: Iterable[str]) -> None:
        """Lock these partitions, then load these records (kind -> ids).

        Raises NeedLock where one is in another partition.
        """
        self.heads |= heads.lock(self.session, set(partitions) - set(self.heads))
        for kind, record_ids in wanted.items():
            known = rows.load(self.session, kind, record_ids)
            for record_id in record_ids:
                self._hold((kind, record_id), known.get(record_id))
        self._check_locked(one.record.partition for one in self.held.values() if one)

    def load_new(self, made: Mapping[str, Collection[str]]) -> None:
        """Learn whether records of these ids (kind -> ids) exist already, of whatever kind.

        An id names one record, of one kind: histories, checksums and the phones' stores know a
        record by its id alone.
        """
        every = {record_id: None for record_ids in made.values() for record_id in record_ids}
        there: dict[str, list[str]] = {}
        for record_id, kind in rows.kinds_of(self.session, every):
            self.taken.setdefault(record_id, set()).add(kind)
            if record_id in made.get(kind, ()):
                there.setdefault(kind, []).append(record_id)
        for kind, record_ids in made.items():
            for record_id in record_ids:
                self._hold((kind, record_id), None)
        self.load(there, ())

    def begin(self, tx_id: str, author: str | None, made_at: int) -> None:
        """Start one transaction of the batch."""
        self.tx_id, self.author, self.made_at = tx_id, author, made_at
        self._undo.clear()
        self._undo_also.clear()
        self._marks = (len(self.history), 0)

    def undo(self) -> None:
        """Take back all that the current transaction has put."""
        for key, before, was_changed in reversed(self._undo):
            self.held[key] = before
            if not was_changed:
                self.changed.pop(key, None)
            if key[0] == "conflict":
                for known in self.about.values():
                    if key[1] in known and before is None:
                        known.remove(key[1])
        del self.history[self._marks[0] :]
        self._undo.clear()
        for step in reversed(self._undo_also):
            step()
        self._undo_also.clear()

    def on_undo(self, step: Callable[[], None]) -> None:
        """What else to take back with the current transaction, if it is refused after all."""
        self._undo_also.append(step)

    def is_taken(self, kind: str, record_id: str) -> bool:
        """Whether another kind has a record of this id, in the database or in this batch."""
        if self.taken.get(record_id, set()) - {kind}:
            return True
        others = self._kinds.get(record_id, ())
        return any(other != kind and self.held.get((other, record_id)) for other in others)

    def get(self, kind: str, record_id: str) -> Held | None:
        """A record as it is now in this batch; loaded if it was not foreseen."""
        key = (kind, record_id)
        if key not in self.held:
            one = rows.load(self.session, kind, [record_id]).get(record_id)
            self._hold(key, one)
            if one:
                self._check_locked([one.record.partition])
        return self.held[key]

    def refusal(self, partition: str, scope_rev: int | None) -> str:
        """`scope.refusal` of the present sender, found out once."""
        if self._judged[0] is not self.sender:
            self._judged = (self.sender, {})
        known, key = self._judged[1], (partition, scope_rev)
        if key not in known:
            known[key] = scope.refusal(self.sender, partition, scope_rev, self.now)
        return known[key]

    def put(self, record: Record, changes: Mapping[str, tuple[Any, Any]] | None = None) -> None:
        """Take a new or changed record; ``changes`` go into its history."""
        key = (record.kind, record.id)
        before = self.held.get(key)
        self._undo.append((key, before, key in self.changed))
        if before is None:
            self._hold(key, Held(record, self.author, self.made_at or self.now))
        else:
            self.held[key] = before._replace(record=record)
        self.changed[key] = None
        self.authors[record.id, record.rev] = (self.author, self.now)
        if before is not None and changes:
            self.history.append(
                {
                    "record_id": record.id,
                    "rev": record.rev,
                    "kind": record.kind,
                    "tx_id": self.tx_id,
                    "device_id": self.sender.device_id,
                    "author": self.author,
                    "at": self.now,
                    "changes": {name: list(pair) for name, pair in changes.items()},
                }
            )

    def make(self, kind: str, partition: str, values: Mapping[str, Any]) -> Record:
        """A new record of the server's own (a progress entry, a task), put into the batch."""
        record = Record(
            kind, ids.new_id(), partition, 1, dict(values), {"*": (1, self.sender.device_id, 0)}
        )
        self.put(record)
        return record

    def lock(self, partition: str) -> None:
        """Make sure of a partition's lock; starts again if it must be taken out of order."""
        if partition not in self.heads:
            raise NeedLock([partition])

    def conflicts_of(self, record_id: str) -> list[Held]:
        """The open conflicts about a record."""
        if record_id not in self._asked:
            self.load_conflicts([record_id])
        found = []
        for conflict_id in self.about.get(record_id, ()):
            one = self.get("conflict", conflict_id)
            if one and one.record.values["state"] == "open":
                found.append(one)
        return found

    def author_of(self, record_id: str, rev: int) -> tuple[str | None, int | None]:
        """Who made a record's rev, and when the server received it."""
        known = self.authors.get((record_id, rev))
        if known is None:
            query = select(Change.author, Change.at).where(
                Change.record_id == record_id, Change.rev == rev
            )
            row = self.session.execute(query).first()
            return (row[0], row[1]) if row else (None, None)
        return known

    def flush(self) -> dict[str, int]:
        """Number and write everything that changed; returns partition -> its new seq."""
        people = {
            self.held[key].record.partition  # type: ignore[union-attr]
            for key in self.changed
        } - set(self.heads)
        self.heads |= heads.lock(self.session, people)
        numbered: list[tuple[Held, int]] = []
        for key in self.changed:
            one = self.held[key]
            assert one is not None
            numbered.append((one, self._number(one)))
        rows.write(self.session, numbered, self.now)
        if problems := [one for one, _ in numbered if one.record.kind == "problem"]:
            search.keep(self.session, problems, self.history)
            joined.keep(self.session, problems, self.history)
        if self.history:
            insert_rows(self.session, Change.__table__, self.history)
        heads.save(self.session, self.heads.values(), self.tx_id or ids.new_id(), self.now)
        return {head.id: head.seq for head in self.heads.values() if head.seq > head.before}

    def _number(self, one: Held) -> int:
        """Take the record's place in its feed, keep the checksum, note a move to another one."""
        record, stored = one.record, one.stored
        head = self.heads[record.partition]
        live_before = stored[1] if stored and not stored[2] else None
        live_now = None if record.deleted else record.rev
        if stored and stored[0] != record.partition:
            left = self.heads[stored[0]]
            left.replace(record.id, live_before, None)
            self.session.execute(
                insert(Departure.__table__).values(
                    partition_id=left.id,
                    seq=left.take_number(),
                    kind=record.kind,
                    record_id=record.id,
                    rev=record.rev,
                    destination=record.partition,
                )
            )
            live_before = None
        head.replace(record.id, live_before, live_now)
        return head.take_number()

    def _check_locked(self, partitions: Iterable[str]) -> None:
        missing = {p for p in partitions if p not in self.heads}
        if missing:
            raise NeedLock(missing)

    def load_conflicts(self, record_ids: Collection[str]) -> None:
        """Load the open conflicts about these records."""
        self._asked.update(record_ids)
        for one in rows.open_conflicts(self.session, record_ids):
            key = ("conflict", one.record.id)
            if key not in self.held:
                self._hold(key, one)
            known = self.about.setdefault(one.record.values["about_id"], [])
            if one.record.id not in known:
                known.append(one.record.id)

    def _hold(self, key: Key, one: Held | None) -> None:
        self.held[key] = one
        self._kinds.setdefault(key[1], set()).add(key[0])
