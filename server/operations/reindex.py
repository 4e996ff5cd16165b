"""Make the ledger's search data anew, from the problems themselves."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select

from server.operations import audit_log
from server.storage import search
from server.storage.database import write
from server.storage.models import Problem

Progress = Callable[[int, int], None]


def reindex(progress: Progress | None = None, by: str | None = None) -> int:
    """Rebuild it in one transaction; returns how many problems it holds."""
    with write() as session:
        live = select(func.count()).select_from(Problem).where(Problem.deleted_at.is_(None))
        total, done = session.scalar(live) or 0, 0
        for done in search.rebuild(session):
            if progress:
                progress(done, total)
        audit_log.record(session, by, "reindex", None, None, {"problems": done})
    return done
