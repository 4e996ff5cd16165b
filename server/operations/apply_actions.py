"""Actions: a step of the ledger, a review of a visit, a verdict on a conflict, a task done."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from server.operations import apply_redaction, problem_actions
from server.operations.batch import Batch
from server.operations.entries import add_task, put
from server.storage.rows import Held
from shared import records, schemas
from shared.operations import Operation
from shared.reconcile import Record, Refused, settle_many


def act(batch: Batch, one: Held, operation: Operation) -> None:
    """Take one action on a record, by its kind; raises Refused."""
    match operation.kind:
        case "problem":
            problem_actions.act(batch, one.record, operation)
        case "visit":
            _review(batch, one, operation)
        case "conflict":
            _decide(batch, one.record, operation)
        case "task":
            _finish(batch, one.record, operation)
        case "photo":
            apply_redaction.act(batch, one.record, operation)
        case _:
            raise Refused("not_allowed", "kind", operation.kind)


def _review(batch: Batch, one: Held, operation: Operation) -> None:
    """Approve or return a visit as it was seen; whoever made it does not review it."""
    visit = one.record
    if batch.sender.role != "supervisor":
        raise Refused("forbidden", "role")
    if one.created_by is not None and one.created_by == batch.author:
        raise Refused("same_person", "created_by")
    if visit.deleted:
        raise Refused("not_allowed", "state")
    if operation.expect.get("rev") != visit.rev:
        raise Refused("stale_review", "rev", str(visit.rev))
    if operation.action not in ("approve", "return"):
        raise Refused("invalid", "action", operation.action)
    reason = str(operation.data.get("reason") or "")
    if operation.action == "return" and not reason:
        raise Refused("needs", "reason")
    state = "approved" if operation.action == "approve" else "returned"
    put(
        batch,
        visit,
        {
            "review_state": state,
            "review_note": reason or None,
            "reviewed_by": batch.author,
            "reviewed_at": batch.now,
        },
    )
    if state == "returned" and one.created_by:
        add_task(
            batch, one.created_by, "returned_visit",
            about_kind="visit", about_id=visit.id, reason=reason,
        )  # fmt: skip


def _decide(batch: Batch, conflict: Record, operation: Operation) -> None:
    """A supervisor's verdict: one of the two values, or a third."""
    values = conflict.values
    if batch.sender.role != "supervisor":
        raise Refused("forbidden", "role")
    if operation.action != "decide" or "value" not in operation.data:
        raise Refused("needs", "value")
    if values["state"] != "open" or operation.expect.get("version") != values["version"]:
        raise Refused("stale_verdict", "version", str(values["version"]))
    about = batch.get(values["about_kind"], values["about_id"])
    if about is None:
        raise Refused("unknown_record", "about_id", values["about_id"])
    value, name = operation.data["value"], values["field"]
    _set_decided(batch, about, name, value)
    decided = {
        "state": "decided",
        "verdict": value,
        "decided_by": batch.author,
        "decided_at": batch.now,
        "version": values["version"] + 1,
    }
    put(batch, conflict, decided)
    for other in batch.conflicts_of(values["about_id"]):
        if other.record.id != conflict.id and other.record.values["field"] == name:
            version = other.record.values["version"] + 1
            put(batch, other.record, {"accepted": value, "version": version})
    for person in sorted({p for p in (values["accepted_by"], values["proposed_by"]) if p}):
        add_task(
            batch, person, "conflict_verdict",
            about_kind=values["about_kind"], about_id=values["about_id"],
            detail={"conflict_id": conflict.id, "field": name, "verdict": value},
        )  # fmt: skip


def _set_decided(batch: Batch, about: Held, name: str, value: Any) -> None:
    record = about.record
    if name == records.DELETED:
        if bool(value) != record.deleted:
            from dataclasses import replace

            after = settle_many(record, {}, batch.sender.device_id)
            after = replace(
                after,
                deleted=bool(value),
                field_revs={
                    **after.field_revs,
                    name: (after.rev, batch.sender.device_id, record.rev),
                },
            )
            batch.put(after, {name: (record.deleted, bool(value))})
        return
    try:
        value = schemas.check_value(record.kind, name, value)
    except ValidationError as error:
        raise Refused("invalid", "value", str(error.messages)) from None
    changes = {name: value}
    if record.kind == "visit" and record.values[name] != value:
        changes["review_state"] = "pending"
    put(batch, record, changes)


def _finish(batch: Batch, task: Record, operation: Operation) -> None:
    """The person it belongs to ticks it off."""
    if task.values["user_id"] != batch.author:
        raise Refused("forbidden", "user_id")
    if operation.action != "done":
        raise Refused("invalid", "action", operation.action)
    if task.values["state"] == "done":
        return  # the correction it asked for has ended it already
    put(batch, task, {"state": "done", "done_at": batch.now})
