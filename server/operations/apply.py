"""What each operation of a transaction does to the batch. Raises Refused; writes nothing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import and_, select

from server.core import scope
from server.operations import apply_actions, apply_redaction, corrections, problem_actions
from server.operations.batch import Batch
from server.storage import blob_rows
from server.storage.models import MODELS
from server.storage.rows import Held
from server.storage.tables import Departure, Quarantined, QuarantinedName
from shared import ids, records
from shared.operations import ACT, CREATE, DELETE, SET, Operation, Transaction
from shared.reconcile import (
    ERASED,
    EVERY,
    Conflict,
    Knowledge,
    Outcome,
    Record,
    Refused,
    create,
    reconcile,
    settle_many,
)

_ORDER = ("applied", "merged", "conflict")


class Waits(Refused):
    """Refused for now: the record it names has not arrived, or is held itself."""

    def __init__(self, code: str, record_id: str) -> None:
        super().__init__(code, "id", record_id)
        self.record_id = record_id


def apply(batch: Batch, transaction: Transaction) -> tuple[str, list[str]]:
    """Apply all operations of a transaction, or raise Refused; returns the result and conflicts.

    The caller undoes the batch's current transaction when this raises.
    """
    if not batch.sender.trusted and transaction.author != batch.sender.user_id:
        raise Refused("forbidden", "author")
    result, conflicts = "applied", []
    for operation in transaction.operations:
        one, found = _operation(batch, transaction, operation)
        if one != result:
            result = max(result, one, key=_ORDER.index)
        conflicts += found
    return result, conflicts


def _operation(batch: Batch, tx: Transaction, operation: Operation) -> tuple[str, list[str]]:
    if operation.op == CREATE:
        _create(batch, tx, operation)
        return "applied", []
    one = batch.get(operation.kind, operation.id)
    if one is None:
        raise Waits("unknown_record", operation.id)
    if one.record.field_revs.get(ERASED):
        raise Refused("erased", "id", operation.id)
    _check_scope_of(batch, tx, operation, one.record)
    if operation.op == ACT:
        apply_actions.act(batch, one, operation)
        return "applied", []
    return _change(batch, tx, one, operation)


def _create(batch: Batch, tx: Transaction, operation: Operation) -> None:
    kind = records.KINDS[operation.kind]
    if not scope.may_create(batch.sender, kind):
        raise Refused("forbidden", "kind", kind.name)
    if not scope.home_fits(kind, operation.partition):
        raise Refused("invalid", "partition", operation.partition)
    _check_scope(batch, tx, operation.partition)
    if batch.get(operation.kind, operation.id) is not None:
        raise Refused("exists", "id", operation.id)
    if batch.is_taken(operation.kind, operation.id):
        raise Refused("exists", "id", operation.id)
    home = operation.partition
    parents = records.parent_of(kind, operation.values)
    if kind is records.PHOTO and not parents:
        raise Refused("invalid", "owner_kind", operation.values["owner_kind"])
    for parent_kind, parent_id in parents:
        home = _need_parent(batch, tx, operation, parent_kind, parent_id)
        if kind is records.PHOTO and parent_kind == "visit":
            corrections.check_photo(batch, tx.author, parent_id)
    if kind.home != "grid" or len(ids.area_of(home) or "") != ids.GRID_DIGITS:
        home = operation.partition
    record = create(operation, batch.sender.device_id, home)
    batch.lock(home)
    if kind is records.PROBLEM:
        problem_actions.report(batch, record, tx.author)
        return
    if kind is records.PHOTO:
        record = _photo_state(batch, record)
    if kind is records.TASK and batch.sender.trusted:
        record = replace(record, values={**record.values, "state": "open"})
    batch.put(record)
    if kind is records.PHOTO:
        apply_redaction.follow(batch, record)
        if record.values["owner_kind"] == "visit":
            corrections.photo_added(batch, tx.author, record.values["owner_id"])


def _need_parent(
    batch: Batch, tx: Transaction, operation: Operation, kind: str, record_id: str
) -> str:
    """Where the parent is now: its child goes there. Raises Waits if it has not arrived."""
    parent = batch.get(kind, record_id)
    if parent is None:
        held = batch.session.scalar(
            select(Quarantined.id)
            .join(QuarantinedName, QuarantinedName.quarantine_id == Quarantined.id)
            .where(QuarantinedName.name == record_id, Quarantined.state == "open")
            .limit(1)
        )
        raise Waits("parent_held" if held else "parent_unknown", record_id)
    if parent.record.field_revs.get(ERASED):
        raise Refused("erased", "id", record_id)
    _check_scope_of(batch, tx, operation, parent.record)
    if parent.record.deleted:
        touch = Operation(SET, kind, record_id, parent.record.partition, rev=0)
        _change(batch, tx, parent, touch)
    return parent.record.partition


def _photo_state(batch: Batch, record: Record) -> Record:
    """Bytes that are already here are verified at once: the same photo may be declared by many."""
    blob = blob_rows.rely_on(batch.session, record.values["sha256"])
    if blob is None or blob.state != "verified":
        return record
    values = {**record.values, "state": "verified", "verified_at": batch.now}
    return replace(record, values=values)


def _change(
    batch: Batch, tx: Transaction, one: Held, operation: Operation
) -> tuple[str, list[str]]:
    kind = records.KINDS[operation.kind]
    if not scope.may_edit(batch.sender, kind):
        raise Refused("forbidden", "kind", kind.name)
    known = {held.record.id: _conflict(held.record) for held in batch.conflicts_of(operation.id)}
    same_epoch = tx.scope[0] == batch.epoch
    deleting = operation.op == DELETE
    if deleting and kind is records.PROBLEM and one.record.values["state"] != "reported":
        raise Refused("not_allowed", "state")  # it stands in the ledger until it is struck off
    unseen_child = deleting and _has_unseen_child(batch, one.record, operation, same_epoch)
    who = Knowledge(batch.sender.device_id, same_epoch, batch.late, unseen_child)
    outcome = reconcile(one.record, operation, who, tuple(known.values()))
    record = outcome.record
    if kind is records.PROBLEM and "position" in outcome.changes:
        record = problem_actions.place(record)
    if outcome.changes:
        if kind is records.VISIT and record.values["review_state"] != "pending":
            record = replace(record, values={**record.values, "review_state": "pending"})
            changes = {
                **outcome.changes,
                "review_state": (one.record.values["review_state"], "pending"),
            }
            batch.put(record, changes)
            corrections.end_tasks(batch, record.id, one.created_by)
        else:
            batch.put(record, outcome.changes)
    return outcome.result, [_store(batch, tx, record, c) for c in outcome.conflicts]


def _has_unseen_child(batch: Batch, record: Record, operation: Operation, same_epoch: bool) -> bool:
    """Whether another device hung a record on this one which the deleter had not pulled yet."""
    for kind in records.KINDS.values():
        for name, parent in kind.parents.items():
            if parent not in ("", record.kind):
                continue
            table = MODELS[kind.name].__table__
            query = select(table.c.field_revs).where(
                table.c[name] == record.id, table.c.deleted_at.is_(None)
            )
            if same_epoch:
                seen = and_(
                    table.c.partition_id == operation.partition, table.c.seq <= operation.seq
                )
                query = query.where(~seen)
            for stamps in batch.session.scalars(query):
                if stamps.get(EVERY, (0, ""))[1] != batch.sender.device_id:
                    return True
    return False


def _conflict(record: Record) -> Conflict:
    v = record.values
    return Conflict(
        record.id, v["field"], v["state"], v["version"], v["accepted"], v["accepted_rev"] or 0,
        v["proposed"], v["proposed_device"], v["seen_rev"] or 0,
    )  # fmt: skip


def _store(batch: Batch, tx: Transaction, about: Record, conflict: Conflict) -> str:
    """A conflict as a record of its own, in the feed of what it is about; returns its id."""
    author, at = batch.author_of(about.id, conflict.accepted_rev)
    changes: dict[str, Any] = {
        "version": conflict.version,
        "state": conflict.state,
        "accepted": conflict.accepted,
        "accepted_rev": conflict.accepted_rev,
        "proposed": conflict.proposed,
        "seen_rev": conflict.seen_rev,
    }
    mine = conflict.device == batch.sender.device_id
    if conflict.id:
        held = batch.get("conflict", conflict.id)
        assert held is not None
        if author:
            changes |= {"accepted_by": author, "accepted_at": at}
        if mine:
            changes["proposed_at"] = tx.made_at
        changed = {n: x for n, x in changes.items() if held.record.values.get(n) != x}
        if changed:
            old = held.record.values
            record = settle_many(held.record, changed, batch.sender.device_id)
            batch.put(record, {n: (old.get(n), x) for n, x in changed.items()})
        return conflict.id
    proposer = tx.author if mine else _who_deleted(batch, about)
    if author is None:
        created = batch.get(about.kind, about.id)
        author, at = (created.created_by, created.created_at) if created else (None, None)
    values: dict[str, Any] = dict.fromkeys(records.FIELDS["conflict"])
    values |= changes | {
        "about_kind": about.kind,
        "about_id": about.id,
        "field": conflict.field,
        "accepted_by": author,
        "accepted_at": at,
        "proposed_by": proposer,
        "proposed_device": conflict.device,
        "proposed_at": tx.made_at if mine else None,
    }
    record = batch.make("conflict", about.partition, values)
    batch.about.setdefault(about.id, []).append(record.id)
    return record.id


def _who_deleted(batch: Batch, about: Record) -> str | None:
    """The author of the delete that an edit has just taken back."""
    return batch.author_of(about.id, about.rev - 1)[0]


def _check_scope_of(batch: Batch, tx: Transaction, operation: Operation, record: Record) -> None:
    """Whether the sender may touch a record, wherever it has moved meanwhile.

    Work on a record that the sender's phone still held in a grid of theirs is in good faith if the
    record left that grid later than what the phone had pulled.
    """
    held_in = operation.partition
    if record.partition != held_in:
        left = batch.session.scalar(
            select(Departure.seq)
            .where(Departure.partition_id == held_in, Departure.record_id == record.id)
            .order_by(Departure.seq.desc())
            .limit(1)
        )
        if left is not None and (operation.op == CREATE or left > operation.seq):
            _check_scope(batch, tx, held_in)
            return
    _check_scope(batch, tx, record.partition)


def _check_scope(batch: Batch, tx: Transaction, partition: str) -> None:
    scope_rev = tx.scope[1] if tx.scope[0] == batch.epoch else None
    code = batch.refusal(partition, scope_rev)
    if code:
        raise Refused(code, "partition", ids.area_of(partition) or partition)


__all__ = ["Outcome", "Waits", "apply"]
