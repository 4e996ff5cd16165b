"""Archiving: a closed problem goes on counting, but says no more about persons.

Names, telephone numbers and the position go; texts and the place are masked as exports mask them.
Its history and its entries are masked too, so that nothing is left under another name.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from server.core import masking
from server.operations.batch import Batch
from server.storage.models import Progress
from server.storage.tables import Change
from shared import records
from shared.reconcile import Record, settle_many

_PERSONAL = frozenset(f.name for f in records.PROBLEM.fields if f.personal) | {"cell"}
_TEXTS = ("description", "result", "callback_note", "measure")
_FREE = frozenset(_TEXTS) | {"reason", "owner"}


def anonymous(batch: Batch, problem: Record, changes: dict[str, Any]) -> Record:
    """Put the archived problem without personal data; its history keeps no old values either."""
    old = problem.values
    known = [old.get("reporter_name")]
    bare: dict[str, Any] = {
        name: None for name in ("reporter_name", "reporter_phone", "position", "cell")
    }
    bare |= {name: _masked(old.get(name), known) for name in _TEXTS}
    bare["place"] = masking.mask_address(old.get("place")) or None
    differ = {n: x for n, x in (bare | changes).items() if old.get(n) != x}
    after = settle_many(problem, differ, batch.sender.device_id)
    hidden = _PERSONAL | set(_TEXTS)
    told = {n: (None, None) if n in hidden else (old.get(n), x) for n, x in differ.items()}
    batch.put(after, told)
    return after


def forget(batch: Batch, problem: Record) -> None:
    """Mask what the problem's history and its entries say of persons."""
    known = [problem.values.get("reporter_name")]
    hidden = _PERSONAL | set(_TEXTS)
    query = select(Change.rev, Change.changes).where(Change.record_id == problem.id)
    for rev, changes in batch.session.execute(query).all():
        if hidden & set(changes):
            kept = {n: [None, None] if n in hidden else pair for n, pair in changes.items()}
            batch.session.execute(
                update(Change)
                .where(Change.record_id == problem.id, Change.rev == rev)
                .values(changes=kept)
            )
    for entry_id in batch.session.scalars(
        select(Progress.id).where(Progress.problem_id == problem.id, Progress.deleted_at.is_(None))
    ).all():
        one = batch.get("progress", entry_id)
        if one is None:
            continue
        values = one.record.values
        masked = {
            "reason": _masked(values["reason"], known),
            "detail": _masked_detail(values["detail"], known),
        }
        differ = {n: x for n, x in masked.items() if values[n] != x}
        if differ:
            batch.put(settle_many(one.record, differ, batch.sender.device_id))


def _masked(text: str | None, names: list[str | None]) -> str | None:
    return masking.mask_text(text, names) if text else text


def _masked_detail(detail: Any, names: list[str | None]) -> Any:
    """An entry's detail with its free texts masked; codes and ids stay as they are."""
    if not isinstance(detail, dict):
        return detail
    found = {}
    for name, value in detail.items():
        if name == "data":
            found[name] = _masked_detail(value, names)
        elif name in _FREE and isinstance(value, str):
            found[name] = _masked(value, names)
        else:
            found[name] = value
    return found
