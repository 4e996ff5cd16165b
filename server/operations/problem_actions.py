"""Actions on a problem: the rules of shared.ledger with what the server knows, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from server.core import scope
from server.operations import ledger_facts, numbers, recipients
from server.operations.anonymise import anonymous, forget
from server.operations.batch import Batch
from server.operations.entries import add_progress, add_task, put
from server.storage.queries.nearby import merged_into
from shared import duplicates, ledger, nearby, records, schemas
from shared.operations import ACT, Operation, Transaction
from shared.protocol import MAX_TEXT
from shared.reconcile import Record, Refused

# Tasks that a step of the problem makes moot.
REMINDERS = frozenset({"due_soon", "due_now", "overdue", "reminded", "request"})
_PEOPLE = ("grid_worker", "supervisor", "handler", "admin")
_TOLD = frozenset({"resident", "volunteer", "party_member", "hotline"})


def report(batch: Batch, record: Record, author: str) -> None:
    """A new problem: where it is, its first state and clock, and whether it has come back."""
    values = {**record.values, **_placed(batch, record.values)}
    facts = ledger_facts.of_report(batch, values)
    added, entry = ledger.start(values, author, batch.now, facts)
    record = replace(record, values={**values, **added})
    batch.put(record)
    add_progress(batch, record, entry)
    _flag_recurrence(batch, record)


def place(record: Record) -> Record:
    """The record with its map cell as its position now says."""
    return replace(
        record, values={**record.values, "cell": nearby.cell_of(record.values["position"])}
    )


def act(batch: Batch, problem: Record, operation: Operation) -> None:
    """Take one action as it was sent; raises Refused."""
    sender = batch.sender
    role = sender.role
    if sender.trusted and role not in _PEOPLE:
        role = ledger.SCHEDULE
    _check_data(operation)
    if not sender.trusted and not {"state", "step"} <= set(operation.expect):
        raise Refused("invalid", "expect", "an action names the state and step it was taken at")
    actor = ledger.Actor(batch.author or "", role, sender.body)
    take(batch, problem, operation.action, actor, operation.data, operation.expect)


def take(
    batch: Batch,
    problem: Record,
    action: str,
    actor: ledger.Actor,
    data: Mapping[str, Any],
    expect: Mapping[str, Any] | None = None,
) -> Record:
    """Take one action by the rules, with its entry in the history and all that follows."""
    facts = ledger_facts.of_action(batch, problem, action, data)
    changes, entry = ledger.act(problem.values, action, actor, data, batch.now, facts, expect)
    if "ledger_no" in changes:
        changes["ledger_no"] = numbers.next_number(batch, problem.partition)
    if action == "merge":
        _merge(batch, problem, data["merged_into"])
    elif action == "unmerge":
        _part(batch, problem)
    if action == "archive":
        after = anonymous(batch, problem, changes)
        forget(batch, problem)
    else:
        after = put(batch, problem, changes)
    add_progress(batch, after, entry)
    if actor.role == ledger.SCHEDULE or not batch.sender.trusted:
        _tell(batch, problem, after, action, entry)
    return after


def note_attempt(batch: Batch, transaction: Transaction, refused: Refused) -> None:
    """A phone's action that came too late stands in the problem's history as an attempt."""
    for operation in transaction.operations:
        if operation.op != ACT or operation.kind != records.PROBLEM.name:
            continue
        one = batch.get("problem", operation.id)
        if one is None or one.record.deleted:
            continue
        values = one.record.values
        if (operation.expect.get("state"), operation.expect.get("step")) == (
            values["state"], values["step"],
        ):  # fmt: skip
            continue  # another action of the transaction was the late one
        entry = ledger.Progress(
            operation.action, values["state"], values["state"], values["step"],
            str(operation.data.get("reason") or "")[:MAX_TEXT],
            {"code": refused.code, "expected": dict(operation.expect), "data": operation.data},
            values.get("round") or 1,
        )  # fmt: skip
        add_progress(batch, one.record, entry, attempt=True, made_at=transaction.made_at)


def _placed(batch: Batch, values: Mapping[str, Any]) -> dict[str, Any]:
    """What finds a problem again by where it is."""
    compound, target = None, values.get("target_id")
    if target and values.get("target_kind") == "compound":
        compound = target
    elif target and values.get("target_kind") == "household":
        home = batch.get("household", target)
        compound = home.record.values.get("compound_id") if home else None
    return {"compound_id": compound, "cell": nearby.cell_of(values.get("position"))}


def _flag_recurrence(batch: Batch, problem: Record) -> None:
    """Flag a problem that comes back, and what is still open of those before it."""
    before = ledger_facts.recurrences(batch, problem.id, problem.values)
    if not duplicates.is_recurring(before):
        return
    schedule = ledger.Actor("", ledger.SCHEDULE)
    for problem_id in [problem.id, *before]:
        one = batch.get("problem", problem_id)
        if one is None or one.record.values.get("recurring"):
            continue
        values = one.record.values
        if values["state"] in ledger.OPEN_STATES:
            changes, entry = ledger.act(
                values, "recur", schedule, {"others": before}, batch.now, ledger.Facts()
            )
            add_progress(batch, put(batch, one.record, changes), entry, actor=None)


def _merge(batch: Batch, problem: Record, other_id: str) -> None:
    """A problem goes on in another that is open and within reach, never in itself or in nothing."""
    one = batch.get("problem", other_id) if other_id != problem.id else None
    if one is None or one.record.deleted:
        raise Refused("invalid", "merged_into", other_id)
    other = one.record
    if scope.refusal(batch.sender, other.partition, None, batch.now):
        raise Refused("out_of_scope", "merged_into", other_id)
    if other.values["state"] not in ledger.OPEN_STATES and not batch.sender.trusted:
        raise Refused("not_allowed", "merged_into", other.values["state"])
    _count_merged(batch, other, problem, "absorb", 1)


def _part(batch: Batch, problem: Record) -> None:
    one = batch.get("problem", problem.values.get("merged_into") or "")
    if one is not None and not one.record.deleted:
        _count_merged(batch, one.record, problem, "part", -1)


def _count_merged(batch: Batch, main: Record, other: Record, name: str, by: int) -> None:
    values = main.values
    after = put(batch, main, {"merged_count": max(0, (values.get("merged_count") or 0) + by)})
    entry = ledger.Progress(
        name, values["state"], values["state"], values["step"], "", {"problem_id": other.id},
        values.get("round") or 1,
    )  # fmt: skip
    add_progress(batch, after, entry)


def _tell(
    batch: Batch,
    before: Record,
    after: Record,
    action: str,
    entry: ledger.Progress,
) -> None:
    """The tasks that an action gives to people, and those that it makes moot.

    A history that is built by an import tells nobody anything.
    """
    about = {"about_kind": "problem", "about_id": after.id, "reason": entry.reason or None}
    partition, values = after.partition, after.values
    told: list[tuple[str, str]] = []
    match action:
        case "remind":
            told = [
                ("reminded", one)
                for one in recipients.of_body(batch, values.get("body"), partition)
            ]
        case "whistle":
            known = before.values.get("whistle") or {}
            for body in sorted(set(values["whistle"] or {}) - set(known)):
                told += [("whistled", one) for one in recipients.of_body(batch, body, partition)]
        case "request_suspend" | "request_extension":
            told = [("request", one) for one in recipients.supervisors(batch, partition)]
        case "resume":
            told = [
                ("suspension_ended", one)
                for one in recipients.of_body(batch, values.get("body"), partition)
            ]
    for type_, user_id in told:
        if user_id != batch.author:
            add_task(batch, user_id, type_, **about, due_at=values.get("due_at"),
                     detail={"action": action, "by": batch.author})  # fmt: skip
    if action == "close":
        tell_reporters(batch, after)
    if before.values["state"] != values["state"]:
        recipients.settle_tasks(batch, after, REMINDERS)


def tell_reporters(batch: Batch, problem: Record) -> None:
    """Who told of it hears what became of it: a task for the worker who knows the door."""
    for one, created_by in _family(batch, problem):
        if one.values.get("source") not in _TOLD:
            continue
        user_id = recipients.who_knows(batch, one, created_by)
        if user_id is not None:
            add_task(
                batch, user_id, "tell_reporter", about_kind="problem", about_id=one.id,
                reason=problem.values.get("result"),
                detail={"ledger_no": problem.values.get("ledger_no"), "closed": problem.id},
            )  # fmt: skip


def _family(batch: Batch, problem: Record) -> list[tuple[Record, str | None]]:
    """A problem and all that were merged into it, each with who reported it."""
    held = batch.get("problem", problem.id)
    found = [(problem, held.created_by if held else None)]
    counted = problem.values.get("merged_count")
    for merged_id in merged_into(batch.session, problem.id) if counted else ():
        one = batch.get("problem", merged_id)
        if one is not None and not one.record.deleted:
            found.append((one.record, one.created_by))
    return found


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
