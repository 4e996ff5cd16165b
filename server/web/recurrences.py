"""What keeps coming back (重复问题): one category at one place, and the root causes."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import names, nearby
from server.storage.queries.paging import Page
from server.web import args, ledger_list, session
from server.web.targets import masked_texts
from shared import duplicates
from shared.work_calendar import DAY

pages = Blueprint("recurrences", __name__)
ARGUMENTS = ("area", "category", "only")
PER_PAGE = 20
MOST = 12  # problems that a chain shows at first sight


@pages.get("/recurrences")
def listed() -> ResponseReturnValue:
    """Chains of the last 90 days, the longest first; where the root cause is missing it says so."""
    viewer = session.need("see_records")
    reading, now = db.session(), now_ms()
    given = {name: request.args.get(name, "").strip()[:100] for name in ARGUMENTS}
    given["area"] = given["area"] if given["area"].isdigit() else ""
    given["only"] = args.one_of(given["only"], ["uncaused"])
    found = [
        one
        for one in nearby.clusters(reading, viewer, now, given["area"])
        if given["category"] in ("", one.category) and (one.uncaused or not given["only"])
    ]
    number = min(args.number("page"), max(1, -(-len(found) // PER_PAGE)))
    shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    chains = nearby.members(reading, viewer, shown, now, MOST)
    rows = [row for chain in chains for row in chain]
    categories = names.references(reading, "category")
    yards = names.targets(reading, [("compound", one.compound_id) for one in shown])
    return render_template(
        "ledger/recurrences.html",
        page=Page(list(zip(shown, chains, strict=True)), number, PER_PAGE, len(found)),
        chosen=given,
        yards=yards,
        descriptions=masked_texts(reading, rows, "description"),
        addresses=masked_texts(reading, rows, "place"),
        places=names.places(reading, [one.partition_id for one in rows]),
        categories=categories,
        category_groups=ledger_list.groups(categories),
        grids=names.grids(reading, viewer),
        only=[("uncaused", _("没有写根源的"))],
        days=duplicates.WINDOW // DAY,
        least=duplicates.RECURRENCES,
        viewer=viewer,
    )
