"""The work calendar: one reference record a year, beside what is shipped (shared/holidays.json)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.errors import Trouble
from server.operations import ledger_facts
from server.operations.accounts import operator
from server.operations.clock import now_ms
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.models import Reference
from shared import ids, work_calendar
from shared.operations import CREATE, SET, Operation

HORIZON = 60 * work_calendar.DAY  # how far ahead a missing year is warned of
KINDS = {"off": "off", "work": "work", "休": "off", "班": "work", "放假": "off", "上班": "work"}


def unknown_years(now: int | None = None) -> list[int]:
    """The years from now to the horizon whose public holidays are not known."""
    at = now_ms() if now is None else now
    calendar = ledger_facts.read_calendar(db.session())
    return work_calendar.unknown_years(calendar, at, at + HORIZON)


def years() -> dict[str, dict[str, Any]]:
    """Year -> its data, as shipped or as it was edited."""
    found = dict(work_calendar.shipped())
    for one in _known().values():
        found[one.code] = one.data or {}
    return dict(sorted(found.items()))


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Year -> data, from a CSV file of date,kind (2027-01-01,off; kind: off or work, 休 or 班).

    Raises Trouble "invalid" that names the first bad line.
    """
    found: dict[str, dict[str, Any]] = {}
    text = path.read_text(encoding="utf-8-sig")
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0] in ("date", "日期")):
            continue
        try:
            day, kind = date.fromisoformat(cells[0].replace("/", "-")), KINDS[cells[1]]
        except (ValueError, KeyError, IndexError):
            raise Trouble(
                "invalid",
                f"第 {number} 行应为 日期,off 或 日期,work / "
                f"Line {number} must be a date, then off or work",
            ) from None
        year = found.setdefault(str(day.year), {"published": True, "off": [], "work": []})
        year[kind].append(day.isoformat())
    if not found:
        raise Trouble("invalid", f"{path.name} 里没有日期 / There are no dates in {path.name}")
    return {year: {**data, "off": sorted(set(data["off"])), "work": sorted(set(data["work"]))}
            for year, data in found.items()}  # fmt: skip


def save(wanted: dict[str, dict[str, Any]], by: str | None = None) -> int:
    """Make these years so; returns how many changed. Deadlines that were given stand."""
    known, operations = _known(), list[Operation]()
    for year, data in wanted.items():
        standing = known.get(year)
        if standing is None:
            values = {"type": "calendar", "code": year, "name": f"{year}年节假日安排",
                      "name_en": f"Holidays {year}", "data": data, "active": True}  # fmt: skip
            partition = ids.area_partition(ids.ROOT_AREA)
            operations.append(
                Operation(CREATE, "reference", ids.new_id(), partition, values=values)
            )
        elif standing.data != data:
            operations.append(_change(standing, data))
    _submit(operations, by)
    return len(operations)


def _change(standing: Any, data: dict[str, Any]) -> Operation:
    return Operation(
        SET, "reference", standing.id, standing.partition_id, seq=standing.seq, rev=standing.rev,
        fields={"data": (standing.data, data)},
    )  # fmt: skip


def _submit(operations: Iterable[Operation], by: str | None) -> None:
    author = by or operator()
    list(submit_many([Entry(author, [one]) for one in operations], kind="import", sender=by))


def _known() -> dict[str, Any]:
    query = select(Reference).where(Reference.type == "calendar", Reference.deleted_at.is_(None))
    return {one.code: one for one in db.session.scalars(query)}
