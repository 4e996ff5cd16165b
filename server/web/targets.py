"""What visits and problems are about, masked as lists show it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from server.core import masking
from server.storage.queries import names
from server.storage.queries.names import Target
from shared import records


def shown_targets(session: Session, records: Iterable[Any]) -> dict[str, Target]:
    """record id -> its target with names and doors masked; for the records of one page."""
    rows = list(records)
    found = names.targets(session, [(one.target_kind, one.target_id) for one in rows])
    shown = {}
    for one in rows:
        target = found.get(one.target_id)
        if target is None:
            shown[one.id] = Target(_name(one, getattr(one, "target_name", None) or ""), "")
        else:
            shown[one.id] = Target(
                _name(one, target.name), masking.mask_address(target.address, [target.door])
            )
    return shown


def _name(record: Any, name: str) -> str:
    """A household's contact is a person; a compound's, shop's or employer's name is not."""
    return masking.mask_name(name) if record.target_kind == "household" else name


def masked_texts(session: Session, problems: Iterable[Any], field: str) -> dict[str, str]:
    """problem id -> a free text of it without telephone numbers, doors and known names."""
    rows = list(problems)
    found = names.targets(session, [(one.target_kind, one.target_id) for one in rows])
    shown = {}
    for one in rows:
        target = found.get(one.target_id)
        person = target.name if target is not None and one.target_kind == "household" else None
        doors = [target.door] if target is not None else []
        text = getattr(one, field)
        if field == "place":
            shown[one.id] = masking.mask_address(text, doors)
        else:
            shown[one.id] = masking.mask_text(text, [person, one.reporter_name], doors)
    return shown


def masked_homes(session: Session, kind: str, record_ids: Iterable[str]) -> dict[str, Target]:
    """id -> household or compound, as a list shows it."""
    found = names.targets(session, [(kind, one) for one in record_ids])
    if kind != "household":
        return found
    return {
        key: Target(masking.mask_name(one.name), masking.mask_address(one.address, [one.door]))
        for key, one in found.items()
    }


def masked_value(conflict: Any, text: str) -> str:
    """One of a conflict's values as a list shows it: names, numbers and doors hidden."""
    declared = records.FIELDS[conflict.about_kind].get(conflict.field)
    if declared is None or not declared.personal:
        return text
    if conflict.field.endswith("phone"):
        return masking.mask_phone(text)
    if conflict.field.endswith("name"):
        return masking.mask_name(text)
    if conflict.field == "door":
        return masking.mask_door(text)
    return masking.mask_text(text)
