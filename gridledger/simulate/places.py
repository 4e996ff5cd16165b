"""Where a transaction is: applied, in conflict, in quarantine; never nowhere, never twice.

Receipts alone are not believed: what they say must show in the records, the history, the conflicts
or the quarantine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridledger.simulate.record import Record, Saved
from server.storage.models import MODELS
from server.storage.tables import Change, Quarantined, Receipt
from shared import records

APPLIED, CONFLICT, QUARANTINED = "applied", "conflict", "quarantined"
LOST, DUPLICATED = "lost", "duplicated"
_REVIEWED = {
    kind.name: {f.name for f in kind.fields if f.rule == records.REVIEW}
    for kind in records.KINDS.values()
}


class Places:
    """The server's tables, read once."""

    def __init__(self, session: Session, record: Record) -> None:
        self._results = {
            row[0]: row[1] for row in session.execute(select(Receipt.id, Receipt.result))
        }
        self._kept: dict[str, list[Quarantined]] = {}
        for row in session.scalars(select(Quarantined)):
            if row.tx_id:
                self._kept.setdefault(row.tx_id, []).append(row)
        self._records: dict[str, dict[str, Any]] = {}
        self._notes: Counter[str] = Counter()
        for kind, model in MODELS.items():
            names = records.FIELDS[kind]
            for one in session.execute(select(model.__table__)).mappings():
                self._records[one["id"]] = {name: one[name] for name in names}
                if kind == "visit" and one["note"]:
                    self._notes[one["note"]] += 1
        self._done: Counter[tuple[str, str]] = Counter()
        self._written: dict[str, set[str]] = {}
        for change in session.scalars(select(Change)):
            if change.tx_id:
                self._done[change.tx_id, change.record_id] += 1
            seen = self._written.setdefault(change.record_id, set())
            for pair in change.changes.values():
                seen.update(_spelled(value) for value in pair)
        self._conflicts: dict[str, list[str]] = {}
        for record_id, values in self._records.items():
            if "about_id" in values and "accepted" in values:
                self._conflicts.setdefault(values["about_id"], []).append(record_id)
        self._texts = {tx_id: one.text for tx_id, one in record.saved.items()}

    def of(self, one: Saved) -> tuple[str, str]:
        """The place of a transaction, and why if it is lost or stands twice."""
        result = self._results.get(one.id)
        if result is None:
            return LOST, "the server has no receipt"
        kept = self._kept.get(one.id, [])
        twice = self._twice(one, kept)
        if twice:
            return DUPLICATED, twice
        released = any(row.state == "released" for row in kept)
        if result in ("held", "rejected") and not released:
            return self._quarantined(one, kept)
        gone = self._missing(one)
        if gone:
            return LOST, f"{result}, but {gone}"
        return (CONFLICT if result == "conflict" else APPLIED), ""

    def _quarantined(self, one: Saved, kept: list[Quarantined]) -> tuple[str, str]:
        if not kept:
            return LOST, "quarantined, but not there"
        if kept[0].code != "erased" and kept[0].text != one.text:
            return LOST, "its text in quarantine is another"
        return QUARANTINED, ""

    def _twice(self, one: Saved, kept: list[Quarantined]) -> str:
        """Done more often than it was asked for; visible and in quarantine both."""
        if len({row.code for row in kept}) < len(kept):
            return "kept twice in quarantine"
        wanted = Counter(operation["id"] for operation in one.operations)
        for operation in one.operations:
            if operation["op"] == "create" and operation["kind"] == "visit":
                note = operation["values"].get("note")
                if note and note.startswith("走访 ") and self._notes[note] > 1:
                    return f"{self._notes[note]} visits say {note!r}"
        for record_id, count in wanted.items():
            if self._done[one.id, record_id] > count:
                return f"changed {record_id} {self._done[one.id, record_id]} times"
        if any(row.state == "open" for row in kept):
            made = [o["id"] for o in one.operations if o["op"] == "create"]
            if any(record_id in self._records for record_id in made):
                return "applied, and open in quarantine"
        return ""

    def _missing(self, one: Saved) -> str:
        """What an applied transaction should have left and has not; "" if all is there."""
        for operation in one.operations:
            record_id, op = operation["id"], operation["op"]
            if record_id not in self._records:
                return f"the {operation['kind']} {record_id} is not there"
            if op == "create":
                lost = self._values_lost(record_id, operation["values"], operation["kind"])
            elif op == "set":
                new = {name: pair[1] for name, pair in operation["fields"].items()
                       if pair[0] != pair[1]}  # fmt: skip
                lost = self._values_lost(record_id, new, operation["kind"])
            else:
                lost = ""
            if lost:
                return lost
        return ""

    def _values_lost(self, record_id: str, values: dict[str, Any], kind: str) -> str:
        """Each value somebody typed stands in the record, its history, or one of its conflicts."""
        now = self._records[record_id]
        for name in _REVIEWED[kind] & set(values):
            value = values[name]
            if now.get(name) == value or _spelled(value) in self._written.get(record_id, ()):
                continue
            if not self._in_conflict(record_id, value):
                return f"{value!r} of {name} in {record_id} is nowhere"
        return ""

    def _in_conflict(self, record_id: str, value: Any) -> bool:
        for conflict_id in self._conflicts.get(record_id, ()):
            conflict = self._records[conflict_id]
            if value in _both(conflict):
                return True
            if _spelled(value) in self._written.get(conflict_id, ()):
                return True
        return False


def _both(conflict: dict[str, Any]) -> Iterable[Any]:
    return conflict["accepted"], conflict["proposed"], conflict["verdict"]


def _spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
