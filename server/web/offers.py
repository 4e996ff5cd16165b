"""After a restore: what phones still hold and this server lacks, to take back or leave."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.errors import Trouble
from server.operations import offer
from server.storage.database import db
from server.storage.queries import names, offers
from server.web import args, said, session, words
from shared import records
from shared.reconcile import Refused

pages = Blueprint("offers", __name__)
STATES = ("open", "taken", "left")


@pages.get("/offers")
def listed() -> ResponseReturnValue:
    """The rows that wait, unless the filter says otherwise."""
    viewer = session.need("quarantine")
    reading = db.session()
    state = args.one_of(request.args.get("state", "open"), [*STATES, "all"], "open")
    page = offers.listed(reading, viewer, "" if state == "all" else state, args.number("page"))
    return render_template(
        "offers/list.html",
        page=page,
        state=state,
        gist={(one.record_id, one.rev): said.gist(one.kind, one.values) for one in page.rows},
        here=offers.here(reading, page.rows),
        holders=offers.holders(reading, page.rows),
        people=names.people(
            reading, [who for one in page.rows for who in (one.created_by, one.decided_by)]
        ),
        places=names.places(reading, [one.partition_id for one in page.rows]),
        waiting=offers.count(reading, viewer),
        most=offers.MOST_AT_ONCE,
        viewer=viewer,
    )


@pages.post("/offers")
def take_all() -> ResponseReturnValue:
    """Take back all that wait."""
    viewer = session.need("quarantine")
    taken, stay = offer.take_all(viewer.user_id, offers.open_keys(db.session(), viewer))
    if taken:
        flash(_("已收回 %(n)s 条记录。", n=taken), "success")
    if stay:
        flash(_("有 %(n)s 条还收不回来，留在下面，请逐条查看。", n=stay), "error")
    if not taken and not stay:
        flash(_("没有等待收回的内容了。"), "info")
    return redirect(url_for(".listed"))


@pages.get("/offers/<record_id>/<int:rev>")
def one(record_id: str, rev: int) -> ResponseReturnValue:
    """One row, whole, beside what the server has."""
    return _page(record_id, rev)


@pages.post("/offers/<record_id>/<int:rev>")
def decide(record_id: str, rev: int) -> ResponseReturnValue:
    """Take it back, or leave it."""
    viewer = session.need("quarantine")
    if offers.visible(db.session(), viewer, record_id, rev) is None:
        abort(404)
    try:
        match request.form.get("action"):
            case "take":
                result = offer.take_back(viewer.user_id, record_id, rev)
                done = _("已收回，内容已生效。")
                if result == "conflict":
                    done = _("已收回；与现有内容不同的地方成了冲突，等待裁定。")
                flash(done, "success")
            case "leave":
                offer.leave(viewer.user_id, record_id, rev)
                flash(_("已决定不要这一条。"), "success")
            case _:
                return _page(record_id, rev, 422)
    except Refused as refused:
        why = words.code_title(refused.code)
        flash(_("还收不回来：%(why)s。内容仍在这里。", why=why), "error")
        return _page(record_id, rev, 422)
    except Trouble as trouble:
        if trouble.code != "stale":
            raise
        flash(_("已经有人处理过了。"), "info")
        return redirect(url_for(".one", record_id=record_id, rev=rev))
    return redirect(url_for(".listed"))


def _page(record_id: str, rev: int, status: int = 200) -> ResponseReturnValue:
    viewer = session.need("quarantine")
    reading = db.session()
    found = offers.visible(reading, viewer, record_id, rev)
    if found is None:
        abort(404)
    there = offers.here(reading, [found]).get(record_id)
    return (
        render_template(
            "offers/page.html",
            offer=found,
            values=said.pairs(found.kind, _own(found)),
            differences=_differences(found, there) if there is not None else [],
            there=there,
            holder=offers.holders(reading, [found]).get(found.device_id),
            people=names.people(reading, [found.created_by, found.decided_by]),
            place=names.places(reading, [found.partition_id])[found.partition_id],
            viewer=viewer,
        ),
        status,
    )


def _own(found: Any) -> dict[str, Any]:
    """The values that would come back: not those that the server's rules write."""
    fields = records.FIELDS[found.kind]
    return {
        name: value
        for name, value in found.values.items()
        if name in fields and fields[name].rule != records.SERVER
    }


def _differences(found: Any, there: Any) -> list[tuple[str, str, str]]:
    """(field, what the server has, what the phone holds) where taking back would change it."""
    changed = []
    for name, value in _own(found).items():
        rule = records.FIELDS[found.kind][name].rule
        now = getattr(there, name)
        if rule in (records.REVIEW, records.LATEST) and value is not None and now != value:
            label = words.field_name(found.kind, name)
            before, after = (said.text_of(found.kind, name, one) for one in (now, value))
            changed.append((label, before, after))
    return changed
