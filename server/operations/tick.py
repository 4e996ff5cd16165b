"""What is due by itself: reminders, what falls overdue, suspensions that end, what is archived.

Touches only problems whose `next_at` has come, in batches of one commit each. Safe to run twice,
and on several machines at once: on PostgreSQL an advisory lock lets one tick work at a time (the
others leave at once), on SQLite the write lock does; and each batch looks anew at what is due.
Everything goes the common road, as the device "job", so that phones hear of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.core.scope import Sender
from server.operations import ledger_facts, problem_actions, recipients, transact
from server.operations.batch import Batch
from server.operations.clock import now_ms
from server.operations.entries import add_task
from server.storage.database import any_of, is_sqlite
from server.storage.models import Problem, Task
from server.storage.settings import epoch
from shared import ids, ledger, timers
from shared.reconcile import Record, settle_many
from shared.timers import Event

BATCH = 500  # problems of one commit
LOCK = 0x67726964_6C656467  # "gridledg", of the advisory lock
_SCHEDULE = ledger.Actor("", ledger.SCHEDULE)
_TASKS = {timers.SOON: "due_soon", timers.NOW: "due_now", timers.AFTER: "overdue"}
_LEVELS = (timers.SOON, timers.NOW, timers.AFTER)


def tick(now: int | None = None, batch: int = BATCH) -> Counter[str] | None:
    """Do all that is due; returns what was done (problems, overdue, reminders, resumed, archived).

    None: another tick is at work, nothing was done.
    """
    moment = now_ms() if now is None else now
    done: Counter[str] = Counter()
    while True:
        found = transact.locking(_Once(moment, batch))
        if found is None:
            return done if done else None
        done += found
        if found["problems"] < batch:
            return done


class _Once:
    """One commit of a tick; a class, so that it can be tried again."""

    def __init__(self, now: int, size: int) -> None:
        self.now, self.size = now, size

    def __call__(self, session: Session, extra: frozenset[str]) -> Counter[str] | None:
        done: Counter[str] = Counter()
        if not _is_ours(session):
            return None
        query = (
            select(Problem.id)
            .where(Problem.next_at < self.now, Problem.deleted_at.is_(None))
            .order_by(Problem.next_at, Problem.id)
            .limit(self.size)
        )
        due = list(session.scalars(query))
        if not due:
            return done
        device = transact.own_device(session, None, "job", self.now, lock=False)
        sender = Sender(device.id, None, "", ids.ROOT_AREA, trusted=True)
        batch = Batch(session, sender, self.now, epoch(session), own=True)
        tasks = _reminders_about(session, due)
        batch.prepare({"problem": due, "task": list(tasks)}, extra)
        batch.begin(ids.new_id(), None, self.now)
        about: dict[str, list[str]] = {}
        for task_id, problem_id in tasks.items():
            about.setdefault(problem_id, []).append(task_id)
        for problem_id in due:
            one = batch.get("problem", problem_id)
            if one is not None and not one.record.deleted:
                _look_at(batch, one.record, about.get(problem_id, ()), done)
        batch.flush()
        return done


def _is_ours(session: Session) -> bool:
    """Whether no other tick is at work; the lock is held until the commit."""
    if is_sqlite(session):
        return True
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))))


def _reminders_about(session: Session, problem_ids: Iterable[str]) -> dict[str, str]:
    """task id -> problem id of the open reminders about these problems."""
    query = select(Task.id, Task.about_id).where(
        any_of(session, Task.about_id, problem_ids),
        Task.type.in_(problem_actions.REMINDERS),
        Task.state == "open",
        Task.deleted_at.is_(None),
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _look_at(batch: Batch, problem: Record, tasks: Iterable[str], done: Counter[str]) -> None:
    values = problem.values
    since = values["next_at"]
    if since is None or since >= batch.now:
        return  # somebody acted on it meanwhile
    done["problems"] += 1
    kept = ledger_facts.retention()
    due = [one for one in timers.events(values, kept) if since <= one.at < batch.now]
    clocks = timers.lapsed(values, batch.now)
    if clocks:
        stages = [c.stage for c in timers.clocks(values) if c.overdue_field in clocks]
        data = {"stage": ",".join(stages)}
        problem = problem_actions.take(batch, problem, "overdue", _SCHEDULE, data)
        done["overdue"] += 1
    for event in due:
        if event.what in ("resume", "archive"):
            problem = problem_actions.take(batch, problem, event.what, _SCHEDULE, {})
            done["resumed" if event.what == "resume" else "archived"] += 1
    nearest = _nearest(due)
    if nearest is not None:
        for task_id in tasks:
            _settle(batch, task_id)
        done["reminders"] += _remind(batch, problem, nearest)
    problem_id = problem.id
    held = batch.get("problem", problem_id)
    after = held.record if held else problem
    upcoming = timers.next_event(after.values, batch.now, kept)
    if after.values["next_at"] != upcoming:
        batch.put(settle_many(after, {"next_at": upcoming}, batch.sender.device_id))


def _nearest(events: Iterable[Event]) -> Event | None:
    """Of several reminders that were due together the last, so that nobody is told twice."""
    clocks = [one for one in events if one.what in timers.DUE_FIELDS]
    return max(clocks, key=lambda one: (_LEVELS.index(one.level), one.at), default=None)


def _remind(batch: Batch, problem: Record, event: Event) -> int:
    """Tell who must act; once the deadline is reached, the supervisor too."""
    values, partition = problem.values, problem.partition
    people: set[str] = set()
    if event.what == "dispatch" or event.level != timers.SOON:
        people |= set(recipients.supervisors(batch, partition))
    if event.what != "dispatch":
        people |= set(recipients.of_body(batch, values.get("body"), partition))
    for user_id in sorted(people):
        add_task(
            batch, user_id, _TASKS[event.level], about_kind="problem", about_id=problem.id,
            due_at=values.get(timers.DUE_FIELDS[event.what]),
            detail={"stage": event.what, "ledger_no": values.get("ledger_no")},
        )  # fmt: skip
    return len(people)


def _settle(batch: Batch, task_id: str) -> None:
    one = batch.get("task", task_id)
    if one is not None and one.record.values["state"] == "open":
        done = {"state": "done", "done_at": batch.now}
        batch.put(settle_many(one.record, done, batch.sender.device_id))
