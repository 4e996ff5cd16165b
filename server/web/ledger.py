"""The problem ledger: the table, a problem's page, the actions on it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.operations import ledger as use_case
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import conflicts, names, photos, problems
from server.storage.queries.problems import OPEN, SORTS, ProblemFilter
from server.web import action_forms, args, session, timeline, words
from server.web.targets import masked_texts
from shared import ledger
from shared.reconcile import Refused

pages = Blueprint("ledger", __name__)
ARGUMENTS = ("state", "category", "body", "area", "flag", "q", "sort")
FLAGS = ("overdue", "supervised", "hard")


@pages.get("/ledger")
def listed() -> ResponseReturnValue:
    """The table: what is open, nearest deadline first, unless the filter says otherwise."""
    viewer = session.need("see_records", "see_own_problems")
    reading = db.session()
    categories = names.references(reading, "category")
    bodies = names.references(reading, "body")
    page = problems.listed(reading, viewer, chosen(), args.number("page"), now_ms())
    return render_template(
        "ledger/list.html",
        page=page,
        chosen=_echo(),
        descriptions=masked_texts(reading, page.rows, "description"),
        addresses=masked_texts(reading, page.rows, "place"),
        places=names.places(reading, [one.partition_id for one in page.rows]),
        categories=categories,
        category_groups=_groups(categories),
        bodies=bodies,
        body_options=[(code, words.reference_name(one, code)) for code, one in bodies.items()],
        states=_states(),
        grids=names.grids(reading, viewer),
        viewer=viewer,
    )


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
    facts = problems.facts(taken, category.data if category else None)
    offered = ledger.offered(_values(problem), actor, facts)
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
            photos=taken,
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
                now=now,
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


def _groups(categories: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Categories by their group: (the group's name, its (code, name) pairs)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, one in categories.items():
        parent = (one.data or {}).get("parent")
        if parent:
            groups.setdefault(parent, []).append((code, words.reference_name(one, code)))
        else:
            groups.setdefault(code, [])
    with_members = [(words.reference_name(categories.get(p), p), m) for p, m in groups.items() if m]
    alone = [(c, words.reference_name(categories[c], c)) for c, m in groups.items() if not m]
    return [*([("", alone)] if alone else []), *with_members]


def _states() -> list[tuple[str, str]]:
    each = [(state, words.word("problem", "state", state)) for state in ledger.STATES]
    return [(OPEN, _("全部未办结")), *each, ("all", _("全部"))]


def _values(problem: Any) -> dict[str, Any]:
    return {column.name: getattr(problem, column.name) for column in problem.__table__.columns}


def chosen() -> ProblemFilter:
    """The filter in the address. Without any, what is open."""
    given = _echo()
    return ProblemFilter(
        state="" if given["state"] == "all" else given["state"],
        category=given["category"],
        body=given["body"],
        area=given["area"],
        flag=given["flag"],
        text=given["q"],
        sort=given["sort"],
    )


def _echo() -> dict[str, str]:
    given = {name: request.args.get(name, "").strip()[:100] for name in ARGUMENTS}
    given["state"] = args.one_of(given["state"], [OPEN, "all", *ledger.STATES], OPEN)
    given["flag"] = args.one_of(given["flag"], FLAGS)
    given["sort"] = args.one_of(given["sort"], list(SORTS), "due")
    given["area"] = given["area"] if given["area"].isdigit() else ""
    return given
