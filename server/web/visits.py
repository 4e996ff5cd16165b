"""The review of visits: the queue, one visit, approve or return."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server import errors
from server.operations import campaigns as all_campaigns
from server.operations import look, review
from server.storage.database import db
from server.storage.queries import conflicts, names, photos, visits
from server.storage.queries.visits import VisitFilter
from server.web import args, gallery, history, session, words
from server.web.targets import shown_targets
from shared import campaigns, ids, vocabulary
from shared.reconcile import Refused

pages = Blueprint("visits", __name__)
ARGUMENTS = ("state", "area", "worker", "outcome", "since", "until")


@pages.get("/visits")
def listed() -> ResponseReturnValue:
    """The queue: what waits for review, unless the filter says otherwise."""
    viewer = session.need("see_records")
    look.at_list(viewer, "visits", request.remote_addr)
    reading = db.session()
    page = visits.listed(reading, viewer, chosen(), args.number("page"))
    return render_template(
        "visits/list.html",
        page=page,
        chosen=_echo(),
        targets=shown_targets(reading, page.rows),
        people=names.people(reading, [one.created_by for one in page.rows]),
        places=names.places(reading, [one.partition_id for one in page.rows]),
        grids=names.grids(reading, viewer),
        workers=visits.workers(reading, viewer),
        kept=_kept(),
        viewer=viewer,
    )


@pages.get("/visits/<visit_id>")
def one(visit_id: str) -> ResponseReturnValue:
    """A visit with its photos and history."""
    return _page(visit_id)


@pages.post("/visits/<visit_id>/reveal")
def reveal(visit_id: str) -> ResponseReturnValue:
    """The same with the household's care groups; the look is logged."""
    viewer = session.need("see_records")
    visit = visits.visible(db.session(), viewer, visit_id)
    if visit is None or visit.target_kind != "household" or not visit.target_id:
        abort(404)
    look.at_hidden(viewer, visit.target_id, "visit", request.remote_addr)
    return _page(visit_id, revealed=True)


@pages.post("/visits/<visit_id>")
def decide(visit_id: str) -> ResponseReturnValue:
    """Approve or return it, and go on to the next or back to it."""
    viewer = session.need("review")
    reading = db.session()
    visit = visits.visible(reading, viewer, visit_id)
    if visit is None:
        abort(404)
    action = request.form.get("action", "")
    reason = request.form.get("reason", "").strip()
    following = visits.next_after(reading, viewer, chosen(), visit)
    try:
        review.review(viewer, visit_id, action, reason, args.form_int("rev"))
    except Refused as refused:
        if refused.code == "needs":
            flash(_("退回要写明原因，网格员会在手机上看到。"), "error")
        elif refused.code == "stale_review":
            flash(_("这条走访刚刚有改动，请看过下面的新内容再审核。"), "error")
        else:
            flash(words.code_title(refused.code), "error")
        return _page(visit_id, reason, 409 if refused.code == "stale_review" else 422)
    flash(_("已通过。") if action == review.APPROVE else _("已退回，网格员会收到任务。"), "success")
    if request.form.get("then") == "next" or action == review.RETURN:
        if following:
            return redirect(url_for(".one", visit_id=following, **_kept()))
        flash(_("这一列已经全部审完。"), "info")
        return redirect(url_for(".listed", **_kept()))
    return redirect(url_for(".one", visit_id=visit_id, **_kept()))


def _page(
    visit_id: str, reason: str = "", status: int = 200, revealed: bool = False
) -> ResponseReturnValue:
    viewer = session.need("see_records")
    reading = db.session()
    visit = visits.visible(reading, viewer, visit_id)
    if visit is None:
        abort(404)
    taken = photos.of_owners(reading, [visit.id])
    past = conflicts.changes(reading, visit.id)
    people = names.people(
        reading,
        [
            visit.created_by,
            visit.reviewed_by,
            *(change.author for change in past),
            *(photo.created_by for photo in taken),
        ],
    )
    target = names.targets(reading, [(visit.target_kind, visit.target_id)]).get(visit.target_id)
    return (
        render_template(
            "visits/page.html",
            visit=visit,
            target=target,
            asked=campaigns.told(all_campaigns.known(reading), visit.answers, errors.language()),
            gallery=gallery.of_visit(reading, taken),
            history=history.entries("visit", past, people),
            conflicts=conflicts.open_about(reading, visit.id),
            problems=visits.problems_of(reading, viewer, visit.id),
            people=people,
            place=names.places(reading, [visit.partition_id])[visit.partition_id],
            waiting=visits.waiting_count(reading, viewer, chosen()),
            reason=reason,
            revealed=revealed,
            kept=_kept(),
            viewer=viewer,
        ),
        status,
    )


def chosen() -> VisitFilter:
    """The filter in the address. Without any, what waits for review."""
    given = _echo()
    return VisitFilter(
        state="" if given["state"] == "all" else given["state"],
        area=given["area"],
        worker=given["worker"],
        outcome=given["outcome"],
        since=args.day_start(given["since"]),
        until=args.day_end(given["until"]),
    )


def _echo() -> dict[str, str]:
    given = {name: request.args.get(name, "").strip() for name in ARGUMENTS}
    states = [choice.code for choice in vocabulary.REVIEW_STATES]
    given["state"] = args.one_of(given["state"] or "pending", [*states, "all"], "pending")
    given["outcome"] = args.one_of(given["outcome"], [c.code for c in vocabulary.OUTCOMES])
    given["area"] = given["area"] if given["area"].isdigit() else ""
    given["worker"] = given["worker"] if ids.is_id(given["worker"]) else ""
    return given


def _kept() -> dict[str, Any]:
    return {name: request.args[name] for name in ARGUMENTS if request.args.get(name)}
