"""Exports of what a list shows: XLSX, CSV, GeoJSON; masked unless permitted, always audited."""

from __future__ import annotations

import tempfile
from dataclasses import replace

from flask import Blueprint, abort, flash, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue

from server.errors import Trouble
from server.operations import export as use_case
from server.web import ledger_list, session, visits, words
from server.web.layout import page_args

pages = Blueprint("exports", __name__)
IN_MEMORY = 4 * 2**20


@pages.post("/export/<kind>")
def download(kind: str) -> ResponseReturnValue:
    """The rows of the list with the filter that is in the address."""
    viewer = session.need("export")
    if kind not in use_case.KINDS:
        abort(404)
    wanted = request.form.get("format", "")
    chosen = ledger_list.chosen() if kind == "ledger" else visits.chosen()
    area = chosen.area or viewer.area_code
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        use_case.export(
            kind,
            viewer,
            area,
            wanted,
            file,  # type: ignore[arg-type]
            replace(chosen, area=area),
            unmasked=bool(request.form.get("unmasked")),
            reason=request.form.get("reason", ""),
            address=request.remote_addr,
        )
    except Trouble as trouble:
        file.close()
        if trouble.code != "invalid":
            raise
        flash(words.in_language(trouble.detail), "error")
        page = "web.ledger.listed" if kind == "ledger" else "web.visits.listed"
        return redirect(url_for(page, **page_args()))
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return send_file(
        file,  # type: ignore[arg-type]
        mimetype=use_case.MIME[wanted],
        as_attachment=True,
        download_name=use_case.file_name(kind, area, wanted),
        etag=False,
    )
