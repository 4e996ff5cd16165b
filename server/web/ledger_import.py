"""Bring in a ledger that is kept in Excel: a preview with every wrong row, then the import."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import import_files, import_ledger
from server.storage.database import db
from server.storage.queries import names, people
from server.web import session, words
from server.web.security import takes_up_to
from shared import ids

pages = Blueprint("ledger_import", __name__)
MOST = 5000  # rows that a page may wait for


@pages.get("/import-ledger")
def page() -> ResponseReturnValue:
    """Choose a file and where its rows go."""
    viewer = session.need("import")
    return render_template("ledger/import.html", areas=_areas(viewer), viewer=viewer)


@pages.post("/import-ledger/preview")
@takes_up_to(import_files.LARGEST + 2**20)
def preview() -> ResponseReturnValue:
    """What the file would change, and what is wrong with it; nothing is written."""
    viewer = session.need("import")
    given = request.files.get("file")
    area = _area(viewer)
    if given is None or not given.filename:
        flash(_("请先选择一个 Excel 文件。"), "error")
        return redirect(url_for(".page"))
    name = PurePath(given.filename).name[:100]
    key = import_files.keep(viewer, given.stream)  # type: ignore[arg-type]
    try:
        report = import_ledger.import_ledger(
            import_files.find(viewer, key), area, viewer.user_id, dry_run=True, name=name,
            most=MOST,
        )  # fmt: skip
    except Trouble as trouble:
        import_files.forget(viewer, key)
        return _refused(trouble)
    reading = db.session()
    return render_template(
        "ledger/import_preview.html",
        report=report,
        key=key,
        name=name,
        area=area,
        area_name=names.areas(reading, [area]).get(area) or _("全部区域"),
        categories=names.references(reading, "category"),
        bodies=names.references(reading, "body"),
        told=import_ledger.TOLD,
        viewer=viewer,
    )


@pages.post("/import-ledger")
def bring_in() -> ResponseReturnValue:
    """Write the good rows of the file that was previewed."""
    viewer = session.need("import")
    key, name = request.form.get("key", ""), request.form.get("name", "")[:100]
    try:
        report = import_ledger.import_ledger(
            import_files.find(viewer, key), _area(viewer), viewer.user_id, name=name,
            address=request.remote_addr, most=MOST,
        )  # fmt: skip
    except Trouble as trouble:
        return _refused(trouble)
    import_files.forget(viewer, key)
    flash(
        _("已导入：新建 %(a)s 件，更正 %(b)s 件，未变 %(c)s 件，有误 %(d)s 行没有导入。",
          a=report.created, b=report.changed, c=report.unchanged, d=report.bad),
        "success",
    )  # fmt: skip
    return redirect(url_for("web.ledger.listed", state="all", sort="number"))


def _refused(trouble: Trouble) -> ResponseReturnValue:
    if trouble.code == "forbidden":
        raise trouble
    flash(words.in_language(trouble.detail) or words.code_title(trouble.code), "error")
    return redirect(url_for(".page"))


def _area(viewer: Viewer) -> str:
    asked = request.form.get("area", "")
    return asked if asked.isdigit() and viewer.sees_area(asked) else viewer.area_code


def _areas(viewer: Viewer) -> list[tuple[str, str]]:
    """(code, name) of where rows may go, all that the viewer sees first."""
    found: list[Any] = people.choosable_areas(db.session(), viewer)
    every = [("0", _("全部区域"))] if viewer.area_code == ids.ROOT_AREA else []
    return [*every, *((code, f"{code} {name}") for code, name, _level in found)]
