"""Exports beside the pages: made once, begun again when their maker died, fetched by one's own."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import export as exports
from server.operations import export_jobs
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.ledger_tables import ExportJob
from server.storage.queries.problems import ProblemFilter
from server.storage.tables import AuditEntry
from server.web import exports as pages
from tests.builders import STREET, World
from tests.exports.test_export import fill
from tests.web.conftest import Visitor


@pytest.fixture
def here(app: Flask, world: World) -> Viewer:
    with app.app_context():
        fill(world)
        return Viewer(world.users["admin"], "admin", "0")


def _ask(viewer: Viewer, **more: object) -> str:
    chosen = ProblemFilter(sort="oldest")
    return export_jobs.ask("ledger", viewer, STREET, "csv", chosen, **more)  # type: ignore[arg-type]


def _job(job_id: str) -> ExportJob:
    db.session.expire_all()
    found = db.session.get(ExportJob, job_id)
    assert found is not None
    return found


def test_a_job_is_made_and_its_file_fetched(app: Flask, here: Viewer) -> None:
    with app.app_context():
        job_id = _ask(here, unmasked=True, reason="年度核对", address="10.0.0.9")
        assert export_jobs.is_wanted() and _job(job_id).state == "waiting"
        assert export_jobs.run_waiting() == 1 and not export_jobs.is_wanted()
        job, path = export_jobs.fetch(here, job_id, "10.0.0.9")
        assert (
            job.state == "done" and job.done == job.total == 4 and job.size == path.stat().st_size
        )
        text = path.read_text("utf-8-sig")
        assert "13812341234" in text and "年度核对" in text
        entries = db.session.execute(select(AuditEntry.action, AuditEntry.detail)).all()
        done = [action for action, detail in entries if detail and detail.get("unmasked")]
        assert done == ["export_ledger", "export.fetch"]
        export_jobs.forget(here, job_id)
        assert not path.exists() and export_jobs.of(here.user_id) == []


def test_what_died_is_begun_again_and_given_up_at_last(app: Flask, here: Viewer) -> None:
    with app.app_context():
        job_id = _ask(here)
        assert export_jobs._claim() is not None
        assert export_jobs._claim() is None and not export_jobs.is_wanted()  # somebody is at it
        _died(job_id)
        assert export_jobs.run_waiting() == 1
        job = _job(job_id)
        assert job.state == "done" and job.attempts == 2
        hopeless = _ask(here)
        for _ in range(export_jobs.ATTEMPTS):
            assert export_jobs._claim() is not None
            _died(hopeless)
        export_jobs.run_waiting()
        assert _job(hopeless).state == "failed" and not export_jobs.is_wanted()


def _died(job_id: str) -> None:
    long_ago = now_ms() - export_jobs.STALE_MS - 1
    with write() as session:
        session.execute(update(ExportJob).where(ExportJob.id == job_id).values(beat_at=long_ago))


def test_a_job_taken_back_while_it_runs_leaves_nothing(
    app: Flask, here: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 1)
    with app.app_context():
        job_id = _ask(here)
        true = export_jobs._beat

        def beat(job: str, done: int, total: int) -> None:
            if done == total:
                export_jobs.forget(here, job_id)
            true(job, done, total)

        monkeypatch.setattr(export_jobs, "_beat", beat)
        export_jobs.run_waiting()
        assert list(export_jobs.folder().iterdir()) == []


def test_expired_files_go_and_strangers_get_nothing(app: Flask, here: Viewer, world: World) -> None:
    with app.app_context():
        job_id = _ask(here)
        export_jobs.run_waiting()
        other = Viewer(world.users["supervisor"], "supervisor", STREET)
        for asked in (other, Viewer(here.user_id, "auditor", "0")):
            with pytest.raises(Trouble):
                export_jobs.fetch(asked, job_id, None)
        with write() as session:
            session.execute(update(ExportJob).values(expires_at=now_ms() - 1))
        assert export_jobs.expire() == 1
        with pytest.raises(Trouble):
            export_jobs.fetch(here, job_id, None)


def test_who_was_barred_meanwhile_gets_no_file(app: Flask, here: Viewer) -> None:
    with app.app_context():
        job_id = _ask(here)
        with write() as session:
            session.execute(
                update(ExportJob).values(user_id="01920000-0000-7000-8000-0000000000ff")
            )
        export_jobs.run_waiting()
        assert (_job(job_id).state, _job(job_id).error) == ("failed", "forbidden")


def test_many_rows_become_a_job_on_the_page(
    app: Flask, here: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "AT_ONCE", 3)
    admin = Visitor(app).sign_in("admin")
    page = admin.post("/export/ledger?state=all", format="xlsx").text
    assert "正在后台导出" in page and "排队中" in page and "every 2s" in page
    with app.app_context():
        export_jobs.run_waiting()
    done = admin.get("/exports").text
    assert "every 2s" not in done and "4 行" in done
    link = re.search(r'href="(/exports/[^"]+)"', done)
    assert link
    file = admin.get(link[1])
    assert file.data[:2] == b"PK" and ".xlsx" in file.headers["Content-Disposition"]
    assert Visitor(app).sign_in("supervisor").get(link[1]).status_code == 404
    assert Visitor(app).sign_in("handler").get("/exports").status_code == 403
