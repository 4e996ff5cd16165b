"""Tables beside the ledger that are not synced: its search index, kept views, exports under way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Index, Integer, String, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from server.storage.database import Json, Ms, Ordered, db

FULL_TEXT = "problem_fts"  # SQLite's index over ProblemSearch, kept in step by triggers


class ProblemSearch(db.Model):
    """What a problem is found by (server.storage.search). ``doc`` counts up as they come in.

    On PostgreSQL ``terms`` is a tsvector with a GIN index; on SQLite the terms with spaces between
    them, and FULL_TEXT over them.
    """

    doc: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    problem_id: Mapped[str] = mapped_column(String(36), unique=True)
    terms: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR, "postgresql"))


class KeptView(db.Model):
    """A filter that a person kept under a name; "" keeps the columns they chose for the page."""

    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    page: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String, primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    kept_at: Mapped[int] = mapped_column(Ms)


class ExportJob(db.Model):
    """An export that is made beside the pages. ``state``: waiting, running, done, failed.

    ``beat_at`` says that somebody is at it; one that nobody is at any more is begun again.
    ``filters`` are those of the page (ProblemFilter, VisitFilter).
    """

    __table_args__ = (
        Index("ix_export_job_state", "state", "created_at"),
        Index("ix_export_job_user_id", "user_id", "created_at"),
        Index("ix_export_job_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String)
    area_code: Mapped[str] = mapped_column(Ordered)
    format: Mapped[str] = mapped_column(String)
    filters: Mapped[dict[str, Any]] = mapped_column(Json)
    unmasked: Mapped[bool] = mapped_column(Boolean, default=False)
    reason: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(String)
    state: Mapped[str] = mapped_column(String, default="waiting")
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    size: Mapped[int | None] = mapped_column(Ms)
    error: Mapped[str | None] = mapped_column(String)
    created_at: Mapped[int] = mapped_column(Ms)
    beat_at: Mapped[int | None] = mapped_column(Ms)
    finished_at: Mapped[int | None] = mapped_column(Ms)
    expires_at: Mapped[int] = mapped_column(Ms)
