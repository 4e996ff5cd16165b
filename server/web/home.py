"""Today's figures, each a link to its list."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import figures, names
from server.web import session, words

pages = Blueprint("home", __name__)


@pages.get("/")
def page() -> ResponseReturnValue:
    """The first page after sign-in, by role."""
    viewer = session.viewer()
    if viewer.role == "grid_worker":
        return render_template("worker.html")
    if viewer.may("audit"):
        return redirect(url_for("web.audit.listed"))
    if viewer.may("see_own_problems"):
        return redirect(url_for("web.board.page"))
    now = now_ms()
    today = words.today(now)
    shown = figures.of(db.session(), viewer, now, today, words.this_week(now))
    return render_template(
        "home.html",
        figures=shown,
        phones=sorted(shown.phones, key=lambda p: p.device.last_contact_at or 0),
        now=now,
        today=words.local(today).date().isoformat(),
        monday=words.local(words.this_week(now)).date().isoformat(),
        place=names.areas(db.session(), [viewer.area_code]).get(viewer.area_code, ""),
        viewer=viewer,
    )
