"""The filters and columns that a person keeps for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.storage.ledger_tables import KeptView


@dataclass(frozen=True)
class Kept:
    """``views``: name -> the page's arguments, the oldest first. ``columns`` [] for the usual."""

    views: dict[str, dict[str, Any]]
    columns: list[str]


def of(session: Session, user_id: str, page: str) -> Kept:
    """What a person keeps of a page."""
    query = select(KeptView).where(KeptView.user_id == user_id, KeptView.page == page)
    found = list(session.scalars(query.order_by(KeptView.kept_at, KeptView.name)))
    columns = next((one.data.get("columns") or [] for one in found if not one.name), [])
    return Kept({one.name: one.data for one in found if one.name}, columns)
