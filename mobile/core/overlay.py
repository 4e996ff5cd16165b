"""What a person sees of a record: as last agreed, with this phone's pending operations on top."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared import ledger, reconcile, records
from shared.operations import ACT, CREATE, Operation
from shared.reconcile import Record, Refused


@dataclass(frozen=True)
class Pending:
    """An operation of this phone that no checkpoint has covered yet, and when it was made."""

    operation: Operation
    made_at: int


def shown(agreed: Record | None, pending: Iterable[Pending], actor: ledger.Actor) -> Record | None:
    """The record with the operations on top, in order; None where there is nothing to show."""
    record = agreed
    for one in pending:
        record = _on_top(record, one, actor)
    return record


def _on_top(record: Record | None, pending: Pending, actor: ledger.Actor) -> Record | None:
    operation = pending.operation
    if operation.op == ACT:
        return None if record is None else _acted(record, pending, actor)
    if operation.op == CREATE and record is None and operation.kind == records.PROBLEM.name:
        made = reconcile.create(operation, "")
        started, _ = ledger.start(operation.values, actor.user_id, pending.made_at)
        return replace(made, values={**made.values, **started})
    return reconcile.overlay(record, operation)


def _acted(record: Record, pending: Pending, actor: ledger.Actor) -> Record:
    """The record after an action; unchanged where it came too late (its task will say so)."""
    if record.kind == records.TASK.name:
        done = {"state": "done", "done_at": pending.made_at}
        return replace(record, values={**record.values, **done})
    if record.kind != records.PROBLEM.name:
        return record
    try:
        changes, _ = progress(record, pending, actor)
    except Refused:
        return record
    return replace(record, values={**record.values, **changes})


def progress(
    record: Record, pending: Pending, actor: ledger.Actor
) -> tuple[dict[str, object], ledger.Progress]:
    """What a pending action changes and adds to the history. Raises Refused if it is too late.

    Photos and recurrence were checked when it was saved; here they count as given.
    """
    operation = pending.operation
    return ledger.act(
        record.values,
        operation.action,
        actor,
        operation.data,
        pending.made_at,
        ledger.Facts(),
        operation.expect,
    )
