"""The problem ledger: the table, a problem's page, the actions on it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.errors import Trouble
from server.operations import kept_views, ledger_facts
from server.operations import ledger as use_case
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import conflicts, names, photos, problems
from server.web import action_forms, args, gallery, ledger_list, session, timeline, words
from shared import ledger
from shared.reconcile import Refused

pages = Blueprint("ledger", __name__)


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


@pages.post("/ledger/<problem_id>/<action>")
def act(problem_id: str, action: str) -> ResponseReturnValue:
    """Take an action, as the problem stood when the page was shown."""
    viewer = session.need("see_records", "see_own_problems")
    if action not in ledger.ACTIONS:
        abort(404)
    known = ledger.ACTIONS[action]
    data, wrong = action_forms.read(known, request.form)
    if wrong:
        flash(_("还差一点：请看标红的地方。"), "error")
        return _page(problem_id, action_forms.Tried(action, request.form, wrong), 422)
    try:
        use_case.take_action(
            viewer,
            problem_id,
            action,
            data,
            request.form.get("state", ""),
            args.form_int("step"),
        )
    except Refused as refused:
        if refused.code == "unknown_record":
            abort(404)
        tried = action_forms.Tried(action, request.form, _told(known, refused))
        late = refused.code == "late_action"
        if late:
            message = _("这个问题刚刚有了新进展，请看过再办；您填的内容还在。")
        else:
            message = words.code_title(refused.code)
        flash(message, "error")
        return _page(problem_id, tried, 409 if late else 422)
    flash(_("已办：%(action)s。", action=words.action_name(action)), "success")
    return redirect(url_for(".one", problem_id=problem_id))


def _told(action: ledger.Action, refused: Refused) -> dict[str, str]:
    if refused.field in (*action.needs, *action.takes):
        return {refused.field: words.code_title(refused.code)}
    return {}


def _page(
    problem_id: str, tried: action_forms.Tried | None = None, status: int = 200
) -> ResponseReturnValue:
    viewer = session.need("see_records", "see_own_problems")
    reading = db.session()
    problem = problems.visible(reading, viewer, problem_id)
    if problem is None:
        abort(404)
    now = now_ms()
    categories = names.references(reading, "category")
    bodies = names.references(reading, "body")
    category = categories.get(problem.category)
    taken = photos.of_owners(reading, [problem.id])
    entries = problems.history(reading, problem.id)
    merged = problems.numbers(reading, viewer, [problem.merged_into, *timeline.merges(entries)])
    people = names.people(
        reading,
        [
            problem.created_by,
            problem.closure_by,
            problem.closed_by,
            *(entry.actor for entry in entries),
            *(photo.created_by for photo in taken),
        ],
    )
    actor = ledger.Actor(viewer.user_id, viewer.role, viewer.body)
    data = category.data if category else None
    facts = ledger_facts.of_page(reading, problem, taken, data, now)
    offered = ledger.offered(_values(problem), actor, facts, now)
    body_names = {code: words.reference_name(body, code) for code, body in bodies.items()}
    return (
        render_template(
            "ledger/page.html",
            problem=problem,
            category=category,
            bodies=bodies,
            body_names=body_names,
            target=names.targets(reading, [(problem.target_kind, problem.target_id)]).get(
                problem.target_id
            ),
            gallery=gallery.of_problem(reading, taken, facts.needs_after),
            timeline=timeline.sentences(entries, people, body_names, merged),
            people=people,
            merged=merged,
            place=names.places(reading, [problem.partition_id])[problem.partition_id],
            forms=action_forms.forms(
                problem,
                [action for action, why in offered if not why],
                tried,
                category=category,
                bodies=body_names,
                owners={c: (b.data or {}).get("owner") or "" for c, b in bodies.items()},
                mergeable=problems.others_to_merge(reading, viewer, problem)
                if viewer.role == "supervisor" and problem.state in ("reported", "registered")
                else [],
                due=facts.deadlines.get("handle"),
            ),
            impossible=[(action, why) for action, why in offered if why and why != "forbidden"],
            why_text=_why_text,
            conflicts=conflicts.open_about(reading, problem.id)
            if viewer.may("see_records")
            else [],
            viewer=viewer,
        ),
        status,
    )


def _why_text(action: ledger.Action, why: str) -> str:
    """Why an action is not possible now: for a wrong state, in which ones it would be."""
    if why != "not_allowed":
        return words.code_title(why)
    states = [words.word("problem", "state", state) for state in action.sources]
    if len(states) > 3:
        return words.code_title(why)
    return _("要在“%(states)s”时办", states=_("”或“").join(states))


def _values(problem: Any) -> dict[str, Any]:
    return {column.name: getattr(problem, column.name) for column in problem.__table__.columns}
