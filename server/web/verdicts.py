"""What a conflict's page shows and takes: differences marked, a widget for a third value."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from flask import request
from markupsafe import Markup

from server.storage.database import db
from server.storage.queries import names
from server.web import args, words
from shared import records

_WRITABLE = (records.TEXT, records.CODE, records.MS)


@dataclass(frozen=True)
class Third:
    """How a third value is written: a widget, its options, and what was tried."""

    widget: str  # text | long | select | moment
    options: tuple[tuple[str, str], ...]
    value: str
    may_be_empty: bool = False


def differences(one: str, other: str) -> tuple[Markup, Markup]:
    """Both texts, what differs marked."""
    left, right = Markup(""), Markup("")
    if len(one) + len(other) > 4000 or not one or not other:
        return Markup("{}").format(one), Markup("{}").format(other)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < 0.3:
        return Markup("{}").format(one), Markup("{}").format(other)
    for tag, a, b, c, d in matcher.get_opcodes():
        form = Markup("{}") if tag == "equal" else Markup("<mark>{}</mark>")
        if b > a:
            left += form.format(one[a:b])
        if d > c:
            right += form.format(other[c:d])
    return left, right


def third(conflict: Any) -> Third | None:
    """The widget for a third value; None where it can only be one of the two."""
    declared = records.FIELDS[conflict.about_kind].get(conflict.field)
    if declared is None or declared.type not in _WRITABLE:
        return None
    tried, empty = request.form.get("third", ""), not declared.required
    if declared.type == records.CODE and conflict.field == "category":
        pairs = [(code, name) for code, name in category_names().items()]
        return Third("select", tuple(pairs), tried, empty)
    if declared.type == records.CODE:
        options = tuple((c.code, c.en if words.english() else c.zh) for c in declared.choices)
        return Third("select", options, tried, empty) if options else None
    if declared.type == records.MS:
        return Third("moment", (), tried, empty)
    return Third("long" if declared.limit > 200 else "text", (), tried, empty)


def third_value(conflict: Any) -> Any:
    """The third value that the form holds; None for nothing, and for no moment."""
    text = request.form.get("third", "").strip()
    declared = records.FIELDS[conflict.about_kind].get(conflict.field)
    if declared is not None and declared.type == records.MS:
        return args.moment(text)
    return text or None


def leaves_empty(conflict: Any) -> bool:
    """Whether the form wishes the field empty, nothing being written in the box."""
    written = request.form.get("third", "").strip()
    declared = records.FIELDS[conflict.about_kind].get(conflict.field)
    optional = declared is not None and not declared.required
    return optional and not written and request.form.get("empty") == "1"


def category_names() -> dict[str, str]:
    """code -> name of every category."""
    listed = names.references(db.session(), "category")
    return {code: words.reference_name(one, code) for code, one in listed.items()}
