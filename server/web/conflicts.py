"""Conflicts: both values side by side, and the verdict."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.operations import decide
from server.storage.database import db
from server.storage.queries import conflicts, names
from server.web import args, history, session, words
from server.web.targets import masked_homes, masked_value, shown_targets
from server.web.verdicts import category_names, differences, leaves_empty, third, third_value
from shared.reconcile import Refused

pages = Blueprint("conflicts", __name__)
STATES = ("open", "decided", "agreed")
HIDDEN = {"care_groups"}  # the household's page shows them, and logs the look


@pages.get("/conflicts")
def listed() -> ResponseReturnValue:
    """Open conflicts, the longest waiting first."""
    viewer = session.need("see_records")
    reading = db.session()
    state = args.one_of(request.args.get("state", "open"), [*STATES, "all"], "open")
    area = request.args.get("area", "")
    page = conflicts.listed(
        reading,
        viewer,
        "" if state == "all" else state,
        area if area.isdigit() else "",
        args.number("page"),
    )
    return render_template(
        "conflicts/list.html",
        page=page,
        state=state,
        area=area,
        about=_abouts(page.rows),
        people=names.people(
            reading, [who for one in page.rows for who in (one.accepted_by, one.proposed_by)]
        ),
        places=names.places(reading, [one.partition_id for one in page.rows]),
        grids=names.grids(reading, viewer),
        texts=_texts(page.rows),
        viewer=viewer,
    )


@pages.get("/conflicts/<conflict_id>")
def one(conflict_id: str) -> ResponseReturnValue:
    """Both values, who wrote each, when, and what each had seen."""
    return _page(conflict_id)


@pages.post("/conflicts/<conflict_id>")
def settle(conflict_id: str) -> ResponseReturnValue:
    """Settle on one of the two, or on a third; then the next."""
    viewer = session.need("decide")
    reading = db.session()
    conflict = conflicts.visible(reading, viewer, conflict_id)
    if conflict is None:
        abort(404)
    chosen = request.form.get("choice", "")
    if chosen == "accepted":
        value = conflict.accepted
    elif chosen == "proposed":
        value = conflict.proposed
    elif chosen == "third":
        value = third_value(conflict)
        if value is None and not leaves_empty(conflict):
            return _page(conflict_id, 422, _("请写出第三个值"))
    else:
        flash(_("请先选一个值。"), "error")
        return _page(conflict_id, 422)
    following = conflicts.next_open(reading, viewer, conflict_id)
    try:
        decide.decide(viewer, conflict_id, value, args.form_int("version"))
    except Refused as refused:
        if refused.code == "stale_verdict":
            flash(_("这个冲突刚刚有变化，请看过下面的新内容再裁定。"), "error")
        elif refused.code == "needs":
            flash(_("这一项不能为空。"), "error")
        else:
            flash(words.code_title(refused.code), "error")
        return _page(conflict_id, 409 if refused.code == "stale_verdict" else 422)
    flash(_("已裁定，两位当事人会收到通知。"), "success")
    if following:
        return redirect(url_for(".one", conflict_id=following))
    return redirect(url_for(".listed"))


def _page(conflict_id: str, status: int = 200, wrong: str = "") -> ResponseReturnValue:
    viewer = session.need("see_records")
    reading = db.session()
    conflict = conflicts.visible(reading, viewer, conflict_id)
    if conflict is None:
        abort(404)
    record = conflicts.record(reading, conflict.about_kind, conflict.about_id)
    past = conflicts.changes(reading, conflict.about_id)
    people = names.people(
        reading,
        [
            conflict.accepted_by,
            conflict.proposed_by,
            conflict.decided_by,
            *(change.author for change in past),
        ],
    )
    known = _reference_names(conflict, [conflict.accepted, conflict.proposed, conflict.verdict])
    accepted = words.value_text(conflict.about_kind, conflict.field, conflict.accepted, known)
    proposed = words.value_text(conflict.about_kind, conflict.field, conflict.proposed, known)
    before, after = differences(accepted, proposed)
    return (
        render_template(
            "conflicts/page.html",
            conflict=conflict,
            record=record,
            about=_abouts([conflict])[conflict.id],
            accepted=before,
            proposed=after,
            verdict=words.value_text(conflict.about_kind, conflict.field, conflict.verdict, known),
            seen={side: _seen(conflict, past, known, side) for side in ("accepted", "proposed")},
            devices=conflicts.device_names(reading, conflict, past),
            third=third(conflict),
            tried=request.form,
            wrong=wrong,
            history=history.entries(
                conflict.about_kind, past, people, known, hidden=HIDDEN - {conflict.field}
            ),
            people=people,
            place=names.places(reading, [conflict.partition_id])[conflict.partition_id],
            following=conflicts.next_open(reading, viewer, conflict.id),
            viewer=viewer,
        ),
        status,
    )


def _seen(conflict: Any, past: list[Any], known: dict[str, str], side: str) -> str:
    """What the author of a side had before them when they wrote it, as a sentence."""
    if side == "accepted":
        made = [c for c in past if c.rev == conflict.accepted_rev and conflict.field in c.changes]
        if not made:
            return _("建立这条记录时写的。")
        value = made[0].changes[conflict.field][0]
    else:
        later = [c for c in past if c.rev > conflict.seen_rev and conflict.field in c.changes]
        if not later:
            return _("写的时候还没有看到另一个值。")
        value = later[-1].changes[conflict.field][0]
    text = words.value_text(conflict.about_kind, conflict.field, value, known) or _("空")
    return _("写的时候看到的是：%(value)s", value=text)


def _abouts(rows: list[Any]) -> dict[str, tuple[str, str]]:
    """conflict id -> (what the record is called, its page or "")."""
    reading = db.session()
    found: dict[str, tuple[str, str]] = {}
    for kind in {one.about_kind for one in rows}:
        mine = [one for one in rows if one.about_kind == kind]
        about = conflicts.records_of(reading, kind, [one.about_id for one in mine])
        targets: dict[str, Any] = {}
        if kind in ("visit", "problem"):
            targets = shown_targets(reading, about.values())
        elif kind in ("household", "compound"):
            targets = masked_homes(reading, kind, [one.about_id for one in mine])
        for one in mine:
            target = targets.get(one.about_id)
            text = f"{target.name} {target.address}".strip() if target else ""
            address = ""
            if kind == "visit":
                address = url_for("web.visits.one", visit_id=one.about_id)
            elif kind == "problem":
                address = url_for("web.ledger.one", problem_id=one.about_id)
            elif kind == "household":
                address = url_for("web.homes.one", home_id=one.about_id)
            elif kind == "compound":
                address = url_for("web.homes.listed", compound=one.about_id)
            elif kind == "resident" and one.about_id in about:
                home = about[one.about_id].household_id
                address = url_for("web.homes.one", home_id=home)
            found[one.id] = (text, address)
    return found


def _texts(rows: list[Any]) -> dict[str, tuple[str, str]]:
    known = _names_of(rows)
    return {
        one.id: (
            masked_value(one, words.value_text(one.about_kind, one.field, one.accepted, known)),
            masked_value(one, words.value_text(one.about_kind, one.field, one.proposed, known)),
        )
        for one in rows
    }


def _names_of(rows: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in {one.field for one in rows if one.field in ("compound_id", "category")}:
        mine = [one for one in rows if one.field == field]
        values = [value for one in mine for value in (one.accepted, one.proposed)]
        found |= _reference_names(mine[0], values)
    return found


def _reference_names(conflict: Any, values: list[Any]) -> dict[str, str]:
    """Names for the ids and codes that a conflict is between."""
    reading = db.session()
    if conflict.field == "compound_id":
        found = names.targets(reading, [("compound", v) for v in values if isinstance(v, str)])
        return {key: target.name for key, target in found.items()}
    if conflict.field == "category":
        return category_names()
    return {}
