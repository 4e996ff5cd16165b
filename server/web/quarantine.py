"""What was held or rejected: why, from whom, and what it said, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from server.storage.database import db
from server.storage.queries import names, quarantine
from server.web import args, session, words
from shared import ids

pages = Blueprint("quarantine", __name__)
STATES = ("open", "released", "refused")


@dataclass(frozen=True)
class Said:
    """One operation in words: what it would have done, and its values as (field, text)."""

    what: str
    values: tuple[tuple[str, str], ...]


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
    viewer = session.need("quarantine")
    reading = db.session()
    entry = quarantine.visible(reading, viewer, entry_id)
    if entry is None:
        abort(404)
    return render_template(
        "quarantine/page.html",
        entry=entry,
        said=operations(entry.text),
        made_at=_member(entry.text, "made_at"),
        people=names.people(reading, [entry.author, entry.decided_by]),
        device=quarantine.device_of(reading, entry),
        places=_places(reading, [entry.area_code]),
        viewer=viewer,
    )


def operations(text: str | None) -> list[Said]:
    """What a transaction's text says; whatever cannot be read is left out, never raised."""
    found = _member(text, "operations")
    if not isinstance(found, list):
        return []
    return [_said(one) for one in found if isinstance(one, dict)]


def _said(raw: Mapping[str, Any]) -> Said:
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
