"""Bodies (责任单位): their list, and the number a worker calls at once for an emergency."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core import category_sheet
from server.errors import Trouble
from server.operations import audit_log
from server.operations.accounts import operator
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.models import Reference
from server.storage.queries import names
from shared.operations import SET, Operation


def listed() -> list[tuple[str, str, str]]:
    """(code, name, telephone number or "") of every body, in their order."""
    found = names.references(db.session(), "body")
    return [(code, one.name, _number(one)) for code, one in found.items()]


def set_phone(code: str, number: str, by: str | None = None) -> bool:
    """Give a body its number, or take it away with ""; False where it was so already.

    ``by`` is an account's id, None for the command line. Raises Trouble "not_found", "invalid".
    """
    number = number.strip()
    if number and not category_sheet.is_number(number):
        raise Trouble("invalid", f"“{number}”不是电话号码 / “{number}” is not a telephone number")
    query = select(Reference).where(
        Reference.type == "body", Reference.code == code, Reference.deleted_at.is_(None)
    )
    one = db.session.scalar(query)
    if one is None:
        raise Trouble("not_found", f"没有责任单位“{code}” / There is no unit “{code}”")
    if _number(one) == number:
        return False
    kept = {key: value for key, value in (one.data or {}).items() if key != "phone"}
    data = {**kept, **({"phone": number} if number else {})} or None
    change = Operation(
        SET, "reference", one.id, one.partition_id, seq=one.seq, rev=one.rev,
        fields={"data": (one.data, data)},
    )  # fmt: skip

    def note(session: Session) -> None:
        audit_log.record(session, by, "body_edit", code, None, {"fields": ["phone"]})

    list(submit_many([Entry(by or operator(), [change])], kind="import", sender=by, also=note))
    return True


def _number(one: Any) -> str:
    return str((one.data or {}).get("phone") or "")
