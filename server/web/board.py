"""The board of a body: what is its own to do, by deadline, with the next step at hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import board
from server.web import args, clocks, session, words
from server.web.targets import masked_texts
from shared import ledger

pages = Blueprint("board", __name__)
# What a row offers, the next step first; the first two are done with one click.
AT_ONCE = ("accept", "join")
OFFERED = ("accept", "join", "request_closure", "return", "request_suspend", "request_extension")


@pages.get("/board")
def page() -> ResponseReturnValue:
    """What is mine: overdue, today, this week, later, and what waits for others."""
    viewer = session.need("see_own_problems")
    reading = db.session()
    now = now_ms()
    today = words.local(words.today(now)).date()
    monday = words.local(words.this_week(now)).date()
    found = board.groups(
        reading,
        viewer,
        now,
        words.start_of_day(today + timedelta(days=1)),
        words.start_of_day(monday + timedelta(days=7)),
        args.one_of(request.args.get("all", ""), board.GROUPS),
    )
    rows = [one for group in found for one in group.rows]
    bodies = clocks.bodies()
    return render_template(
        "board.html",
        groups=found,
        texts=_texts(),
        looks=_LOOKS,
        offers={one.id: _offers(one, viewer, now) for one in rows},
        at_once=AT_ONCE,
        descriptions=masked_texts(reading, rows, "description"),
        addresses={one.id: one.place for one in rows},
        categories=clocks.categories(),
        body_name=words.reference_name(bodies.get(viewer.body), viewer.body),
        viewer=viewer,
    )


_LOOKS = {
    "whistle": ("warn", "megaphone"), "overdue": ("danger", "alarm-fill"), "today": ("warn", "sun"),
    "week": ("info", "calendar-week"), "later": ("mute", "calendar"),
    "verify": ("mute", "clipboard-check"), "suspended": ("mute", "pause-circle"),
}  # fmt: skip


def _texts() -> dict[str, str]:
    return {
        "whistle": _("吹哨待到场"),
        "overdue": _("已超期"),
        "today": _("今天到期"),
        "week": _("本周到期"),
        "later": _("以后到期"),
        "verify": _("等待核查"),
        "suspended": _("挂账中"),
    }


def _offers(problem: Any, viewer: Any, now: int) -> list[str]:
    """The steps that the body may take on a problem now, by the rules alone."""
    values = {column.name: getattr(problem, column.name) for column in problem.__table__.columns}
    actor = ledger.Actor(viewer.user_id, viewer.role, viewer.body)
    asked = {
        "request_suspend": problem.suspend_requested,
        "request_extension": problem.extension_requested,
    }
    return [
        name
        for name in OFFERED
        if not asked.get(name)
        and not ledger.why_not(values, ledger.ACTIONS[name], actor, None, now)[0]
    ]
