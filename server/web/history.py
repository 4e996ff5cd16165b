"""The history of a record, from its changes, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from server.storage.queries.names import Person
from server.storage.tables import Change
from server.web import words
from shared import records

# What the server keeps beside a visible change; it would only repeat it.
_SILENT = {"reviewed_by", "reviewed_at", "step"}


@dataclass(frozen=True)
class Changed:
    """One field's change: its name, the old and the new value as texts ("" for nothing)."""

    field: str
    old: str
    new: str


@dataclass(frozen=True)
class Entry:
    """What one rev changed, who and when (ms)."""

    rev: int
    who: str
    at: int
    changes: tuple[Changed, ...]


def entries(
    kind: str,
    changes: Iterable[Change],
    people: Mapping[str, Person],
    names: Mapping[str, str] | None = None,
    hidden: Iterable[str] = (),
) -> list[Entry]:
    """The entries of a record's history that a person wants to read, newest first.

    Of ``hidden`` fields it says that they changed, not how.
    """
    veiled = set(hidden)
    known = {one.id: one.name for one in people.values()} | dict(names or {})
    found = []
    for change in changes:
        shown = tuple(
            Changed(
                words.field_name(kind, field),
                "" if field in veiled else words.value_text(kind, field, old, known),
                _("已改动") if field in veiled else words.value_text(kind, field, new, known),
            )
            for field, (old, new) in change.changes.items()
            if field not in _SILENT and (field in records.FIELDS[kind] or field == records.DELETED)
        )
        if shown:
            who = people.get(change.author or "")
            found.append(Entry(change.rev, who.name if who else "", change.at, shown))
    return found
