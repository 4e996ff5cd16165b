"""Complaints and suggestions of the people who use the phones, for who looks after people."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.operations import feedback as operation
from server.storage.database import db
from server.storage.queries import feedback as query
from server.storage.queries import names
from server.web import args, session, words
from shared import vocabulary as v

pages = Blueprint("feedback", __name__)
STATES = ("open", "answered", "all")


@pages.get("/feedback")
def listed() -> ResponseReturnValue:
    """Those without an answer, unless the filter says otherwise."""
    viewer = session.need("people")
    reading = db.session()
    state = args.one_of(request.args.get("state", "open"), STATES, "open")
    kind = args.one_of(request.args.get("kind", ""), [one.code for one in v.FEEDBACK_KINDS])
    page = query.listed(reading, viewer, state, kind, args.number("page"))
    return render_template(
        "feedback.html",
        page=page,
        state=state,
        kind=kind,
        kinds=[(one.code, words.choice("FEEDBACK_KINDS", one.code)) for one in v.FEEDBACK_KINDS],
        people=names.people(
            reading, [who for one in page.rows for who in (one.user_id, one.answered_by)]
        ),
        areas=names.areas(reading, [one.area_code for one in page.rows]),
    )


@pages.post("/feedback/<uuid:feedback_id>")
def answer(feedback_id: object) -> ResponseReturnValue:
    """Keep the answer; the phone hears it with its next sync."""
    viewer = session.need("people")
    operation.answer(viewer, str(feedback_id), request.form.get("answer", ""))
    flash(_("已答复，对方的手机下次同步时收到。"), "success")
    return redirect(url_for(".listed"))
