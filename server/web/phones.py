"""Phones: last contact, what each says still waits on it, its clock; revoke."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.operations import accounts
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import people
from server.web import session
from shared import protocol

pages = Blueprint("phones", __name__)


@pages.get("/phones")
def listed() -> ResponseReturnValue:
    """Every phone in the viewer's areas; ?only=waiting: those that hold work."""
    viewer = session.need("quarantine", "people")
    only = request.args.get("only", "")
    shown = people.phones(db.session(), viewer)
    if only == "waiting":
        shown = [one for one in shown if one.waits and not one.device.revoked_at]
    return render_template(
        "people/phones.html",
        phones=shown,
        only=only,
        now=now_ms(),
        clock_limit=protocol.CLOCK_WARNING_MS,
        viewer=viewer,
    )


@pages.post("/phones/<device_id>/revoke")
def revoke(device_id: str) -> ResponseReturnValue:
    """Stop a phone."""
    viewer = session.need("people")
    phone = people.phone(db.session(), viewer, device_id)
    if phone is None:
        abort(404)
    accounts.revoke_device(device_id, by=viewer.user_id)
    flash(_("手机已停用：它还能交上手里的内容，但不会再收到任何数据。"), "success")
    if request.form.get("then") == "person" and phone.owner is not None:
        return redirect(url_for("web.people.one", user_id=phone.owner.id))
    return redirect(url_for(".listed"))
