"""Categories of problems: two levels, where each is used, its unit, limits and evidence. Admins."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from server.core.access import Viewer
from server.core.category_sheet import Category, Wrong
from server.core.export_columns import moment
from server.errors import Trouble
from server.operations import categories, import_files
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import names
from server.web import session, words
from server.web.security import takes_up_to
from shared import categories as rules
from shared import vocabulary as v

pages = Blueprint("categories", __name__)
STAGES = {"dispatch": "派遣时限", "accept": "签收时限", "handle": "处置时限"}
LARGEST = 5 * 2**20


@pages.get("/categories")
def listed() -> ResponseReturnValue:
    """Both levels; those that are retired stand greyed at their place."""
    viewer = session.need("categories")
    found = categories.listed()
    second: dict[str, list[Category]] = {}
    for one in found:
        if one.parent:
            second.setdefault(one.parent, []).append(one)
    return render_template(
        "categories/list.html",
        groups=[(one, second.get(one.code, [])) for one in found if not one.parent],
        bodies=names.references(db.session(), "body"),
        limit=rules.limit,
        limit_text=_limit_text,
        evidence=rules.evidence,
        places=lambda one: (
            "、".join(_place(code) for code in one.data.get("places") or ())
            if not words.english()
            else ", ".join(_place(code) for code in one.data.get("places") or ())
        ),
        viewer=viewer,
    )


@pages.route("/categories/new", methods=["GET", "POST"])
def add() -> ResponseReturnValue:
    """A new category of either level."""
    viewer = session.need("categories")
    if request.method == "POST":
        return _save(viewer, None)
    parent = request.args.get("parent", "")
    blank: MultiDict[str, str] = MultiDict({"active": "1", "parent": parent})
    return _form(viewer, None, blank)


@pages.route("/categories/<code>/edit", methods=["GET", "POST"])
def edit(code: str) -> ResponseReturnValue:
    """Change one, or retire it. What was dispatched keeps its deadline."""
    viewer = session.need("categories")
    known = {one.code: one for one in categories.listed()}
    if code not in known:
        abort(404)
    if request.method == "POST":
        return _save(viewer, known[code])
    return _form(viewer, known[code], _shown(known[code]))


@pages.get("/categories.xlsx")
def download() -> ResponseReturnValue:
    """All of them as a sheet, to be edited and brought back."""
    session.need("categories")
    file = io.BytesIO()
    categories.export_file(file)
    file.seek(0)
    return send_file(
        file, mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True, download_name=f"问题类别_{moment(now_ms()):%Y%m%d}.xlsx", etag=False,
    )  # fmt: skip


@pages.post("/categories/preview")
@takes_up_to(LARGEST)
def preview() -> ResponseReturnValue:
    """What an uploaded sheet would change; nothing is written."""
    viewer = session.need("categories")
    given = request.files.get("file")
    if given is None or not given.filename:
        flash(_("请先选择一个 Excel 文件。"), "error")
        return redirect(url_for(".listed"))
    key = import_files.keep(viewer, given.stream)  # type: ignore[arg-type]
    try:
        report = categories.import_file(
            import_files.find(viewer, key), viewer.user_id, dry_run=True, name=given.filename
        )
    except Trouble as trouble:
        import_files.forget(viewer, key)
        flash(words.in_language(trouble.detail) or words.code_title(trouble.code), "error")
        return redirect(url_for(".listed"))
    return render_template(
        "categories/preview.html", report=report, key=key, name=given.filename, viewer=viewer
    )


@pages.post("/categories/import")
def bring_in() -> ResponseReturnValue:
    """Write the sheet that was previewed: its good rows, in one piece."""
    viewer = session.need("categories")
    key = request.form.get("key", "")
    try:
        path = import_files.find(viewer, key)
        report = categories.import_file(path, viewer.user_id, name=request.form.get("name", ""))
    except Trouble as trouble:
        flash(words.in_language(trouble.detail) or words.code_title(trouble.code), "error")
        return redirect(url_for(".listed"))
    import_files.forget(viewer, key)
    flash(
        _("已导入：新建 %(a)s 个，修改 %(b)s 个，未变 %(c)s 个。", a=len(report.created),
          b=len(report.changed), c=report.unchanged),
        "success",
    )  # fmt: skip
    return redirect(url_for(".listed"))


def _save(viewer: Viewer, standing: Category | None) -> ResponseReturnValue:
    form = request.form
    try:
        report = categories.edit(viewer, _texts(form, standing), new=standing is None)
    except Wrong as wrong:
        flash(wrong.en if words.english() else wrong.zh, "error")
        return _form(viewer, standing, form), 422
    name = form.get("name", "").strip()
    if report.created or report.changed:
        flash(_("已保存“%(name)s”。", name=name), "success")
    else:
        flash(_("没有改动。"), "info")
    return redirect(url_for(".listed") + f"#{(report.created or report.changed or [''])[0]}")


def _texts(form: Any, standing: Category | None) -> dict[str, str]:
    """The form as a row under the sheet's headings."""
    yes = {True: "是", False: "否"}
    found = {
        "代码": standing.code if standing else form.get("code", ""),
        "大类": standing.parent if standing else form.get("parent", ""),
        "名称": form.get("name", ""),
        "英文名": form.get("name_en", ""),
        "适用地点": "、".join(form.getlist("places")),
        "责任单位": form.get("body", ""),
        "整改前照片": yes[bool(form.get("needs_before"))],
        "整改后照片": yes[bool(form.get("needs_after"))],
        "启用": yes[bool(form.get("active"))],
        "次序": form.get("position_no", ""),
    }
    for stage, heading in STAGES.items():
        amount = form.get(f"{stage}_amount", "").strip()
        found[heading] = f"{amount} {form.get(f'{stage}_unit', '')}" if amount else ""
    return {heading: str(text).strip() for heading, text in found.items()}


def _shown(one: Category) -> MultiDict[str, str]:
    """A category as its form shows it."""
    found: MultiDict[str, str] = MultiDict(
        {
            "code": one.code, "parent": one.parent, "name": one.name, "name_en": one.name_en,
            "body": str(one.data.get("body") or ""), "position_no": str(one.position_no),
        }
    )  # fmt: skip
    found.setlist("places", [str(place) for place in one.data.get("places") or ()])
    before, after = rules.evidence(one.data)
    for name, flag in (("needs_before", before), ("needs_after", after), ("active", one.active)):
        if flag:
            found[name] = "1"
    if one.parent:
        for stage in STAGES:
            limit = rules.limit(one.data, stage)
            found[f"{stage}_amount"], found[f"{stage}_unit"] = f"{limit.amount:g}", limit.unit
    return found


def _form(viewer: Viewer, standing: Category | None, tried: Any) -> Any:
    bodies = names.references(db.session(), "body")
    return render_template(
        "categories/edit.html",
        category=standing,
        tried=tried,
        parents=[(one.code, one.name) for one in categories.listed() if not one.parent],
        bodies=[(code, words.reference_name(one, code)) for code, one in bodies.items()],
        places=[(code, _place(code)) for code in rules.PLACES],
        units=[(one.code, words.choice("LIMIT_UNITS", one.code)) for one in v.LIMIT_UNITS],
        stages={"dispatch": _("派遣时限"), "accept": _("签收时限"), "handle": _("处置时限")},
        viewer=viewer,
    )


def _place(code: str) -> str:
    return words.choice("PLACES_OF_USE", code)


def _limit_text(one: Category, stage: str) -> str:
    limit = rules.limit(one.data, stage)
    return f"{limit.amount:g} {words.choice('LIMIT_UNITS', limit.unit)}"
