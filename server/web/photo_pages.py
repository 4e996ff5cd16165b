"""A photo on a page of its own, covering what is in it, photos that have not come, the ZIP."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.core.redaction import MOST_BOXES, Box
from server.errors import Trouble
from server.operations import export_photos, redact
from server.storage.database import db
from server.storage.models import Photo
from server.storage.queries import names, photos
from server.web import args, gallery, session, words
from shared import ids
from shared.reconcile import Refused

pages = Blueprint("photo_pages", __name__)
BLANK_ROWS = 4
SIDES = ("x", "y", "width", "height")


@pages.get("/photos/<photo_id>/view")
def one(photo_id: str) -> ResponseReturnValue:
    """A photo as large as the page; ?beside=<id>: with another of the same record."""
    viewer = session.need("see_records", "see_own_problems")
    reading = db.session()
    photo = photos.visible(reading, viewer, photo_id)
    if photo is None:
        abort(404)
    if photo.replaced_by:
        redact.look_at_original(viewer, photo, request.remote_addr)
        shown = gallery.shown(reading, [photo])
        around: dict[str, Any] = {}
    else:
        every = gallery.of_owner(reading, photo).shown
        at = next(n for n, one in enumerate(every) if one.photo.id == photo_id)
        shown = [every[at]]
        beside = [e for e in every if e.photo.id == request.args.get("beside", "") and e.is_here]
        shown += beside[:1]
        around = {
            "total": len(every),
            "before": every[at - 1].photo.id if at > 0 and not beside else "",
            "following": every[at + 1].photo.id if at + 1 < len(every) and not beside else "",
        }
    return render_template(
        "photos/page.html",
        photo=photo,
        shown=shown,
        around=around,
        may_redact=gallery.may_redact(viewer, photo),
        owner=owner_address(photo),
        place=names.places(reading, [photo.partition_id])[photo.partition_id],
        viewer=viewer,
    )


@pages.get("/photos/<photo_id>/redact")
def cover(photo_id: str) -> ResponseReturnValue:
    """Draw rectangles over faces and plates."""
    return _cover(photo_id)


@pages.post("/photos/<photo_id>/redact")
def covered(photo_id: str) -> ResponseReturnValue:
    """Make the new photo."""
    viewer = session.need("redact")
    boxes, wrong = _boxes()
    if wrong:
        flash(_("位置和大小要填整数，四个数都要填。"), "error")
        return _cover(photo_id, 422)
    into = request.form.get("into", "")
    try:
        new = redact.redact(
            viewer, photo_id, args.form_int("rev"), boxes, into, request.remote_addr
        )
    except Refused as refused:
        if refused.code == "unknown_record":
            abort(404)
        texts = {
            "needs": _("先在照片上画出要遮挡的地方。"),
            "late_action": _("这张照片刚刚有改动，请在新的一张上再画。"),
            "invalid": _("这张照片没能处理：%(why)s", why=refused.detail or refused.field),
        }
        flash(texts.get(refused.code) or words.code_title(refused.code), "error")
        return _cover(photo_id, 409 if refused.code == "late_action" else 422)
    flash(_("已换成遮挡后的照片。原图只有管理员能看。"), "success")
    return redirect(url_for(".one", photo_id=new))


@pages.post("/photos/<photo_id>/undo-redaction")
def uncover(photo_id: str) -> ResponseReturnValue:
    """Take the newest redaction back."""
    viewer = session.need("see_originals")
    try:
        before = redact.undo(viewer, photo_id, request.remote_addr)
    except Refused as refused:
        if refused.code == "unknown_record":
            abort(404)
        flash(words.code_title(refused.code), "error")
        return redirect(url_for(".one", photo_id=photo_id))
    flash(_("已撤销这次遮挡。"), "success")
    return redirect(url_for(".one", photo_id=before))


@pages.post("/ledger/<problem_id>/photos.zip")
def download(problem_id: str) -> ResponseReturnValue:
    """The problem's photos as a ZIP, made while it is sent."""
    viewer = session.need("export")
    try:
        packed = export_photos.export_photos(
            viewer, problem_id, request.form.get("reason", ""), request.remote_addr
        )
    except Trouble as trouble:
        if trouble.code != "invalid":
            raise
        flash(words.in_language(trouble.detail), "error")
        return redirect(url_for("web.ledger.one", problem_id=problem_id))
    response = Response(packed.blocks, mimetype="application/zip")
    response.content_length = packed.size
    simple = packed.name.encode("ascii", "ignore").decode().replace("_", "-").replace("-.", ".")
    named = {"filename": simple, "filename*": f"UTF-8''{quote(packed.name, safe='')}"}
    response.headers.set("Content-Disposition", "attachment", **named)
    return response


def owner_address(photo: Any) -> str:
    """The page of the record that a photo belongs to, at the photo."""
    anchor = f"photo-{photo.id}"
    if photo.owner_kind == "problem":
        main = gallery.main_problem(db.session(), photo.owner_id)
        return url_for("web.ledger.one", problem_id=main, _anchor=anchor)
    if photo.owner_kind == "household":
        return url_for("web.homes.one", home_id=photo.owner_id, _anchor=anchor)
    return url_for("web.visits.one", visit_id=photo.owner_id, _anchor=anchor)


def _cover(photo_id: str, status: int = 200) -> ResponseReturnValue:
    viewer = session.need("redact")
    reading = db.session()
    photo: Any = photos.visible(reading, viewer, photo_id)
    if photo is None:
        abort(404)
    newest = _newest(photo)
    if newest.id != photo.id:
        return redirect(url_for(".cover", photo_id=newest.id))
    if not gallery.may_redact(viewer, photo):
        raise Trouble("forbidden")
    width, height = redact.size_of(photo)
    given = [
        {side: values[n] if n < len(values) else "" for side, values in _given().items()}
        for n in range(max((len(v) for v in _given().values()), default=0))
    ]
    page = render_template(
        "photos/redact.html",
        photo=photo,
        shown=gallery.shown(reading, [photo])[0],
        rows=(given + [dict.fromkeys(SIDES, "")] * BLANK_ROWS)[: max(BLANK_ROWS, len(given) + 1)],
        width=width,
        height=height,
        same=len(redact.others(reading, viewer, photo)),
        into=ids.new_id(),
        most=MOST_BOXES,
        viewer=viewer,
    )
    return page, status


def _newest(photo: Any) -> Any:
    seen: set[str] = set()
    while photo.replaced_by and photo.id not in seen:
        seen.add(photo.id)
        photo = db.session().get(Photo, photo.replaced_by) or photo
    return photo


def _given() -> dict[str, list[str]]:
    return {side: request.form.getlist(side)[: MOST_BOXES + 1] for side in SIDES}


def _boxes() -> tuple[list[Box], bool]:
    """The rectangles of the form, and whether one of its rows is not whole numbers."""
    boxes = []
    for row in zip(*_given().values(), strict=False):
        if not any(value.strip() for value in row):
            continue
        try:
            boxes.append(Box(*(max(-99_999, min(99_999, int(value))) for value in row)))
        except ValueError:
            return [], True
    return boxes, False
