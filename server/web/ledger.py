"""The problem ledger: the table, a problem's page, the actions on it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import action_photos, kept_views
from server.operations import ledger as use_case
from server.storage.database import db
from server.storage.queries import problems
from server.web import action_forms, args, ledger_list, problem_page, security, session, words
from shared import ledger
from shared.reconcile import Refused

pages = Blueprint("ledger", __name__)
_LONGER = ("extend", "request_extension")


@pages.get("/ledger")
def listed() -> ResponseReturnValue:
    """The table: what is open, nearest deadline first, unless the filter says otherwise."""
    return render_template("ledger/list.html", **ledger_list.context())


@pages.post("/ledger/views")
def keep_view() -> ResponseReturnValue:
    """Keep the filter in the address under a name, or forget the one of that name."""
    viewer = session.need("see_records", "see_own_problems")
    arguments: dict[str, Any] = {n: value for n, value in ledger_list.echo().items() if value}
    name = request.form.get("name", "")
    if request.form.get("forget"):
        kept_views.forget(viewer.user_id, ledger_list.PAGE, request.form["forget"])
        flash(_("已删除这个筛选。"), "success")
        return redirect(url_for(".listed", **arguments))
    try:
        kept_views.keep(viewer.user_id, ledger_list.PAGE, name, arguments)
    except Trouble as trouble:
        flash(words.in_language(trouble.detail), "error")
    else:
        flash(_("已保存筛选“%(name)s”。", name=name.strip()), "success")
    return redirect(url_for(".listed", **arguments))


@pages.post("/ledger/columns")
def choose_columns() -> ResponseReturnValue:
    """Show the chosen columns from now on."""
    viewer = session.need("see_records", "see_own_problems")
    wanted = [code for code in ledger_list.columns() if code in request.form.getlist("column")]
    usual = bool(request.form.get("usual"))
    kept_views.choose_columns(viewer.user_id, ledger_list.PAGE, [] if usual else wanted)
    arguments: dict[str, Any] = {n: value for n, value in ledger_list.echo().items() if value}
    return redirect(url_for(".listed", **arguments))


@pages.get("/ledger/<problem_id>")
def one(problem_id: str) -> ResponseReturnValue:
    """A problem with its timeline and what may be done."""
    return _page(problem_id)


@pages.get("/ledger/<problem_id>/print")
def printed(problem_id: str) -> ResponseReturnValue:
    """The same on paper: A4, black and white, nothing to click."""
    viewer = session.need("see_records", "see_own_problems")
    problem = problems.visible(db.session(), viewer, problem_id)
    if problem is None:
        abort(404)
    return render_template("ledger/print.html", **problem_page.on_paper(viewer, problem))


@pages.post("/ledger/<problem_id>/<action>")
@security.takes_up_to(action_photos.MAX_FORM)
def act(problem_id: str, action: str) -> ResponseReturnValue:
    """Take an action, as the problem stood when the page was shown; photos may come with it.

    A script that sends the form (photos.js) is told in JSON where to go, or what is wrong.
    """
    viewer = session.need("see_records", "see_own_problems")
    if action not in ledger.ACTIONS:
        abort(404)
    known = ledger.ACTIONS[action]
    data, wrong = action_forms.read(known, request.form)
    if wrong:
        return _not_taken(problem_id, action, wrong, _("还差一点：请看标红的地方。"), 422)
    seen = request.form.get("state", ""), args.form_int("step")
    given, phase = action_forms.photos_of(action)
    try:
        if given:
            action_photos.take_action(viewer, problem_id, action, data, *seen, given, phase)
        else:
            use_case.take_action(viewer, problem_id, action, data, *seen)
    except Refused as refused:
        if refused.code == "unknown_record":
            abort(404)
        message, told = words.code_title(refused.code), _told(known, refused)
        message = _("还差一点：请看标红的地方。") if told else message
        if refused.code == "late_action":
            message = _("这个问题刚刚有了新进展，请看过再办；您填的内容还在。")
            return _not_taken(problem_id, action, told, message, 409)
        return _not_taken(problem_id, action, told, told.get("photos", message), 422)
    flash(_("已办：%(action)s。", action=words.action_name(action)), "success")
    address = session.local_path(request.form.get("next")) or _afterwards(viewer, problem_id)
    return {"location": address} if _asks_json() else redirect(address)


def _afterwards(viewer: Viewer, problem_id: str) -> str:
    """The problem's page; the list where what is returned is no longer theirs to see."""
    if problems.visible(db.session(), viewer, problem_id) is not None:
        return url_for(".one", problem_id=problem_id)
    return url_for("web.board.page" if viewer.role == "handler" else ".listed")


def _not_taken(
    problem_id: str, action: str, wrong: dict[str, str], message: str, status: int
) -> ResponseReturnValue:
    """The page again with the form as it was filled in."""
    if _asks_json():
        return {"message": message, "errors": wrong}, status
    flash(message, "error")
    return _page(problem_id, action_forms.Tried(action, request.form, wrong), status)


def _asks_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _told(action: ledger.Action, refused: Refused) -> dict[str, str]:
    if refused.field == "photos":
        return {"photos": action_forms.photo_refusal(refused.detail)}
    if refused.field == "after_photo":
        return {"photos": _("这类问题要有整改后的照片。")}
    if refused.field in ("due_at", "extension_until") and action.name in _LONGER:
        return {refused.field: _("要晚于现在的时限。")}
    if refused.field in (*action.needs, *action.takes):
        return {refused.field: words.code_title(refused.code)}
    return {}


def _page(
    problem_id: str, tried: action_forms.Tried | None = None, status: int = 200
) -> ResponseReturnValue:
    viewer = session.need("see_records", "see_own_problems")
    problem = problems.visible(db.session(), viewer, problem_id)
    if problem is None:
        abort(404)
    return render_template(
        "ledger/page.html", **problem_page.context(viewer, problem, tried)
    ), status
