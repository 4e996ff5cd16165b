"""Correct what is in quarantine: a form of each create and set, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from marshmallow import ValidationError

from server.web import args, said, words
from server.web.action_forms import Field
from shared import records, schemas
from shared.operations import CREATE, SET

# What people write; of the rest (a photo's checksum, an action) nothing can be put right by hand.
KINDS = ("compound", "household", "resident", "visit", "problem")
TYPES = (records.TEXT, records.CODE, records.BOOL, records.INT, records.MS, records.SET)
_YES, _NO = "1", "0"


@dataclass(frozen=True)
class Section:
    """The form of one operation: the fields that it has or needs, and those it leaves empty."""

    number: int
    title: str
    fields: tuple[Field, ...]
    more: tuple[Field, ...]


@dataclass(frozen=True)
class _Slot:
    """One value of one operation that can be corrected. ``name`` is its place in the form."""

    number: int
    declared: records.Field
    kind: str
    value: Any
    given: bool

    @property
    def name(self) -> str:
        return f"op{self.number}.{self.declared.name}"


def sections(
    text: str | None,
    categories: Mapping[str, str],
    tried: Any = None,
    wrong: Mapping[str, str] | None = None,
) -> list[Section]:
    """The forms of a transaction's operations; without ``tried`` they show what is wrong as it is.

    ``categories``: code -> name. ``tried`` is the form that was sent, ``wrong`` its errors.
    """
    listed = said.member(text, "operations")
    made: dict[int, tuple[list[Field], list[Field]]] = {}
    for slot in _slots(text):
        value = _shown(slot.value, slot.declared)
        error = "" if tried is not None else _fault(slot, slot.value) if slot.given else ""
        if tried is not None:
            value = (
                tried.getlist(slot.name)
                if slot.declared.type == records.SET
                else tried.get(slot.name, "")
            )
            error = (wrong or {}).get(slot.name, "")
        field = _field(slot, value, error, categories)
        there = slot.given or slot.declared.required or error
        made.setdefault(slot.number, ([], []))[0 if there else 1].append(field)
    return [
        Section(number, said.described(listed[number]).what, tuple(own), tuple(more))
        for number, (own, more) in made.items()
    ]


def read(text: str | None, form: Any) -> tuple[dict[int, dict[str, Any]], dict[str, str]]:
    """What the form puts right (operation number -> field -> value), and what is wrong in it.

    What is left as it was is no correction, but is checked too: it is what could not apply.
    """
    right: dict[int, dict[str, Any]] = {}
    wrong: dict[str, str] = {}
    for slot in _slots(text):
        if slot.declared.type == records.SET:
            tried: Any = sorted(set(form.getlist(slot.name)))
        else:
            tried = _lines(form.get(slot.name, ""))
        as_it_was = tried == _shown(slot.value, slot.declared)
        if as_it_was and not (slot.given and _fault(slot, slot.value)):
            missing = slot.declared.required and tried in ("", [])
            error = _("请填写这一项。") if missing else ""
        else:
            value, error = _parsed(tried, slot.declared)
            error = error or _fault(slot, value)
            if not error and not (value in (None, []) and slot.value in (None, "", [])):
                right.setdefault(slot.number, {})[slot.declared.name] = value
        if error:
            wrong[slot.name] = error
    return right, wrong


def names_of(text: str | None, field: str) -> list[str]:
    """The places in the form of a field that was refused."""
    return [slot.name for slot in _slots(text) if slot.declared.name == field]


def _slots(text: str | None) -> Iterator[_Slot]:
    found = said.member(text, "operations")
    for number, raw in enumerate(found if isinstance(found, list) else ()):
        if not isinstance(raw, dict) or raw.get("kind") not in KINDS:
            continue
        kind = str(raw["kind"])
        values = _values(raw)
        for declared in records.KINDS[kind].fields:
            if declared.rule == records.SERVER or declared.type not in TYPES:
                continue
            if declared.type == records.SET and not declared.choices:
                continue
            given = declared.name in values
            if given or raw.get("op") == CREATE:
                yield _Slot(number, declared, kind, values.get(declared.name), given)


def _values(raw: Mapping[str, Any]) -> dict[str, Any]:
    if raw.get("op") == CREATE:
        values = raw.get("values")
        return values if isinstance(values, dict) else {}
    if raw.get("op") == SET:
        changed = raw.get("fields")
        pairs = changed.items() if isinstance(changed, dict) else ()
        return {n: pair[1] for n, pair in pairs if isinstance(pair, list) and len(pair) == 2}
    return {}


def _shown(value: Any, declared: records.Field) -> Any:
    """A value as its widget holds it; empty where the widget cannot hold it."""
    codes = {one.code for one in declared.choices}
    match declared.type:
        case records.SET:
            known = value if isinstance(value, list) else []
            return sorted({one for one in known if one in codes})
        case records.BOOL:
            return {True: _YES, False: _NO}.get(value, "") if isinstance(value, bool) else ""
        case records.MS:
            fits = isinstance(value, int) and 0 <= value < 4 * 10**12
            return args.moment_text(value) if fits else ""
        case records.INT:
            return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
        case records.CODE:
            return value if isinstance(value, str) and (not codes or value in codes) else ""
    return _lines(value) if isinstance(value, str) else ""


def _lines(text: str) -> str:
    """As a browser sends it back and forth: one sort of line end, no blanks at the ends."""
    return text.replace("\r\n", "\n").strip()


def _parsed(tried: Any, declared: records.Field) -> tuple[Any, str]:
    """The value that a widget holds, and what is wrong with it."""
    if tried in ("", []):
        return ([] if declared.type == records.SET else None), ""
    match declared.type:
        case records.BOOL:
            return tried == _YES, ""
        case records.MS:
            moment = args.moment(tried)
            return moment, "" if moment is not None else _("请按 年-月-日 时:分 填写。")
        case records.INT:
            fits = tried.isascii() and tried.isdigit() and len(tried) < 10
            return (int(tried), "") if fits else (None, _("请填一个数字。"))
    return tried, ""


def _fault(slot: _Slot, value: Any) -> str:
    """Why a field cannot take a value, "" if it can."""
    declared = slot.declared
    if value in (None, ""):
        return _("请填写这一项。") if declared.required else ""
    try:
        schemas.check_value(slot.kind, declared.name, value)
    except ValidationError:
        match declared.type:
            case records.TEXT if isinstance(value, str) and len(value) > declared.limit:
                return _("最多 %(n)s 个字。", n=declared.limit)
            case records.CODE | records.SET | records.BOOL:
                return _("请从列表里选。原来写的是“%(value)s”。", value=_as_it_came(value))
            case _:
                return _("这一项写得不对，原来是“%(value)s”。", value=_as_it_came(value))
    return ""


def _as_it_came(value: Any) -> str:
    text = _("、").join(str(one) for one in value) if isinstance(value, list) else str(value)
    return text[:40]


def _field(slot: _Slot, value: Any, error: str, categories: Mapping[str, str]) -> Field:
    declared = slot.declared
    widget, options = "text", tuple(words.codes(slot.kind, declared.name))
    match declared.type:
        case records.CODE:
            if declared.name == "category":
                options = tuple(categories.items())
            widget = "select" if options else "text"
        case records.SET:
            widget = "checks"
        case records.BOOL:
            widget, options = "select", ((_YES, _("是")), (_NO, _("否")))
        case records.MS:
            widget = "moment"
        case records.TEXT if declared.limit > 200:
            widget = "long"
    label = words.field_name(slot.kind, declared.name)
    return Field(slot.name, label, widget, declared.required, value, options, error)
