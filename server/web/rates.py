"""The three rates (三率): each with its formula, by area, body, category or month; what is left out
stands beside, with the reason."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.core.access import Viewer
from server.core.export_columns import moment
from server.operations import rates_sheet
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import names, people, rates
from server.storage.queries.rates import Group, Period
from server.web import args, ledger_list, periods, session, words
from server.web.periods import Span
from server.web.targets import masked_texts
from shared import ids
from shared import rates as rules

pages = Blueprint("rates", __name__)
ARGUMENTS = ("period", "on", "since", "until", "area", "body", "category", "by")


@pages.get("/rates")
def listed() -> ResponseReturnValue:
    """The rates of a period: all together, and by what was chosen."""
    viewer = session.need("see_records")
    reading, now = db.session(), now_ms()
    span, given = _asked(viewer, now)
    period = _period(span, given)
    groups = rates.grouped(reading, viewer, period, given["by"], now)
    categories = names.references(reading, "category")
    bodies = names.references(reading, "body")
    return render_template(
        "ledger/rates.html",
        span=span,
        chosen=given,
        kinds=_kinds(),
        total=rates.total(groups),
        groups=_named(_ordered(groups, given), given["by"]),
        percent=rates_sheet.percent,
        ledger_link=lambda group=None: _ledger_link(span, given, group),
        formulas=_told(rules.FORMULAS),
        rate_names=_told(rules.WORDS),
        reasons=_told(rules.LEFT_OUT),
        rates=rules.RATES,
        listed=_left_out(viewer, period, now),
        by_options=_by_options(viewer),
        areas=_areas(viewer),
        body_options=[(code, words.reference_name(one, code)) for code, one in bodies.items()],
        category_groups=ledger_list.groups(categories),
        categories=categories,
        bodies=bodies,
        viewer=viewer,
    )


@pages.get("/rates.xlsx")
def sheet() -> ResponseReturnValue:
    """The same as a sheet: counts, rates and what is left out."""
    viewer = session.need("see_records")
    session.need("export")
    now = now_ms()
    span, given = _asked(viewer, now)
    file = io.BytesIO()
    name = rates_sheet.write(
        file, viewer, _period(span, given), given["by"], span.text, now, request.remote_addr
    )
    file.seek(0)
    return send_file(
        file, mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True, download_name=f"{name}_{moment(now):%Y%m%d}.xlsx", etag=False,
    )  # fmt: skip


def _asked(viewer: Viewer, now: int) -> tuple[Span, dict[str, str]]:
    given = {name: request.args.get(name, "").strip()[:100] for name in ARGUMENTS}
    span = periods.read(given, now)
    given["period"] = span.kind
    given["on"] = span.first.isoformat() if span.kind != "range" else ""
    given["since"] = span.first.isoformat() if span.kind == "range" else ""
    given["until"] = span.last.isoformat() if span.kind == "range" else ""
    given["area"] = given["area"] if given["area"].isdigit() else ""
    given["by"] = args.one_of(given["by"], rates.GROUPS, _usual(given["area"] or viewer.area_code))
    return span, given


def _period(span: Span, given: dict[str, str]) -> Period:
    return Period(span.start, span.end, given["area"], given["body"], given["category"])


def _usual(area: str) -> str:
    """The level below an area."""
    if len(area) < ids.STREET_DIGITS:
        return "street"
    return "community" if len(area) < ids.COMMUNITY_DIGITS else "area"


def _ordered(groups: list[Group], given: dict[str, str]) -> list[Group]:
    if given["by"] == "month":
        return groups
    return sorted(groups, key=lambda one: (-one.total, one.key))


def _ledger_link(span: Span, given: dict[str, str], group: Group | None) -> dict[str, str] | None:
    """The arguments of the ledger that shows the same entries; None where no filter says it."""
    found = {
        "state": "all", "since": span.first.isoformat(), "until": span.last.isoformat(),
        "area": given["area"], "body": given["body"], "category": given["category"],
    }  # fmt: skip
    if group is not None:
        if not group.key:
            return None
        if given["by"] == "month":
            month = periods.read({"period": "month", "on": f"{group.key}-01"}, 0)
            found["since"] = max(span.first, month.first).isoformat()
            found["until"] = min(span.last, month.last).isoformat()
        else:
            name = given["by"] if given["by"] in ("body", "category") else "area"
            found[name] = group.key
    return {name: value for name, value in found.items() if value}


def _left_out(viewer: Viewer, period: Period, now: int) -> dict[str, Any] | None:
    """The entries that one rate leaves out for one reason, if the address asks for them."""
    rate, why = request.args.get("rate", ""), request.args.get("why", "")
    if rate not in rules.RATES or why not in rules.LEFT_OUT:
        return None
    reading = db.session()
    page = rates.left_out(reading, viewer, period, rate, why, now, args.number("page"))
    return {
        "rate": rate, "why": why, "page": page,
        "descriptions": masked_texts(reading, page.rows, "description"),
        "places": names.places(reading, [one.partition_id for one in page.rows]),
    }  # fmt: skip


def _named(groups: list[Group], by: str) -> list[tuple[Group, str]]:
    """Each group with what it is called."""
    reading = db.session()
    keys = [one.key for one in groups if one.key]
    known: dict[str, str]
    if by in ("body", "category"):
        listed_ = names.references(reading, by)
        known = {key: words.reference_name(listed_.get(key), key) for key in keys}
    elif by == "month":
        spans = {key: periods.read({"period": "month", "on": f"{key}-01"}, 0) for key in keys}
        known = {key: span.text for key, span in spans.items()}
    elif by == "area":
        partitions = {key: ids.area_partition(key) for key in keys}
        places = names.places(reading, partitions.values())
        known = {key: places[partition] for key, partition in partitions.items()}
    else:
        known = names.areas(reading, keys)
    blank = _("还没有责任单位") if by == "body" else _("没有")
    return [(one, known.get(one.key, one.key) or blank) for one in groups]


def _areas(viewer: Viewer) -> list[tuple[str, str]]:
    """The areas to choose from, each set in by its level; the viewer's own is the first choice."""
    found = people.choosable_areas(db.session(), viewer)
    below = [one for one in found if one[0] != viewer.area_code]
    least = min((len(code) for code, _name, _level in below), default=0)
    steps = [n for n in ids.AREA_DIGITS if n >= least]
    return [(c, "\u3000" * steps.index(len(c)) + name) for c, name, _level in below if name]


def _by_options(viewer: Viewer) -> list[tuple[str, str]]:
    every = {
        "street": _("按街道"), "community": _("按社区"), "area": _("按网格"),
        "body": _("按责任单位"), "category": _("按类别"), "month": _("按月"),
    }  # fmt: skip
    own = len(viewer.area_code)
    return [(by, text) for by, text in every.items() if rates.DIGITS.get(by, 99) > own]


def _kinds() -> list[tuple[str, str]]:
    return [("month", _("月")), ("quarter", _("季")), ("year", _("年")), ("range", _("自定"))]


def _told(pairs: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {code: pair[words.english()] for code, pair in pairs.items()}
