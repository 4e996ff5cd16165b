"""Photos that come with an action from a web page: cleaned, stored, declared in its transaction.

The bytes are checked and stored first, outside of any lock; the photo's record is made beside the
action and is verified at once, so that both stand or neither does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any

from server.core.access import Viewer
from server.core.image_check import BadImage, Checked
from server.core.photo_cleaning import Cleaned, clean
from server.operations import verify
from server.operations.clock import now_ms
from server.operations.ledger import operation_on
from server.operations.transact import Submitted, submit
from server.storage import blobs
from server.storage.database import db
from server.storage.models import Problem
from server.storage.queries.problems import is_visible
from shared import ids, ledger, protocol
from shared.operations import CREATE, Operation
from shared.reconcile import Refused

MOST = 6  # photos of one form
MAX_FORM = protocol.MAX_PHOTO + 2 * 2**20  # bytes of one form, photos and all
ACTIONS = ("request_closure", "progress")


@dataclass(frozen=True)
class Given:
    """A file of the form; ``taken_at`` is what the browser knows of it, ms."""

    file: IO[bytes]
    taken_at: int | None = None


def take_action(
    viewer: Viewer,
    problem_id: str,
    action: str,
    data: Mapping[str, Any],
    seen_state: str,
    seen_step: int,
    given: Sequence[Given],
    phase: str,
) -> Submitted:
    """Take an action on a problem with its photos, as `server.operations.ledger.take_action`.

    Raises Refused also with field "photos": invalid (its detail a code of image_check.CODES, or
    "too_many"); nothing is written then.
    """
    problem = db.session().get(Problem, problem_id)
    if problem is None or not is_visible(viewer, problem):
        raise Refused("unknown_record")
    _check(viewer, problem, action, seen_state, seen_step, given)
    partition = problem.partition_id
    act = operation_on(problem, action, data, seen_state, seen_step)
    photos = _clean(given)
    _keep(photos)
    made = [_declared(problem_id, partition, phase, one) for one in photos]
    submitted = submit(viewer.user_id, [*made, act])
    # Swept away meanwhile, as an older orphan of the same bytes: from now on a record names them.
    _keep(one for one in photos if not blobs.current().exists(one.sha256))
    return submitted


def _check(
    viewer: Viewer, problem: Any, action: str, state: str, step: int, given: Sequence[Given]
) -> None:
    """Nothing is stored for an action that cannot be taken."""
    if action not in ACTIONS or len(given) > MOST:
        raise Refused("invalid", "photos", "too_many")
    if (problem.state, problem.step) != (state, step):
        raise Refused("late_action", "state", f"{problem.state} {problem.step}")
    values = {column.name: getattr(problem, column.name) for column in problem.__table__.columns}
    actor = ledger.Actor(viewer.user_id, viewer.role, viewer.body)
    code, field = ledger.why_not(values, ledger.ACTIONS[action], actor)
    if code:
        raise Refused(code, field)


def _clean(given: Iterable[Given]) -> list[Cleaned]:
    """Each photo once, as it is kept."""
    now = now_ms()
    db.session.rollback()  # no transaction stays open while pictures are decoded
    found: dict[str, Cleaned] = {}
    for one in given:
        try:
            cleaned = clean(one.file)
        except BadImage as error:
            raise Refused("invalid", "photos", error.code) from None
        taken_at = min(cleaned.taken_at or one.taken_at or now, now)
        found.setdefault(cleaned.sha256, replace(cleaned, taken_at=taken_at))
    return list(found.values())


def _keep(photos: Iterable[Cleaned]) -> None:
    """In the store, and verified for every record that names them."""
    store = blobs.current()
    for one in photos:
        if not store.exists(one.sha256):
            store.write(one.sha256, one.data)
        checked = Checked("image/jpeg", one.width, one.height)
        verify.settle(one.sha256, len(one.data), "verified", checked)


def _declared(problem_id: str, partition: str, phase: str, photo: Cleaned) -> Operation:
    values = {
        "owner_kind": "problem",
        "owner_id": problem_id,
        "sha256": photo.sha256,
        "size": len(photo.data),
        "width": photo.width,
        "height": photo.height,
        "mime": "image/jpeg",
        "phase": phase,
        "taken_at": photo.taken_at,
    }
    return Operation(CREATE, "photo", ids.new_id(), partition, values=values)
