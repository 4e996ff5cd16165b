"""Decide a conflict: of two values of one field, or a third, say which holds."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from server.core.access import Viewer
from server.operations.transact import Submitted, submit
from server.storage.database import db
from server.storage.models import Conflict
from shared import records, schemas
from shared.operations import ACT, Operation
from shared.reconcile import Refused


def decide(viewer: Viewer, conflict_id: str, value: Any, seen_version: int) -> Submitted:
    """Settle the conflict, as it stood at ``seen_version``, on a value.

    Raises Refused: stale_verdict when it has moved on, forbidden, invalid (a value that the field
    cannot take), or unknown_record, also for a conflict outside the viewer's areas.
    """
    if not viewer.may("decide"):
        raise Refused("forbidden", "role")
    conflict = db.session().get(Conflict, conflict_id)
    if conflict is None or not viewer.sees_partition(conflict.partition_id):
        raise Refused("unknown_record")
    operation = Operation(
        ACT,
        "conflict",
        conflict_id,
        conflict.partition_id,
        seq=conflict.seq,
        rev=conflict.rev,
        action="decide",
        expect={"version": seen_version},
        data={"value": _checked(conflict.about_kind, conflict.field, value)},
    )
    return submit(viewer.user_id, [operation])


def _checked(kind: str, field: str, value: Any) -> Any:
    if field == records.DELETED:
        if not isinstance(value, bool):
            raise Refused("invalid", field)
        return value
    declared = records.FIELDS[kind][field]
    if value is None:
        if declared.required:
            raise Refused("needs", field)
        return None
    try:
        return schemas.check_value(kind, field, value)
    except ValidationError as error:
        raise Refused("invalid", field, str(error.messages)) from None
