"""Problems for tests, taken through the ledger by the product's own use cases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from server.operations.transact import submit
from server.storage.database import db
from server.storage.models import Problem, Progress, Task
from shared import ledger, records
from shared.operations import ACT, Operation
from shared.work_calendar import HOUR
from tests import builders
from tests.builders import World

T0 = 1_764_036_000_000  # 2025-11-25 10:00 in China, a Tuesday


def report(world: World, at: int = T0, by: str = "worker", **values: Any) -> str:
    """A reported problem; returns its id."""
    operation = builders.problem(world, found_at=at, **values)
    submit(world.users[by], [operation], now=at)
    return operation.id


def act(
    world: World, by: str, problem_id: str, action: str, at: int = T0 + HOUR, **data: Any
) -> Problem:
    """Take one action as the problem stands now; returns it as it is then."""
    one = found(problem_id)
    operation = Operation(
        ACT, "problem", problem_id, one.partition_id, seq=one.seq, rev=one.rev, action=action,
        expect={"state": one.state, "step": one.step}, data=data,
    )  # fmt: skip
    submit(world.users[by], [operation], now=at)
    return found(problem_id)


def dispatched(world: World, at: int = T0, body: str = "water", **values: Any) -> str:
    """A problem that was dispatched to a body an hour after it was reported."""
    problem_id = report(world, at, **values)
    act(world, "supervisor", problem_id, "register", at + HOUR)
    act(world, "supervisor", problem_id, "dispatch", at + HOUR, body=body, measure="检修")
    return problem_id


def closed(world: World, at: int = T0, **values: Any) -> str:
    """A problem that was solved by the handler and verified by the supervisor within the day."""
    problem_id = dispatched(world, at, **values)
    act(world, "handler", problem_id, "accept", at + 2 * HOUR)
    act(world, "handler", problem_id, "request_closure", at + 3 * HOUR, result="已修好")
    act(world, "supervisor", problem_id, "close", at + 4 * HOUR)
    return problem_id


def found(problem_id: str) -> Any:
    """The problem as the database has it now."""
    return db.session.get(Problem, problem_id, populate_existing=True)


def history(problem_id: str) -> list[dict[str, Any]]:
    """Its entries, oldest first."""
    query = select(Progress).where(Progress.problem_id == problem_id)
    rows = db.session.scalars(query.order_by(Progress.acted_at, Progress.id)).all()
    return [{name: getattr(row, name) for name in records.FIELDS["progress"]} for row in rows]


def tasks(user_id: str, type_: str = "", state: str = "open") -> list[Any]:
    """A person's tasks."""
    query = select(Task).where(Task.user_id == user_id, Task.state == state)
    if type_:
        query = query.where(Task.type == type_)
    return list(db.session.scalars(query.order_by(Task.id)))


def assert_history_tells_the_state(problem_id: str) -> None:
    """State, step and round follow from the entries alone."""
    one = found(problem_id)
    assert ledger.derived(history(problem_id)) == (one.state, one.step, one.round)
