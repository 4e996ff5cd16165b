"""Quarantine: what could not apply is kept whole, with the reason, and its author is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from server.operations.apply import Waits
from server.operations.batch import Batch
from server.operations.entries import add_task
from server.operations.problem_actions import note_attempt
from server.storage.tables import Quarantined, QuarantinedName
from shared import ids, protocol
from shared.operations import CREATE, Transaction
from shared.reconcile import Refused

if TYPE_CHECKING:
    from server.operations.push import Incoming
    from server.operations.transact import Numbered

WAITING_CODES = frozenset({"parent_held", "parent_unknown", "unknown_record"})
HELD_CODES = WAITING_CODES | {"late_handover", "revoked"}


def put(
    batch: Batch, device: Numbered, one: Incoming, refused: Refused, task: bool = True
) -> dict[str, Any]:
    """Keep a transaction that was refused; returns its answer. The batch was undone before."""
    result = protocol.HELD if refused.code in HELD_CODES else protocol.REJECTED
    first = one.transaction.operations[0] if one.transaction else None
    content = _content(one, refused)
    kept = batch.session.scalar(
        select(Quarantined.id).where(
            Quarantined.tx_id == one.id, Quarantined.code == refused.code,
            Quarantined.text == content,
        )
    )  # fmt: skip
    if kept is None or one.id is None:
        row_id = ids.new_id()
        batch.session.add(
            Quarantined(
                id=row_id,
                tx_id=one.id,
                device_id=device.id,
                dseq=one.dseq,
                author=batch.sender.user_id,
                area_code=_area(batch, first.partition if first else None),
                result=result,
                code=refused.code,
                field=refused.field or None,
                detail=refused.detail or None,
                text=content,
                waits_for=refused.record_id if isinstance(refused, Waits) else None,
                state="open",
                received_at=batch.now,
            )
        )
        for name in sorted(_names(one.transaction)):
            batch.session.add(QuarantinedName(name=name, quarantine_id=row_id))
    if task and batch.sender.user_id:
        add_task(
            batch,
            batch.sender.user_id,
            "late_action" if refused.code == "late_action" else "rejected_change",
            about_kind=first.kind if first else None,
            about_id=first.id if first else None,
            tx_id=one.id,
            reason=refused.code,
            detail={"field": refused.field, "detail": refused.detail, "result": result},
        )
    if task and refused.code == "late_action" and one.transaction:
        note_attempt(batch, one.transaction, refused)
    return answer_of(one, result, refused)


def _content(one: Incoming, refused: Refused) -> str | None:
    """The raw text, whole; what was erased by law is not kept again."""
    if one.text is None or refused.code == "erased":
        return None
    return one.text.replace("\x00", "\ufffd")  # PostgreSQL holds no NUL


def _names(transaction: Transaction | None) -> set[str]:
    """What the transaction would make (others may wait for it), and "~" what it would change."""
    names: set[str] = set()
    for operation in transaction.operations if transaction else ():
        if operation.op != CREATE:
            names.add(f"~{operation.id}")
            continue
        names.add(operation.id)
        if operation.kind == "photo":
            names.add(operation.values["sha256"])
    return names


def answer_of(one: Incoming, result: str, refused: Refused) -> dict[str, Any]:
    """The answer that says why a transaction did not apply."""
    return {
        "dseq": one.dseq,
        "id": one.id,
        "result": result,
        "code": refused.code,
        "field": refused.field or None,
        "detail": refused.detail or None,
        "records": [],
        "conflicts": [],
    }


def _area(batch: Batch, partition: str | None) -> str:
    """Whose page shows it: the area it names if that exists in shape, else the author's own."""
    area = ids.area_of(partition) if partition else None
    if area and area.isdigit() and len(area) <= ids.GRID_DIGITS:
        return area
    return batch.sender.area_code
