"""The ledger's table: the filter in the address, kept filters, chosen columns, pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _

from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import kept, ledger_page, names
from server.storage.queries.ledger_page import LedgerPage, Place
from server.storage.queries.problems import OPEN, ProblemFilter
from server.web import args, clocks, session, words
from server.web.targets import masked_texts
from shared import ids, ledger

PAGE = "ledger"
ARGUMENTS = ("state", "category", "body", "area", "flag", "q", "sort", "since", "until")
FLAGS = ("overdue", "asking", "supervised", "hard", "recurring")
USUAL = ("number", "problem", "state", "body", "due", "found")
SORTED = {one: one for one in ("number", "due", "found", "received")}  # column -> its sorting


def columns() -> dict[str, str]:
    """The columns that the table can have: code -> heading. "problem" is always there."""
    return {
        "number": _("台账编号"),
        "problem": _("问题"),
        "state": _("状态"),
        "body": _("责任单位"),
        "due": _("时限"),
        "found": _("发现时间"),
        "received": _("收到时间"),
        "owner": _("责任人"),
        "source": _("问题来源"),
        "concern": _("急难愁盼"),
        "grid": _("网格"),
        "closed": _("销号时间"),
        "satisfaction": _("满意度"),
    }


def flags() -> dict[str, str]:
    """What the table may be narrowed to: code -> words."""
    return {
        "overdue": _("已超期"), "asking": _("等待答复申请"), "supervised": _("挂牌督办"),
        "hard": _("疑难"), "recurring": _("复发"),
    }  # fmt: skip


@dataclass(frozen=True)
class View:
    """A kept filter: its name, where it leads, whether it is the one that is shown."""

    name: str
    arguments: dict[str, str]
    here: bool


def context() -> dict[str, Any]:
    """All that the page shows."""
    viewer = session.need("see_records", "see_own_problems")
    reading = db.session()
    now = now_ms()
    mine = kept.of(reading, viewer.user_id, PAGE)
    page = ledger_page.listed(reading, viewer, chosen(), _place(), now)
    categories = clocks.categories()
    bodies = clocks.bodies()
    shown = _shown(mine.columns)
    return {
        "page": page,
        "links": _links(page),
        "first_row": args.number("n"),
        "chosen": echo(),
        "views": _views(mine.views),
        "columns": {code: text for code, text in columns().items() if code in shown},
        "all_columns": columns(),
        "sorted_by": SORTED,
        "descriptions": masked_texts(reading, page.rows, "description"),
        "addresses": masked_texts(reading, page.rows, "place"),
        "places": names.places(reading, [one.partition_id for one in page.rows]),
        "categories": categories,
        "category_groups": groups(categories),
        "bodies": bodies,
        "body_options": [(code, words.reference_name(one, code)) for code, one in bodies.items()],
        "states": _states(),
        "flags": list(flags().items()),
        "grids": names.grids(reading, viewer),
        "viewer": viewer,
    }  # fmt: skip


def chosen() -> ProblemFilter:
    """The filter in the address. Without any, what is open."""
    given = echo()
    return ProblemFilter(
        state="" if given["state"] == "all" else given["state"],
        category=given["category"],
        body=given["body"],
        area=given["area"],
        flag=given["flag"],
        text=given["q"],
        sort=given["sort"],
        since=args.day_start(given["since"]),
        until=args.day_end(given["until"]),
    )


def echo() -> dict[str, str]:
    """The address's arguments, those that mean something."""
    return checked({name: request.args.get(name, "") for name in ARGUMENTS})


def checked(asked: dict[str, Any]) -> dict[str, str]:
    """Arguments of the page, each with a value it may have."""
    given = {name: str(asked.get(name) or "").strip()[:100] for name in ARGUMENTS}
    given["state"] = args.one_of(given["state"], [OPEN, "all", *ledger.STATES], OPEN)
    given["flag"] = args.one_of(given["flag"], FLAGS)
    given["sort"] = args.one_of(given["sort"], list(ledger_page.SORTS), "due")
    given["area"] = given["area"] if given["area"].isdigit() else ""
    if session.viewer().may("see_own_problems"):
        given["body"] = ""  # theirs is the only one; no index holds what two have in common
    for name in ("since", "until"):
        given[name] = given[name] if args.day_start(given[name]) is not None else ""
    if given["since"] or given["until"]:
        given["sort"] = "received"  # the order in which a period of time is walked
    return given


def groups(categories: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Categories by their group: (the group's name, its (code, name) pairs)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for code, one in categories.items():
        parent = (one.data or {}).get("parent")
        if parent:
            found.setdefault(parent, []).append((code, words.reference_name(one, code)))
        else:
            found.setdefault(code, [])
    with_members = [(words.reference_name(categories.get(p), p), m) for p, m in found.items() if m]
    alone = [(c, words.reference_name(categories[c], c)) for c, m in found.items() if not m]
    return [*([("", alone)] if alone else []), *with_members]


def _states() -> list[tuple[str, str]]:
    each = [(state, words.word("problem", "state", state)) for state in ledger.STATES]
    return [(OPEN, _("全部未办结")), *each, ("all", _("全部"))]


def _shown(wanted: list[str]) -> tuple[str, ...]:
    known = [code for code in columns() if code in wanted or code == "problem"]
    return tuple(known) if wanted else USUAL


def _views(found: dict[str, dict[str, Any]]) -> list[View]:
    here = {**echo(), "sort": ""}
    views = []
    for name, data in found.items():
        arguments = checked(data)
        same = {**arguments, "sort": ""} == here
        views.append(View(name, {k: v for k, v in arguments.items() if v}, same))
    return views


def _place() -> Place | None:
    """Where the page begins: the sort key and id of the row that it follows, or is before."""
    for name in ("after", "before"):
        key, _colon, record_id = request.args.get(name, "").rpartition("~")
        if not ids.is_id(record_id):
            continue
        if chosen().sort == "number":
            return Place(key, record_id, name == "before")
        if key.lstrip("-").isdigit() and key.isascii() and len(key) < 18:
            return Place(int(key), record_id, name == "before")
    return None


def _links(page: LedgerPage) -> dict[str, dict[str, Any]]:
    """The arguments of the next and the previous page."""
    sort, first = chosen().sort, args.number("n")
    blank: dict[str, Any] = {"after": None, "before": None, "n": None}
    found = {}
    if page.rows and page.has_next:
        last = page.rows[-1]
        place = f"{ledger_page.key_of(last, sort)}~{last.id}"
        found["next"] = {**blank, "after": place, "n": first + len(page.rows)}
    if page.rows and page.has_previous and first > 1:
        head = page.rows[0]
        place = f"{ledger_page.key_of(head, sort)}~{head.id}"
        before = max(1, first - ledger_page.SIZE)
        found["previous"] = {**blank, "before": place, "n": before} if before > 1 else blank
    return found
