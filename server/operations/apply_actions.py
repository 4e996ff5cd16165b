"""Actions: a step of the ledger, a review of a visit, a verdict on a conflict, a task done."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import ValidationError
from sqlalchemy import select

from server.core import scope
from server.operations import apply_redaction
from server.operations.batch import Batch
from server.storage.models import Photo, Reference
from server.storage.rows import Held
from server.storage.tables import LedgerSerial
from shared import ids, ledger, records, schemas
from shared.operations import Operation
from shared.protocol import MAX_TEXT
from shared.reconcile import Record, Refused, settle_many

SHANGHAI = ZoneInfo("Asia/Shanghai")


def act(batch: Batch, one: Held, operation: Operation) -> None:
    """Take one action on a record, by its kind; raises Refused."""
    match operation.kind:
        case "problem":
            _on_problem(batch, one.record, operation)
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


def add_progress(batch: Batch, problem: Record, progress: ledger.Progress) -> None:
    """One entry of a problem's history, beside the state it led to."""
    batch.make(
        "progress",
        problem.partition,
        {
            "problem_id": problem.id,
            "action": progress.action,
            "from_state": progress.from_state or None,
            "to_state": progress.to_state,
            "step": progress.step,
            "actor": batch.author,
            "acted_at": batch.now,
            "reason": progress.reason or None,
            "detail": dict(progress.detail) or None,
        },
    )


def add_task(batch: Batch, user_id: str, type_: str, **values: Any) -> None:
    """A task for a person, in the partition that follows them."""
    blank: dict[str, Any] = dict.fromkeys(records.FIELDS["task"])
    batch.make(
        "task",
        ids.person_partition(user_id),
        blank | {"user_id": user_id, "type": type_, "state": "open"} | values,
    )


def _put(batch: Batch, record: Record, changes: dict[str, Any]) -> Record:
    """The record with these fields set by the server's rules, if they differ at all."""
    differ = {n: x for n, x in changes.items() if record.values.get(n) != x}
    if not differ:
        return record
    after = settle_many(record, differ, batch.sender.device_id)
    batch.put(after, {n: (record.values.get(n), x) for n, x in differ.items()})
    return after


def _on_problem(batch: Batch, problem: Record, operation: Operation) -> None:
    sender = batch.sender
    role = sender.role
    if sender.trusted and role not in ("grid_worker", "supervisor", "handler", "admin"):
        role = ledger.SCHEDULE
    actor = ledger.Actor(batch.author or "", role, sender.body)
    _check_data(operation)
    if not sender.trusted and not {"state", "step"} <= set(operation.expect):
        raise Refused("invalid", "expect", "an action names the state and step it was taken at")
    changes, progress = ledger.act(
        problem.values,
        operation.action,
        actor,
        operation.data,
        batch.now,
        _facts(batch, problem, operation.action),
        operation.expect,
    )
    if operation.action in ("register", "unmerge") and "ledger_no" in changes:
        changes["ledger_no"] = _next_ledger_no(batch, problem.partition)
    if operation.action == "merge":
        _check_merge(batch, problem, operation.data["merged_into"])
    add_progress(batch, _put(batch, problem, changes), progress)


def _check_merge(batch: Batch, problem: Record, other_id: str) -> None:
    """A problem goes on in another that is open and within reach, never in itself or in nothing."""
    one = batch.get("problem", other_id) if other_id != problem.id else None
    if one is None or one.record.deleted:
        raise Refused("invalid", "merged_into", other_id)
    if scope.refusal(batch.sender, one.record.partition, None, batch.now):
        raise Refused("out_of_scope", "merged_into", other_id)
    if one.record.values["state"] not in ledger.OPEN_STATES and not batch.sender.trusted:
        raise Refused("not_allowed", "merged_into", one.record.values["state"])


def _check_data(operation: Operation) -> None:
    """The data of an action that are fields of a problem obey the field's declaration."""
    for name, value in operation.data.items():
        if name in records.FIELDS["problem"]:
            try:
                schemas.check_value("problem", name, value)
            except ValidationError as error:
                raise Refused("invalid", name, str(error.messages)) from None
        elif not isinstance(value, str) or len(value) > MAX_TEXT:
            raise Refused("invalid", name)


def _facts(batch: Batch, problem: Record, action: str) -> ledger.Facts:
    if action not in ("close", "request_closure"):
        return ledger.Facts()
    category = batch.session.scalar(
        select(Reference.data).where(
            Reference.type == "category", Reference.code == problem.values["category"]
        )
    )
    query = select(Photo.id, Photo.state).where(
        Photo.owner_id == problem.id,
        Photo.phase == "after",
        Photo.deleted_at.is_(None),
        Photo.replaced_by.is_(None),
    )
    states = {row[0]: row[1] for row in batch.session.execute(query)}
    for one in batch.held.values():
        values = one.record.values if one and one.record.kind == "photo" else {}
        if one and values.get("owner_id") == problem.id and values["phase"] == "after":
            states[one.record.id] = values["state"]
    verified = sum(state == "verified" for state in states.values())
    refused = sum(state == "refused" for state in states.values())
    return ledger.Facts(
        needs_after=bool((category or {}).get("needs_after")),
        after_photos=verified,
        photos_pending=len(states) - verified - refused,
    )


def _next_ledger_no(batch: Batch, partition: str) -> str:
    """The next number of the community and year: no gaps, none twice (the row is locked)."""
    community = (ids.area_of(partition) or "")[: ids.COMMUNITY_DIGITS]
    year = datetime.fromtimestamp(batch.now / 1000, SHANGHAI).year
    serial = batch.session.get(
        LedgerSerial, (community, year), with_for_update=True, populate_existing=True
    )
    if serial is None:
        from server.storage.heads import insert_ignoring

        batch.session.execute(
            insert_ignoring(batch.session, LedgerSerial.__table__).values(
                community_code=community, year=year, last=0
            )
        )
        serial = batch.session.get(
            LedgerSerial, (community, year), with_for_update=True, populate_existing=True
        )
    assert serial is not None
    serial.last += 1
    batch.session.flush()
    row = serial

    def give_back() -> None:
        row.last -= 1  # the row is ours until the commit: nobody has taken a later one

    batch.on_undo(give_back)
    return f"{community}-{year}-{serial.last:05d}"


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
    _put(
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
    _put(batch, conflict, decided)
    for other in batch.conflicts_of(values["about_id"]):
        if other.record.id != conflict.id and other.record.values["field"] == name:
            version = other.record.values["version"] + 1
            _put(batch, other.record, {"accepted": value, "version": version})
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
    _put(batch, record, changes)


def _finish(batch: Batch, task: Record, operation: Operation) -> None:
    """The person it belongs to ticks it off."""
    if task.values["user_id"] != batch.author:
        raise Refused("forbidden", "user_id")
    if operation.action != "done":
        raise Refused("invalid", "action", operation.action)
    _put(batch, task, {"state": "done", "done_at": batch.now})
