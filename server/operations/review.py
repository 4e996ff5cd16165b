"""Review a visit: approve it, or return it to its worker with a reason."""

from __future__ import annotations

from server.core.access import Viewer
from server.operations.transact import Submitted, submit
from server.storage.database import db
from server.storage.models import Visit
from shared.operations import ACT, Operation
from shared.reconcile import Refused

APPROVE, RETURN = "approve", "return"


def review(viewer: Viewer, visit_id: str, action: str, reason: str, seen_rev: int) -> Submitted:
    """Approve or return the visit as it stood at ``seen_rev``.

    Raises Refused: stale_review when it has changed since, forbidden, needs (a reason), or
    unknown_record, also for a visit outside the viewer's areas.
    """
    if not viewer.may("review"):
        raise Refused("forbidden", "role")
    if action == RETURN and not reason.strip():
        raise Refused("needs", "reason")
    visit = db.session().get(Visit, visit_id)
    if visit is None or not viewer.sees_partition(visit.partition_id):
        raise Refused("unknown_record")
    operation = Operation(
        ACT,
        "visit",
        visit_id,
        visit.partition_id,
        seq=visit.seq,
        rev=seen_rev,
        action=action,
        expect={"rev": seen_rev},
        data={"reason": reason.strip()} if reason.strip() else {},
    )
    return submit(viewer.user_id, [operation])
