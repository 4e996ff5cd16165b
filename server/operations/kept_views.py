"""What a person keeps of a page: named filters, and the columns they chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from server.errors import Trouble
from server.operations.clock import now_ms
from server.storage.database import write
from server.storage.ledger_tables import KeptView

MAX_VIEWS = 20
MAX_NAME = 20


def keep(user_id: str, page: str, name: str, data: Mapping[str, Any]) -> None:
    """Keep a filter under a name, in place of one that has it. Raises Trouble invalid."""
    name = name.strip()
    if not name or len(name) > MAX_NAME:
        text = f"名称要有 1 至 {MAX_NAME} 个字 / A name has 1 to {MAX_NAME} characters"
        raise Trouble("invalid", text)
    with write() as session:
        mine = select(func.count()).where(
            KeptView.user_id == user_id, KeptView.page == page, KeptView.name.not_in((name, ""))
        )
        if (session.scalar(mine) or 0) >= MAX_VIEWS:
            text = (
                f"最多保存 {MAX_VIEWS} 个筛选，请先删除不用的 / At most {MAX_VIEWS} filters: "
                "delete one first"
            )
            raise Trouble("invalid", text)
        _put(session, user_id, page, name, data)


def forget(user_id: str, page: str, name: str) -> None:
    """Forget a kept filter; nothing to do where there is none."""
    with write() as session:
        found = session.get(KeptView, (user_id, page, name))
        if found is not None and name:
            session.delete(found)


def choose_columns(user_id: str, page: str, columns: list[str]) -> None:
    """Show these columns from now on; none: as the page is by itself."""
    with write() as session:
        _put(session, user_id, page, "", {"columns": columns})


def _put(session: Any, user_id: str, page: str, name: str, data: Mapping[str, Any]) -> None:
    session.merge(
        KeptView(user_id=user_id, page=page, name=name, data=dict(data), kept_at=now_ms())
    )
