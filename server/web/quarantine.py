"""What was held or rejected: why, from whom, what it said; released, corrected or refused."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import ValidationError

from server.errors import Trouble, first_message, messages_of
from server.operations import release
from server.storage.database import db
from server.storage.queries import names, quarantine
from server.web import args, corrections, said, session, words
from server.web.verdicts import category_names
from shared import ids, records
from shared.protocol import MAX_TEXT
from shared.reconcile import Refused

pages = Blueprint("quarantine", __name__)
STATES = ("open", quarantine.DECIDED, "released", "refused")
_Wrong = dict[str, str]


@pages.get("/quarantine")
def listed() -> ResponseReturnValue:
    """The list, newest first."""
    viewer = session.need("quarantine")
    reading = db.session()
    state = args.one_of(request.args.get("state", "open"), [*STATES, "all"], "open")
    page = quarantine.listed(reading, viewer, "" if state == "all" else state, args.number("page"))
    return render_template(
        "quarantine/list.html",
        page=page,
        state=state,
        said={one.id: said.operations(one.text) for one in page.rows},
        awaited={one.id: _awaited_kind(one) for one in page.rows if one.waits_for},
        people=names.people(
            reading, [who for one in page.rows for who in (one.author, one.decided_by)]
        ),
        places=_places(reading, [one.area_code for one in page.rows]),
        viewer=viewer,
    )


@pages.get("/quarantine/<entry_id>")
def one(entry_id: str) -> ResponseReturnValue:
    """One transaction, whole."""
    return _page(entry_id)


@pages.post("/quarantine/<entry_id>")
def decide(entry_id: str) -> ResponseReturnValue:
    """Release it as it is or corrected, or refuse it with a reason."""
    viewer = session.need("quarantine")
    entry = quarantine.visible(db.session(), viewer, entry_id)
    if entry is None:
        abort(404)
    try:
        match request.form.get("action"):
            case "refuse":
                reason = request.form.get("reason", "").strip()[:MAX_TEXT]
                release.refuse(viewer.user_id, entry_id, reason)
                flash(_("已决定不予收下，提交人会看到原因。"), "success")
            case "correct":
                right, wrong = corrections.read(entry.text, request.form)
                if wrong:
                    flash(_("还不能放行：请改正标红的地方。"), "error")
                    return _page(entry_id, 422, wrong)
                release.release(viewer.user_id, entry_id, right)
                flash(_("已改正并放行，内容已生效。"), "success")
            case "release":
                release.release(viewer.user_id, entry_id)
                flash(_("已放行，内容已生效。"), "success")
            case _:
                return _page(entry_id, 422)
    except Refused as refused:
        return _page(entry_id, 422, _refused(entry, refused))
    except ValidationError as error:
        return _page(entry_id, 422, _invalid(error))
    except Trouble as trouble:
        if trouble.code != "stale":
            raise
        flash(_("已经有人处理过了。"), "info")
        return redirect(url_for(".one", entry_id=entry_id))
    return redirect(url_for(".listed"))


def _refused(entry: Any, refused: Refused) -> _Wrong:
    """Say why it was refused; returns where in the form that is."""
    if refused.code == "needs" and refused.field == "reason":
        flash(_("不予收下要写明原因，提交人会看到。"), "error")
        return {}
    why = words.code_title(refused.code)
    flash(_("还不能放行：%(why)s。内容仍在这里。", why=why), "error")
    return dict.fromkeys(corrections.names_of(entry.text, refused.field), why)


def _invalid(error: ValidationError) -> _Wrong:
    """Say what does not fit; returns where in the form that is."""
    messages = messages_of(error)
    found: _Wrong = {}
    for number, inner in (messages.get("operations") or {}).items():
        parts = inner if isinstance(inner, dict) else {}
        for field, texts in {**parts, **(parts.get("values") or {})}.items():
            if isinstance(texts, list) and texts:
                found[f"op{number}.{field}"] = words.in_language(str(texts[0]))
    detail = words.in_language(first_message(messages).rpartition(": ")[2])
    flash(_("还不能放行：%(why)s。内容仍在这里。", why=detail), "error")
    return found


def _page(entry_id: str, status: int = 200, wrong: _Wrong | None = None) -> ResponseReturnValue:
    viewer = session.need("quarantine")
    reading = db.session()
    entry = quarantine.visible(reading, viewer, entry_id)
    if entry is None:
        abort(404)
    form = request.form if request.form.get("action") == "correct" else None
    open_now = entry.state == "open"
    text = render_template(
        "quarantine/page.html",
        entry=entry,
        said=said.operations(entry.text),
        field=_field(entry),
        reason=request.form.get("reason", ""),
        made_at=said.member(entry.text, "made_at"),
        people=names.people(reading, [entry.author, entry.decided_by]),
        device=quarantine.device_of(reading, entry),
        places=_places(reading, [entry.area_code]),
        forms=corrections.sections(entry.text, category_names(), form, wrong) if open_now else [],
        correcting=form is not None or entry.code == "invalid",
        awaited=_awaited_kind(entry),
        maker=quarantine.maker_of(reading, viewer, entry.waits_for) if entry.waits_for else None,
        viewer=viewer,
    )
    return text, status


def _field(entry: Any) -> str:
    """The name of the field that was refused, "" where it is none of a record's."""
    found = said.member(entry.text, "operations")
    first = found[0] if isinstance(found, list) and found else {}
    kind = str(first.get("kind")) if isinstance(first, dict) else ""
    name = words.field_name(kind, entry.field or "")
    return "" if name == entry.field else name


def _awaited_kind(entry: Any) -> str:
    """What sort of record an entry waits for, in words: a household, a visit."""
    found = said.member(entry.text, "operations")
    for raw in found if isinstance(found, list) else ():
        if not isinstance(raw, dict) or str(raw.get("kind")) not in records.KINDS:
            continue
        if raw.get("id") == entry.waits_for:
            return words.kind_name(str(raw["kind"]))
        values = raw.get("values")
        parents = records.parent_of(
            records.KINDS[raw["kind"]], values if isinstance(values, dict) else {}
        )
        for kind, record_id in parents:
            if record_id == entry.waits_for:
                return words.kind_name(kind)
    return _("另一条记录")


def _places(reading: Any, codes: list[str | None]) -> dict[str, str]:
    partitions = [ids.area_partition(code) for code in codes if code]
    found = names.places(reading, partitions)
    return {code: found.get(ids.area_partition(code), code) for code in codes if code}
