"""Exports of what a list shows: a few rows at once, many as a job whose file is fetched later."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import export as use_case
from server.operations import export_jobs
from server.storage.database import db
from server.storage.queries import names
from server.web import ledger_list, session, visits, words
from server.web.layout import page_args

pages = Blueprint("exports", __name__)
IN_MEMORY = 4 * 2**20
AT_ONCE = 2000  # rows that a page may wait for


@pages.post("/export/<kind>")
def download(kind: str) -> ResponseReturnValue:
    """The rows of the list with the filter that is in the address, now or as a job."""
    viewer = session.need("export")
    if kind not in use_case.KINDS:
        abort(404)
    chosen: Any = ledger_list.chosen() if kind == "ledger" else visits.chosen()
    area = chosen.area or viewer.area_code
    asked = (
        kind, viewer, area, request.form.get("format", ""), replace(chosen, area=area),
        bool(request.form.get("unmasked")), request.form.get("reason", ""),
    )  # fmt: skip
    try:
        use_case.check(*asked[:4], *asked[5:])
        if use_case.count(kind, viewer, asked[4], AT_ONCE + 1) > AT_ONCE:
            export_jobs.ask(*asked, address=request.remote_addr)
            flash(_("内容较多，正在后台导出；好了在这里下载。"), "info")
            return redirect(url(".listed"))
        return _at_once(*asked)
    except Trouble as trouble:
        if trouble.code != "invalid":
            raise
        flash(words.in_language(trouble.detail), "error")
        page = "web.ledger.listed" if kind == "ledger" else "web.visits.listed"
        return redirect(url(page, **page_args()))


def _at_once(
    kind: str, viewer: Viewer, area: str, format_: str, chosen: Any, unmasked: bool, reason: str
) -> Response:
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        use_case.export(
            kind, viewer, area, format_, file, chosen, unmasked, reason,  # type: ignore[arg-type]
            address=request.remote_addr,
        )  # fmt: skip
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return send_file(
        file,  # type: ignore[arg-type]
        mimetype=use_case.MIME[format_],
        as_attachment=True,
        download_name=use_case.file_name(kind, area, format_),
        etag=False,
    )


@pages.get("/exports")
def listed() -> ResponseReturnValue:
    """One's own exports: how far they are, and the files of those that are done."""
    viewer = session.need("export")
    jobs = export_jobs.of(viewer.user_id)
    return render_template(
        "exports.html",
        jobs=jobs,
        running=any(job.state in (export_jobs.WAITING, export_jobs.RUNNING) for job in jobs),
        kinds={"ledger": _("问题台账"), "visits": _("走访记录")},
        areas=names.areas(db.session(), [job.area_code for job in jobs]),
        viewer=viewer,
    )


@pages.get("/exports/<job_id>")
def fetch(job_id: str) -> ResponseReturnValue:
    """The file of a finished export."""
    viewer = session.need("export")
    job, path = export_jobs.fetch(viewer, job_id, request.remote_addr)
    return send_file(
        path,
        mimetype=use_case.MIME[job.format],
        as_attachment=True,
        download_name=use_case.file_name(job.kind, job.area_code, job.format, job.created_at),
        etag=False,
        max_age=0,
    )


@pages.post("/exports/<job_id>/forget")
def forget(job_id: str) -> ResponseReturnValue:
    """Take an export back, with its file."""
    export_jobs.forget(session.need("export"), job_id)
    return redirect(url(".listed"))
