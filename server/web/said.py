"""What operations say, in words: of a transaction in quarantine, of a row that is offered back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _

from server.core import masking
from server.web import words
from shared import ids, records

# What a list shows of a transaction: the first of these that it has.
_GIST = ("description", "note", "reason", "result", "name", "target_name", "contact_name")
_NO_FIELD = records.Field("", records.TEXT, records.LATEST, "", "")


@dataclass(frozen=True)
class Said:
    """One operation in words: what it would have done, and its values as (field, text)."""

    what: str
    values: tuple[tuple[str, str], ...]
    gist: str = ""


def operations(text: str | None) -> list[Said]:
    """What a transaction's text says; whatever cannot be read is left out, never raised."""
    found = member(text, "operations")
    if not isinstance(found, list):
        return []
    return [_said(one) for one in found if isinstance(one, dict)]


def _said(raw: Mapping[str, Any]) -> Said:
    whole = described(raw)
    values = raw.get("values") or raw.get("data") or {}
    own = gist(str(raw.get("kind")), values)
    return replace(whole, gist=own or masking.mask_text(whole.values[0][1] if whole.values else ""))


def gist(kind: str, values: Any) -> str:
    """What a list shows of a record's values, masked; "" for nothing."""
    if not isinstance(values, dict):
        return ""
    found = next(((n, values[n]) for n in _GIST if values.get(n)), None)
    if found is None:
        return ""
    name, value = found
    if name == "contact_name" or (kind == "resident" and name == "name"):
        return masking.mask_name(str(value))
    if records.FIELDS.get(kind, {}).get(name, _NO_FIELD).type == records.CODE:
        return text_of(kind, name, value)
    return masking.mask_text(str(value))


def described(raw: Mapping[str, Any]) -> Said:
    """One operation in words, its values whole."""
    kind = str(raw.get("kind"))
    name = words.kind_name(kind)
    match raw.get("op"):
        case "create":
            values = raw.get("values")
            return Said(_("新建%(kind)s", kind=name), pairs(kind, values))
        case "set":
            fields = raw.get("fields")
            changed = {
                field: pair[1]
                for field, pair in (fields if isinstance(fields, dict) else {}).items()
                if isinstance(pair, list) and len(pair) == 2
            }
            return Said(_("修改%(kind)s", kind=name), pairs(kind, changed))
        case "add" | "remove" as op:
            field = str(raw.get("name"))
            text = _("给%(kind)s添加") if op == "add" else _("从%(kind)s去掉")
            return Said(text % {"kind": name}, pairs(kind, {field: raw.get("elements")}))
        case "act":
            action = str(raw.get("action"))
            data = raw.get("data")
            text = _("对%(kind)s：%(action)s", kind=name, action=words.action_name(action))
            shown = data if isinstance(data, dict) else {}
            return Said(text, pairs(kind, shown))
        case "delete":
            return Said(_("删除%(kind)s", kind=name), ())
    return Said(_("无法识别的内容"), ())


def pairs(kind: str, values: Any) -> tuple[tuple[str, str], ...]:
    """Values as (name of the field, text), without what is empty."""
    if not isinstance(values, dict):
        return ()
    shown = []
    for field, value in values.items():
        if value in (None, "", []) or field in ("sha256",):
            continue
        own = str(field) in records.FIELDS.get(kind, {})
        said_why = field == "reason" and not own  # an action's reason is no field of its problem
        label = _("说明") if said_why else words.field_name(kind, str(field))
        shown.append((label, text_of(kind, str(field), value)))
    return tuple(shown)


def text_of(kind: str, field: str, value: Any) -> str:
    """One value in words, whatever it is."""
    if isinstance(value, str) and ids.is_id(value):
        return _("另一条记录")
    try:
        return str(words.value_text(kind, field, value))
    except (TypeError, ValueError, KeyError, OverflowError, OSError, AttributeError):
        return str(value)


def member(text: str | None, name: str) -> Any:
    """A member of the transaction's text; None where that cannot be read.

    The text may say anything: half a surrogate pair, which no page can show, comes as "?".
    """
    try:
        raw = json.loads(text or "")
        found = raw.get(name) if isinstance(raw, dict) else None
        return json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
