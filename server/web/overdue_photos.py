"""Photos that have not come: one by one, or as sums by person, grid and phone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.models import Problem, Visit
from server.storage.queries import names, overdue, visits
from server.storage.queries.overdue import BY_GRID, BY_PERSON, BY_PHONE, Group, OverdueFilter
from server.storage.tables import Device
from server.web import args, gallery, session, words
from server.web.photo_pages import owner_address
from server.web.targets import shown_targets
from shared import ids

pages = Blueprint("overdue_photos", __name__)
DAYS = ("0", "1", "3", "7", "30")
DEFAULT_DAYS = str(overdue.DAYS)
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class NamedGroup:
    """A sum with the name of what it is of, and what the list takes as its filter."""

    group: Group
    name: str
    filter: dict[str, str]


@pages.get("/photos/overdue")
def listed() -> ResponseReturnValue:
    """What has waited for more than the chosen days, longest first."""
    viewer = session.need("see_records")
    reading = db.session()
    given = _echo()
    chosen = OverdueFilter(before(given["days"]), given["area"], given["person"], given["phone"])
    shown: list[gallery.Shown] = []
    groups: list[NamedGroup] = []
    following = ""
    if given["by"]:
        sums = overdue.grouped(reading, viewer, chosen, given["by"])
        groups = _named(reading, viewer, given["by"], sums)
    else:
        part = overdue.listed(reading, viewer, chosen, _after())
        shown = gallery.shown(reading, part.rows)
        following = f"{part.after[0]}-{part.after[1]}" if part.after else ""
    return render_template(
        "photos/overdue.html",
        chosen=given,
        count=overdue.count(reading, viewer, chosen),
        most=overdue.COUNTED_TO,
        shown=shown,
        groups=groups,
        owners=_owners(reading, shown),
        owner_address=owner_address,
        places=names.places(reading, [one.photo.partition_id for one in shown]),
        following=following,
        later=_after() is not None,
        grids=names.grids(reading, viewer),
        workers=visits.workers(reading, viewer),
        phone=_phone(reading, viewer, given["phone"]),
        days=DAYS,
        viewer=viewer,
    )


def before(days: str) -> int:
    """The moment before which a photo must have been named to have waited so many days."""
    return now_ms() - int(days) * DAY_MS


def _owners(session: Session, shown: Iterable[gallery.Shown]) -> dict[str, str]:
    """owner id -> what the record is called, masked; those that are gone are left out."""
    wanted: dict[str, set[str]] = {"visit": set(), "problem": set()}
    for one in shown:
        wanted.setdefault(one.photo.owner_kind, set()).add(one.photo.owner_id)
    found: dict[str, str] = {}
    rows: list[Any] = []
    if wanted["visit"]:
        query = select(Visit).where(Visit.id.in_(wanted["visit"]), Visit.deleted_at.is_(None))
        rows = list(session.scalars(query))
    targets = shown_targets(session, rows)
    for visit in rows:
        name = targets[visit.id].name or words.word("visit", "target_kind", visit.target_kind)
        moment = words.when(visit.visited_at, now_ms())
        found[visit.id] = _("走访 %(name)s %(when)s", name=name, when=moment)
    if wanted["problem"]:
        query = select(Problem.id, Problem.ledger_no, Problem.category).where(
            Problem.id.in_(wanted["problem"]), Problem.deleted_at.is_(None)
        )
        categories = names.references(session, "category")
        for problem_id, number, code in session.execute(query):
            category = words.reference_name(categories.get(code), code)
            found[problem_id] = _(
                "问题 %(number)s %(category)s", number=number or _("未立案"), category=category
            )
    return found


def _named(session: Session, viewer: Viewer, by: str, sums: list[Group]) -> list[NamedGroup]:
    keys = [one.key for one in sums]
    if by == BY_PERSON:
        people = names.people(session, keys)
        return [
            NamedGroup(
                one, people[one.key].name if one.key in people else _("不清楚"), {"person": one.key}
            )
            for one in sums
        ]
    if by == BY_GRID:
        places = names.places(session, keys)
        return [
            NamedGroup(one, places.get(one.key, ""), {"area": ids.area_of(one.key) or ""})
            for one in sums
        ]
    known = overdue.phones(session, keys)
    people = names.people(session, [one.user_id for one in known.values()])
    owners = {one.id: one.name for one in people.values()}
    return [
        NamedGroup(one, _phone_name(known.get(one.key), owners), {"phone": one.key}) for one in sums
    ]


def _phone(session: Session, viewer: Viewer, device_id: str) -> str:
    """The name of the phone that the list is of."""
    if not device_id:
        return ""
    known = overdue.phones(session, [device_id])
    people = names.people(session, [one.user_id for one in known.values()])
    owners = {one.id: one.name for one in people.values()}
    return _phone_name(known.get(device_id), owners)


def _phone_name(device: Device | None, people: dict[str, str]) -> str:
    if device is None or device.kind != "phone":
        return _("不是从手机来的")
    return gallery.phone_text(device, people, device.user_id)


def _after() -> tuple[int, str] | None:
    moment, _dash, photo_id = request.args.get("after", "").partition("-")
    if moment.isascii() and moment.isdigit() and len(moment) < 16 and ids.is_id(photo_id):
        return int(moment), photo_id
    return None


def _echo() -> dict[str, str]:
    given = {n: request.args.get(n, "").strip() for n in ("days", "area", "person", "phone", "by")}
    given["days"] = args.one_of(given["days"], DAYS, DEFAULT_DAYS)
    given["by"] = args.one_of(given["by"], (BY_PERSON, BY_GRID, BY_PHONE))
    given["area"] = given["area"] if given["area"].isdigit() else ""
    for name in ("person", "phone"):
        given[name] = given[name] if ids.is_id(given[name]) else ""
    return given
