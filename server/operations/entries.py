"""What the server's rules write into a batch: changed fields, entries of a history, tasks."""

from __future__ import annotations

from typing import Any

from server.operations.batch import Batch
from shared import ids, ledger, records
from shared.reconcile import Record, settle_many


def put(batch: Batch, record: Record, changes: dict[str, Any]) -> Record:
    """The record with these fields set by the server's rules, if they differ at all."""
    differ = {n: x for n, x in changes.items() if record.values.get(n) != x}
    if not differ:
        return record
    after = settle_many(record, differ, batch.sender.device_id)
    batch.put(after, {n: (record.values.get(n), x) for n, x in differ.items()})
    return after


def add_progress(
    batch: Batch, problem: Record, entry: ledger.Progress, attempt: bool = False, **more: Any
) -> None:
    """One entry of a problem's history, beside the state it led to.

    ``attempt``: it came too late and changed nothing.
    """
    values: dict[str, Any] = {
        "problem_id": problem.id,
        "action": entry.action,
        "from_state": entry.from_state or None,
        "to_state": entry.to_state,
        "step": entry.step,
        "round": entry.round,
        "actor": batch.author,
        "acted_at": batch.now,
        "made_at": batch.made_at or None,
        "reason": entry.reason or None,
        "detail": dict(entry.detail) or None,
        "attempt": attempt or None,
    }
    batch.make("progress", problem.partition, values | more)


def add_task(batch: Batch, user_id: str, type_: str, **values: Any) -> None:
    """A task for a person, in the partition that follows them."""
    blank: dict[str, Any] = dict.fromkeys(records.FIELDS["task"])
    batch.make(
        "task",
        ids.person_partition(user_id),
        blank | {"user_id": user_id, "type": type_, "state": "open"} | values,
    )
