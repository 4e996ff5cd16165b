"""Households: a list to search, one with what stands about it; move it, erase it by law."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.core import masking
from server.errors import Trouble
from server.operations import erase as erasure
from server.operations import look, move
from server.storage.database import db
from server.storage.queries import conflicts, homes, names
from server.storage.queries.homes import HomeFilter
from server.web import args, history, session
from server.web.targets import masked_texts
from shared import ids, vocabulary
from shared.protocol import MAX_TEXT

pages = Blueprint("homes", __name__)
ARGUMENTS = ("area", "compound", "state", "risk", "q")
# What stays hidden until somebody asks for it, and the look is logged.
HIDDEN = ("care_groups", "note")


@pages.get("/homes")
def listed() -> ResponseReturnValue:
    """Doors by grid and compound, found by a word."""
    viewer = session.need("see_records")
    look.at_list(viewer, "homes", request.remote_addr)
    reading = db.session()
    given = _echo()
    chosen = HomeFilter(given["area"], given["compound"], given["state"], given["risk"], given["q"])
    page = homes.listed(reading, viewer, chosen, args.number("page"))
    full = names.targets(reading, [("household", one.id) for one in page.rows])
    return render_template(
        "homes/list.html",
        page=page,
        chosen=given,
        full=full,
        contacts={key: masking.mask_name(one.name) for key, one in full.items()},
        places=names.places(reading, [one.partition_id for one in page.rows]),
        grids=names.grids(reading, viewer),
        compounds=homes.compounds(reading, viewer, given["area"]),
        filtered=any(given.values()),
        viewer=viewer,
    )


@pages.get("/homes/<home_id>")
def one(home_id: str) -> ResponseReturnValue:
    """A household; care groups and note hidden."""
    return _page(home_id)


@pages.post("/homes/<home_id>/reveal")
def reveal(home_id: str) -> ResponseReturnValue:
    """The same with what is hidden; the look is logged."""
    viewer, _home = _visible(home_id)
    look.at_hidden(viewer, home_id, "home", request.remote_addr)
    return _page(home_id, revealed=True)


@pages.post("/homes/<home_id>/move")
def to_grid(home_id: str) -> ResponseReturnValue:
    """Move it to another grid, with everything that belongs to it."""
    viewer = session.need("move")
    _visible(home_id)
    grid = request.form.get("grid", "")
    try:
        moved = move.move_household(viewer.user_id, home_id, grid)
    except Trouble as trouble:
        if trouble.code not in ("invalid", "forbidden"):
            raise
        wrong = _("请选一个您负责的网格。")
        return _page(home_id, status=422, wrong=wrong)
    place = names.places(db.session(), [ids.grid_partition(grid)])
    name = place.get(ids.grid_partition(grid), grid)
    flash(_("已移到 %(grid)s，连同 %(n)s 条记录。", grid=name, n=moved), "success")
    return redirect(url_for(".one", home_id=home_id))


@pages.route("/homes/<home_id>/erase", methods=["GET", "POST"])
def erase(home_id: str) -> ResponseReturnValue:
    """What an erasure takes away; with a reason and a tick it is done."""
    viewer = session.need("erase")
    _visible(home_id)
    reason = request.form.get("reason", "").strip()[:MAX_TEXT]
    wrong: dict[str, str] = {}
    if request.method == "POST":
        if not reason:
            wrong["reason"] = _("请写明依据，比如谁在什么时候提出的。")
        if not request.form.get("sure"):
            wrong["sure"] = _("请先勾选这一项。")
        if not wrong:
            count = erasure.erase(viewer.user_id, home_id, reason)
            flash(_("已删除 %(n)s 条记录的内容，手机下次同步时也会删去。", n=count), "success")
            return redirect(url_for(".listed"))
    reading = db.session()
    found = move.belongings(reading, home_id)
    return (
        render_template(
            "homes/erase.html",
            home_id=home_id,
            target=names.targets(reading, [("household", home_id)])[home_id],
            counts=[(kind, len(found[kind])) for kind in found if kind != "progress"],
            reason=reason,
            wrong=wrong,
            viewer=viewer,
        ),
        422 if wrong else 200,
    )


def _visible(home_id: str) -> tuple[Any, Any]:
    viewer = session.need("see_records")
    home = homes.visible(db.session(), viewer, home_id)
    if home is None:
        abort(404)
    return viewer, home


def _page(
    home_id: str, *, revealed: bool = False, status: int = 200, wrong: str = ""
) -> ResponseReturnValue:
    viewer, home = _visible(home_id)
    reading = db.session()
    people_there = homes.residents(reading, home.id)
    past = conflicts.changes(reading, home.id)
    visited = homes.last_visits(reading, home.id)
    problems = homes.open_problems(reading, home.id)
    people = names.people(
        reading, [*(c.author for c in past), *(v.created_by for v in visited.rows)]
    )
    known = {
        key: target.name
        for key, target in names.targets(reading, _compounds_of(home, past)).items()
    }
    text = render_template(
        "homes/page.html",
        home=home,
        target=names.targets(reading, [("household", home.id)])[home.id],
        compound=known.get(home.compound_id or ""),
        residents=people_there,
        visits=visited,
        problems=problems,
        descriptions=masked_texts(reading, problems, "description"),
        conflicts=homes.open_conflicts(reading, [home.id, *(r.id for r in people_there)]),
        history=history.entries(
            "household", past, people, known, hidden=() if revealed else HIDDEN
        ),
        people=people,
        place=names.places(reading, [home.partition_id])[home.partition_id],
        grid=ids.area_of(home.partition_id),
        grids=names.grids(reading, viewer),
        revealed=revealed,
        wrong=wrong,
        viewer=viewer,
    )
    return text, status


def _compounds_of(home: Any, past: list[Any]) -> list[tuple[str, str | None]]:
    """The compounds that the page and its history name."""
    wanted = {home.compound_id}
    for change in past:
        wanted |= {one for one in change.changes.get("compound_id", ()) if isinstance(one, str)}
    return [("compound", one) for one in wanted if one]


def _echo() -> dict[str, str]:
    given = {name: request.args.get(name, "").strip() for name in ARGUMENTS}
    given["area"] = given["area"] if given["area"].isdigit() else ""
    given["compound"] = given["compound"] if ids.is_id(given["compound"]) else ""
    given["state"] = args.one_of(given["state"], [c.code for c in vocabulary.HOUSEHOLD_STATE])
    given["risk"] = args.one_of(given["risk"], [c.code for c in vocabulary.RISK])
    given["q"] = given["q"].replace("\x00", "")[:60]
    return given
