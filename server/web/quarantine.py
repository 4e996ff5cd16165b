"""What was held or rejected: why, from whom, and what it said, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import ValidationError

from server.core import masking
from server.errors import Trouble
from server.operations import release
from server.storage.database import db
from server.storage.queries import names, quarantine
from server.web import args, session, words
from shared import ids
from shared.protocol import MAX_TEXT
from shared.reconcile import Refused

pages = Blueprint("quarantine", __name__)
STATES = ("open", "released", "refused")
# What a list shows of a transaction: the first of these that it has.
_GIST = ("description", "note", "reason", "result", "name", "target_name", "contact_name")


@dataclass(frozen=True)
class Said:
    """One operation in words: what it would have done, and its values as (field, text)."""

    what: str
    values: tuple[tuple[str, str], ...]
    gist: str = ""


@pages.get("/quarantine")
def listed() -> ResponseReturnValue:
    """The list, newest first."""
    viewer = session.need("quarantine")
    reading = db.session()
    state = args.one_of(request.args.get("state", "open"), [*STATES, "all"], "open")
    page = quarantine.listed(reading, viewer, "" if state == "all" else state, args.number("page"))
    said = {one.id: operations(one.text) for one in page.rows}
    return render_template(
        "quarantine/list.html",
        page=page,
        state=state,
        said=said,
        people=names.people(reading, [one.author for one in page.rows]),
        places=_places(reading, [one.area_code for one in page.rows]),
        viewer=viewer,
    )


@pages.get("/quarantine/<entry_id>")
def one(entry_id: str) -> ResponseReturnValue:
    """One transaction, whole."""
    return _page(entry_id)


@pages.post("/quarantine/<entry_id>")
def decide(entry_id: str) -> ResponseReturnValue:
    """Release it as it is, or refuse it with a reason."""
    viewer = session.need("quarantine")
    if quarantine.visible(db.session(), viewer, entry_id) is None:
        abort(404)
    reason = request.form.get("reason", "").strip()[:MAX_TEXT]
    refusing = request.form.get("action") == "refuse"
    try:
        if refusing:
            release.refuse(viewer.user_id, entry_id, reason)
        else:
            release.release(viewer.user_id, entry_id)
    except Refused as refused:
        if refused.code == "needs" and refused.field == "reason":
            flash(_("不予收下要写明原因，提交人会看到。"), "error")
        else:
            why = words.code_title(refused.code)
            flash(_("还不能放行：%(why)s。内容仍在这里。", why=why), "error")
        return _page(entry_id, reason, 422)
    except ValidationError:
        flash(_("还不能放行：内容不合要求。内容仍在这里。"), "error")
        return _page(entry_id, reason, 422)
    except Trouble as trouble:
        if trouble.code != "stale":
            raise
        flash(_("已经有人处理过了。"), "info")
        return redirect(url_for(".one", entry_id=entry_id))
    done = _("已决定不予收下，提交人会看到原因。") if refusing else _("已放行，内容已生效。")
    flash(done, "success")
    return redirect(url_for(".listed"))


def _page(entry_id: str, reason: str = "", status: int = 200) -> ResponseReturnValue:
    viewer = session.need("quarantine")
    reading = db.session()
    entry = quarantine.visible(reading, viewer, entry_id)
    if entry is None:
        abort(404)
    said = operations(entry.text)
    text = render_template(
        "quarantine/page.html",
        entry=entry,
        said=said,
        field=_field(entry),
        reason=reason,
        made_at=_member(entry.text, "made_at"),
        people=names.people(reading, [entry.author, entry.decided_by]),
        device=quarantine.device_of(reading, entry),
        places=_places(reading, [entry.area_code]),
        viewer=viewer,
    )
    return text, status


def _field(entry: Any) -> str:
    """The name of the field that was refused, "" where it is none of a record's."""
    found = _member(entry.text, "operations")
    first = found[0] if isinstance(found, list) and found else {}
    kind = str(first.get("kind")) if isinstance(first, dict) else ""
    name = words.field_name(kind, entry.field or "")
    return "" if name == entry.field else name


def operations(text: str | None) -> list[Said]:
    """What a transaction's text says; whatever cannot be read is left out, never raised."""
    found = _member(text, "operations")
    if not isinstance(found, list):
        return []
    return [_said(one) for one in found if isinstance(one, dict)]


def _said(raw: Mapping[str, Any]) -> Said:
    said = _described(raw)
    values = raw.get("values") or raw.get("data") or {}
    texts = [values[n] for n in _GIST if isinstance(values, dict) and values.get(n)]
    gist = str(texts[0]) if texts else said.values[0][1] if said.values else ""
    return replace(said, gist=masking.mask_text(gist))


def _described(raw: Mapping[str, Any]) -> Said:
    kind = str(raw.get("kind"))
    name = words.kind_name(kind)
    match raw.get("op"):
        case "create":
            values = raw.get("values")
            return Said(_("新建%(kind)s", kind=name), _pairs(kind, values))
        case "set":
            fields = raw.get("fields")
            changed = {
                field: pair[1]
                for field, pair in (fields if isinstance(fields, dict) else {}).items()
                if isinstance(pair, list) and len(pair) == 2
            }
            return Said(_("修改%(kind)s", kind=name), _pairs(kind, changed))
        case "add" | "remove" as op:
            field = str(raw.get("name"))
            text = _("给%(kind)s添加") if op == "add" else _("从%(kind)s去掉")
            return Said(text % {"kind": name}, _pairs(kind, {field: raw.get("elements")}))
        case "act":
            action = str(raw.get("action"))
            data = raw.get("data")
            text = _("对%(kind)s：%(action)s", kind=name, action=words.action_name(action))
            shown = data if isinstance(data, dict) else {}
            return Said(text, _pairs(kind, shown))
        case "delete":
            return Said(_("删除%(kind)s", kind=name), ())
    return Said(_("无法识别的内容"), ())


def _pairs(kind: str, values: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(values, dict):
        return ()
    shown = []
    for field, value in values.items():
        if value in (None, "", []) or field in ("sha256",):
            continue
        label = _("说明") if field == "reason" else words.field_name(kind, str(field))
        shown.append((label, _text(kind, str(field), value)))
    return tuple(shown)


def _text(kind: str, field: str, value: Any) -> str:
    if isinstance(value, str) and ids.is_id(value):
        return _("另一条记录")
    try:
        return words.value_text(kind, field, value)
    except (TypeError, ValueError, KeyError, OverflowError, OSError, AttributeError):
        return str(value)


def _member(text: str | None, name: str) -> Any:
    try:
        raw = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return raw.get(name) if isinstance(raw, dict) else None


def _places(reading: Any, codes: list[str | None]) -> dict[str, str]:
    partitions = [ids.area_partition(code) for code in codes if code]
    found = names.places(reading, partitions)
    return {code: found.get(ids.area_partition(code), code) for code in codes if code}
