"""Take an action on a problem of the ledger, from the web."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.core.access import Viewer
from server.operations.transact import Submitted, submit
from server.storage.database import db
from server.storage.models import Problem
from server.storage.queries.problems import is_visible
from shared.operations import ACT, Operation
from shared.reconcile import Refused


def take_action(
    viewer: Viewer,
    problem_id: str,
    action: str,
    data: Mapping[str, Any],
    seen_state: str,
    seen_step: int,
) -> Submitted:
    """Take one of shared.ledger.ACTIONS on the problem as it stood at (state, step).

    Raises Refused: late_action when it has moved on, what shared.ledger.act raises, or
    unknown_record, also for a problem that the viewer may not see.
    """
    problem = db.session().get(Problem, problem_id)
    if problem is None or not is_visible(viewer, problem):
        raise Refused("unknown_record")
    return submit(viewer.user_id, [operation_on(problem, action, data, seen_state, seen_step)])


def operation_on(
    problem: Any, action: str, data: Mapping[str, Any], seen_state: str, seen_step: int
) -> Operation:
    """The operation that takes an action on a problem as it was seen."""
    return Operation(
        ACT,
        "problem",
        problem.id,
        problem.partition_id,
        seq=problem.seq,
        rev=problem.rev,
        action=action,
        expect={"state": seen_state, "step": seen_step},
        data=data,
    )
