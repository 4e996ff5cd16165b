"""Pure: what a record becomes when an operation reaches it. The same code on phone and server.

The server calls `reconcile` with what it holds; it decides by revs, never by a clock. The phone
calls `overlay` to show the agreed record with its own pending operations on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared import records
from shared.operations import ADD, CREATE, DELETE, REMOVE, SET, Operation

EVERY = "*"  # the entry of field_revs that holds for fields without one of their own
ERASED = "erased"  # the entry of field_revs that says the content was erased by law
Stamp = tuple[int, str, int]  # rev, device, last rev by any other device


@dataclass(frozen=True)
class Record:
    """A record as the server (or the phone, with no field_revs) holds it.

    ``field_revs``: field -> (rev of its last change, device that made it, last rev at which any
    other device changed it). An element of a set has an entry of its own, "field/element".
    """

    kind: str
    id: str
    partition: str
    rev: int
    values: Mapping[str, Any]
    field_revs: Mapping[str, Stamp] = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True)
class Conflict:
    """Two values of one field, of which a supervisor is to choose. ``id`` is "" until stored."""

    id: str
    field: str
    state: str  # open | agreed
    version: int
    accepted: Any
    accepted_rev: int
    proposed: Any
    device: str
    seen_rev: int


@dataclass(frozen=True)
class Knowledge:
    """Who sent the operation, and whether its revs mean anything here (``same_epoch``).

    ``late``: it was held and is released out of turn, so that what its own device did since then
    counts as unseen too. ``unseen_child``: another device has hung a record on this one since.
    """

    device: str
    same_epoch: bool = True
    late: bool = False
    unseen_child: bool = False


@dataclass(frozen=True)
class Outcome:
    """The record afterwards (the same object where nothing changed), and what else follows.

    ``changes``: field -> (old, new) for the history. ``conflicts``: opened or changed ones.
    """

    record: Record
    changes: Mapping[str, tuple[Any, Any]]
    conflicts: tuple[Conflict, ...]
    result: str  # applied | merged | conflict


class Refused(Exception):
    """The operation cannot apply; ``code`` is one of protocol.TRANSACTION_CODES."""

    def __init__(self, code: str, field_name: str = "", detail: str = "") -> None:
        super().__init__(f"{code} {field_name} {detail}".strip())
        self.code = code
        self.field = field_name
        self.detail = detail


def create(operation: Operation, device: str, partition: str = "") -> Record:
    """The record that a create operation makes, at rev 1, in its partition or in this one."""
    given, sets, blank = _NEW[operation.kind]
    if not operation.values.keys() <= given:
        wrong = next(name for name in operation.values if name not in given)
        raise Refused("forbidden_field", wrong)
    values = {**blank, **operation.values}
    for name in sets:
        if values[name] is not None:
            values[name] = sorted(set(values[name]))
    stamps = {EVERY: (1, device, 0)}
    return Record(operation.kind, operation.id, partition or operation.partition, 1, values, stamps)


# Kind -> the fields that a create may give, those of them that are sets, and all before it.
_NEW: dict[str, tuple[frozenset[str], tuple[str, ...], dict[str, Any]]] = {
    kind.name: (
        frozenset(f.name for f in kind.fields if f.rule != records.SERVER),
        tuple(f.name for f in kind.fields if f.type == records.SET),
        dict.fromkeys(records.FIELDS[kind.name], None) | records.first_values(kind),
    )
    for kind in records.KINDS.values()
}


def last_other(record: Record, key: str, device: str) -> int:
    """The rev at which any device but this one last changed a field (0: none ever did)."""
    rev, author, other = _stamp(record, key)
    return other if author == device else rev


def reconcile(
    record: Record, operation: Operation, who: Knowledge, open_conflicts: tuple[Conflict, ...] = ()
) -> Outcome:
    """What set, add, remove and delete do to a record that exists (perhaps as a tombstone).

    Raises Refused for a field that the kind does not have or that may not be changed. Every
    operation takes the record's rev up by one at most.
    """
    state = _Working(record, operation, who, open_conflicts)
    if operation.op == DELETE:
        state.delete()
    else:
        state.restore_if_unseen()
        if operation.op == SET:
            for name, (was, new) in operation.fields.items():
                state.set(name, was, new)
        elif operation.op in (ADD, REMOVE):
            state.elements(operation.op == ADD)
    return state.outcome()


def overlay(record: Record | None, operation: Operation) -> Record | None:
    """The record as its own author sees it: the operation's new values on top, unconditionally.

    Actions are left to `shared.ledger`. None stays None, except under a create.
    """
    if operation.op == CREATE:
        return create(operation, "") if record is None else record
    if record is None:
        return None
    if operation.op == DELETE:
        return replace(record, deleted=True)
    values = dict(record.values)
    fields = records.FIELDS[record.kind]
    if operation.op == SET:
        for name, (_, new) in operation.fields.items():
            values[name] = _normal(fields[name], new)
    elif operation.op in (ADD, REMOVE):
        present = set(values.get(operation.name) or ())
        change = set(operation.elements)
        present = present | change if operation.op == ADD else present - change
        values[operation.name] = sorted(present)
    return replace(record, values=values, deleted=False)


def settle(record: Record, name: str, value: Any, device: str) -> Record:
    """The record after a rule or a verdict of the server has set one field."""
    return settle_many(record, {name: value}, device)


def settle_many(record: Record, changes: Mapping[str, Any], device: str) -> Record:
    """The record after the server's own rules have set fields: one rev for all of them."""
    rev = record.rev + 1
    stamps = dict(record.field_revs)
    for name in changes:
        stamps[name] = _next_stamp(record, name, rev, device)
    return replace(record, rev=rev, values={**record.values, **changes}, field_revs=stamps)


class _Working:
    """One operation's work on one record: collects what changes, then says it once."""

    def __init__(
        self,
        record: Record,
        operation: Operation,
        who: Knowledge,
        open_conflicts: tuple[Conflict, ...],
    ) -> None:
        self.record, self.operation, self.who = record, operation, who
        self.values = dict(record.values)
        self.stamps = dict(record.field_revs)
        self.deleted = record.deleted
        self.changes: dict[str, tuple[Any, Any]] = {}
        self.open = {(c.field, c.device): c for c in open_conflicts}
        self.touched: dict[tuple[str, str], Conflict] = {}
        self.lost = False  # a later arrival took an earlier value's place

    @property
    def rev(self) -> int:
        return self.record.rev + 1

    def set(self, name: str, was: Any, new: Any) -> None:
        declared = self._changeable(name)
        if declared.rule == records.ADD_WINS:
            raise Refused("invalid", name, "a set changes by add and remove")
        new, was = _normal(declared, new), _normal(declared, was)
        current = self.values.get(name)
        if new == current:
            self._agree(name, current)
        elif new == was:
            return
        elif self._is_free(name, was, current):
            self._apply(name, new)
        elif declared.rule == records.LATEST:
            self.lost = True
            if not self.who.late:
                self._apply(name, new)
        else:
            self._propose(name, new, current)

    def elements(self, adding: bool) -> None:
        name = self.operation.name
        declared = self._changeable(name)
        if declared.rule != records.ADD_WINS:
            raise Refused("invalid", name, "only a set changes by add and remove")
        old = list(self.values.get(name) or ())
        present = set(old)
        for element in self.operation.elements:
            key = f"{name}/{element}"
            if adding:
                present.add(element)
                self.stamps[key] = _next_stamp(self.record, key, self.rev, self.who.device)
                self.changes.setdefault(name, (old, old))
            elif element in present:
                if self._is_free(key, True, True):
                    present.discard(element)
                    self.stamps[key] = _next_stamp(self.record, key, self.rev, self.who.device)
                else:
                    self.lost = True  # added meanwhile by someone else: the addition wins
        if sorted(present) != sorted(old):
            self.values[name] = sorted(present)
            self.changes[name] = (old, sorted(present))

    def delete(self) -> None:
        if self.deleted:
            return
        if self.who.unseen_child or self._changed_unseen():
            self._propose(records.DELETED, True, False)
        else:
            self.deleted = True
            self.changes[records.DELETED] = (False, True)
            self.stamps[records.DELETED] = self._next(records.DELETED)

    def restore_if_unseen(self) -> None:
        """An edit by someone who had not seen the delete brings the record back, and is told."""
        if not self.deleted:
            return
        deleter = _stamp(self.record, records.DELETED)[1]
        self.deleted = False
        self.changes[records.DELETED] = (True, False)
        self.stamps[records.DELETED] = self._next(records.DELETED)
        if deleter != self.who.device:
            self.touched[(records.DELETED, deleter)] = Conflict(
                "", records.DELETED, "open", 1, False, self.rev, True, deleter, self.record.rev
            )

    def outcome(self) -> Outcome:
        opened = any(
            c.state == "open" and c.device == self.who.device for c in self.touched.values()
        )
        restored = any(c.field == records.DELETED for c in self.touched.values())
        changed = bool(self.changes)
        record = self.record
        if changed:
            record = replace(
                record,
                rev=self.rev,
                values=self.values,
                field_revs=self.stamps,
                deleted=self.deleted,
            )
        moved_on = self._changed_unseen()
        result = (
            "conflict" if opened or restored else "merged" if self.lost or moved_on else "applied"
        )
        return Outcome(record, self.changes, tuple(self.touched.values()), result)

    def _changeable(self, name: str) -> records.Field:
        declared = records.FIELDS[self.record.kind].get(name)
        if declared is None:
            raise Refused("invalid", name, "no such field")
        if declared.rule == records.SERVER:
            raise Refused("forbidden_field", name)
        if declared.rule == records.FIXED:
            raise Refused("fixed_field", name)
        return declared

    def _is_free(self, key: str, was: Any, current: Any) -> bool:
        """Whether the author had seen all that others did to the field."""
        if not self.who.same_epoch:
            return bool(was == current)
        name = key.partition("/")[0]
        if self.who.late:
            return _stamp(self.record, key)[0] <= self.operation.base_of(name)
        return last_other(self.record, key, self.who.device) <= self.operation.base_of(name)

    def _changed_unseen(self) -> bool:
        if not self.who.same_epoch:
            return self.record.rev > self.operation.rev
        keys = set(self.record.field_revs) | {EVERY}
        newest = max(last_other(self.record, key, self.who.device) for key in keys)
        return newest > self.operation.rev

    def _next(self, key: str) -> Stamp:
        return _next_stamp(self.record, key, self.rev, self.who.device)

    def _apply(self, name: str, new: Any) -> None:
        self.changes[name] = (self.values.get(name), new)
        self.values[name] = new
        self.stamps[name] = self._next(name)
        for key, conflict in self.open.items():
            if conflict.field == name:
                state = "agreed" if conflict.proposed == new else "open"
                self.touched[key] = replace(
                    conflict,
                    state=state,
                    accepted=new,
                    accepted_rev=self.rev,
                    version=conflict.version + 1,
                )

    def _agree(self, name: str, current: Any) -> None:
        """The same value from two people: no conflict, and this device's open one closes."""
        conflict = self.open.get((name, self.who.device))
        if conflict is not None:
            self.touched[(name, self.who.device)] = replace(
                conflict, state="agreed", proposed=current, version=conflict.version + 1
            )

    def _propose(self, name: str, new: Any, current: Any) -> None:
        key = (name, self.who.device)
        seen = self.operation.base_of(name)
        conflict = self.open.get(key)
        if conflict is None:
            rev = _stamp(self.record, name)[0]
            self.touched[key] = Conflict(
                "", name, "open", 1, current, rev, new, self.who.device, seen
            )
        elif conflict.proposed != new:
            self.touched[key] = replace(
                conflict, proposed=new, seen_rev=seen, version=conflict.version + 1
            )
        else:
            self.touched[key] = conflict


def _stamp(record: Record, key: str) -> Stamp:
    stamps = record.field_revs
    found = stamps.get(key)
    if found is None and "/" in key:
        found = stamps.get(key.partition("/")[0])
    if found is None:
        found = stamps.get(EVERY, (record.rev, "", record.rev))
    return found[0], found[1], found[2]


def _next_stamp(record: Record, key: str, rev: int, device: str) -> Stamp:
    return rev, device, last_other(record, key, device)


def _normal(declared: records.Field, value: Any) -> Any:
    """A set has one spelling: sorted, each element once."""
    if declared.type == records.SET and value is not None:
        return sorted(set(value))
    return value
