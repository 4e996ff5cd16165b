"""Exports beside the pages: asked for on one, made by a process of its own, fetched when done.

A job is a row; whoever claims it says every second that it is at it. One whose maker died, with
the server or without, is begun again by the next. The file is in the data folder until it expires.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import and_, func, or_, select, update

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import audit_log
from server.operations import export as exports
from server.operations.clock import now_ms
from server.storage.database import db, jotting, write
from server.storage.ledger_tables import ExportJob
from server.storage.tables import User
from shared import ids

KEPT_MS = 3 * 24 * 3600 * 1000
STALE_MS = 30 * 1000
BEAT_S = 1.0
ATTEMPTS = 3
AT_ONCE = 5  # of one person, not finished
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
_TABLE = ExportJob.__table__


class _Forgotten(Exception):
    """The job was taken back while it was being made."""


def ask(
    kind: str,
    viewer: Viewer,
    area_code: str,
    format: str,
    filters: Any,
    unmasked: bool = False,
    reason: str = "",
    address: str | None = None,
) -> str:
    """Put an export on the list; returns its id. Raises Trouble as `export.export` does."""
    exports.check(kind, viewer, area_code, format, unmasked, reason)
    chosen = filters if isinstance(filters, Mapping) else asdict(filters)
    now = now_ms()
    job = ExportJob(
        id=ids.new_id(), user_id=viewer.user_id, kind=kind, area_code=area_code, format=format,
        filters=dict(chosen), unmasked=unmasked, reason=reason.strip() or None, address=address,
        state=WAITING, done=0, total=0, attempts=0, created_at=now, expires_at=now + KEPT_MS,
    )  # fmt: skip
    with write() as session:
        mine = select(func.count()).where(
            ExportJob.user_id == viewer.user_id, ExportJob.state.in_((WAITING, RUNNING))
        )
        if (session.scalar(mine) or 0) >= AT_ONCE:
            text = f"已有 {AT_ONCE} 个导出在做，请等一等 / {AT_ONCE} exports are under way: wait"
            raise Trouble("invalid", text)
        session.add(job)
    return job.id


def of(user_id: str, limit: int = 50) -> list[ExportJob]:
    """A person's exports, the newest first."""
    query = select(ExportJob).where(ExportJob.user_id == user_id)
    return list(db.session.scalars(query.order_by(ExportJob.created_at.desc()).limit(limit)))


def fetch(viewer: Viewer, job_id: str, address: str | None) -> tuple[ExportJob, Path]:
    """A finished export of one's own and its file; each time is audited.

    Raises Trouble not_found, or forbidden where the person may not export (so) any more.
    """
    job = _own(viewer, job_id)
    path = path_of(job)
    if job.state != DONE or not path.exists():
        raise Trouble("not_found")
    exports.check(job.kind, viewer, job.area_code, job.format, job.unmasked, job.reason or "")
    detail = {"kind": job.kind, "format": job.format, "unmasked": job.unmasked}
    with write() as session:
        audit_log.record(
            session, viewer.user_id, "export.fetch", job.id, job.area_code, detail, address
        )
    return job, path


def forget(viewer: Viewer, job_id: str) -> None:
    """Take an export back, done or not, with its file. Raises Trouble not_found."""
    job = _own(viewer, job_id)
    path = path_of(job)
    with write() as session:
        session.delete(session.merge(job, load=True))
    path.unlink(missing_ok=True)


def path_of(job: ExportJob) -> Path:
    """Where the file of an export is, or would be."""
    return folder() / f"{job.id}.{job.format}"


def folder() -> Path:
    """The folder of finished exports; the data folder is shared where there are many machines."""
    data: Path = current_app.config["GRIDLEDGER"].data
    return data / "exports"


def is_wanted() -> bool:
    """Whether some export waits to be made."""
    found = db.session.scalar(select(ExportJob.id).where(_claimable(now_ms())).limit(1))
    db.session.rollback()
    return found is not None


def run_waiting() -> int:
    """Make every export that waits, one after the other; forget what has expired."""
    expire()
    done = 0
    while (job := _claim()) is not None:
        _run(job)
        done += 1
    return done


def expire() -> int:
    """Forget exports whose time is over, and files that belong to none; returns how many."""
    now = now_ms()
    with write() as session:
        old = list(session.scalars(select(ExportJob).where(ExportJob.expires_at < now)))
        for job in old:
            session.delete(job)
        known = {path_of(job).name for job in session.scalars(select(ExportJob))}
    removed = 0
    for path in folder().glob("*"):
        young = now - path.stat().st_mtime * 1000 < KEPT_MS
        if path.name not in known and not (path.name.startswith(".") and young):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _own(viewer: Viewer, job_id: str) -> ExportJob:
    job = db.session.get(ExportJob, job_id) if ids.is_id(job_id) else None
    if job is None or job.user_id != viewer.user_id:
        raise Trouble("not_found")
    return job


def _claimable(now: int) -> Any:
    left = and_(ExportJob.state == RUNNING, ExportJob.beat_at < now - STALE_MS)
    return or_(ExportJob.state == WAITING, left)


def _claim() -> ExportJob | None:
    """Take the job that waited longest; nobody else takes it while we say that we are at it."""
    now = now_ms()
    query = select(ExportJob).where(_claimable(now)).order_by(ExportJob.created_at).limit(1)
    with write() as session:
        job: ExportJob | None = session.scalar(query.with_for_update(skip_locked=True))
        if job is None:
            return None
        job.attempts += 1
        job.state, job.beat_at, job.done = RUNNING, now, 0
        if job.attempts > ATTEMPTS:
            job.state, job.error, job.finished_at = FAILED, "internal", now
    return job


def _run(job: ExportJob) -> None:
    if job.state != RUNNING:
        return
    folder().mkdir(parents=True, exist_ok=True)
    path = path_of(job)
    told = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done == total or time.monotonic() - told > BEAT_S:
            told = time.monotonic()
            _beat(job.id, done, total)

    try:
        viewer = _viewer(job.user_id)
        exports.export(
            job.kind, viewer, job.area_code, job.format, path, job.filters, job.unmasked,
            job.reason or "", progress, address=job.address,
        )  # fmt: skip
    except _Forgotten:
        path.unlink(missing_ok=True)
    except Trouble as trouble:
        _end(job.id, FAILED, error=trouble.code)
    except BaseException:
        _end(job.id, WAITING)  # somebody else may have more luck; `attempts` has counted it
        raise
    else:
        _end(job.id, DONE, size=path.stat().st_size)


def _viewer(user_id: str) -> Viewer:
    """The person as they are now: who was barred meanwhile gets nothing."""
    user = db.session.get(User, user_id, populate_existing=True)
    if user is None or not user.active:
        raise Trouble("forbidden")
    return Viewer(user.id, user.role, user.area_code, user.body or "")


def _beat(job_id: str, done: int, total: int) -> None:
    """Say how far it is, on a connection beside the one that reads; it may be lost."""
    said = update(_TABLE).where(_TABLE.c.id == job_id)
    with db.engine.connect() as connection, jotting(connection) as beside:
        found = beside.execute(said.values(done=done, total=total, beat_at=now_ms()))
        alive = found.rowcount > 0
    if not alive:
        raise _Forgotten


def _end(job_id: str, state: str, **more: Any) -> None:
    now = now_ms()
    with write() as session:
        ended = {"finished_at": now, "expires_at": now + KEPT_MS} if state != WAITING else {}
        session.execute(
            update(_TABLE).where(_TABLE.c.id == job_id).values(state=state, **ended, **more)
        )
