"""Categories of problems: the shipped set, editing, import and export as XLSX.

They hold everywhere and live in the root area's partition; phones hear of each change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core import category_sheet
from server.core.access import Viewer
from server.core.category_sheet import HEADINGS, Category, Wrong
from server.core.export_columns import Column
from server.errors import Trouble
from server.operations import audit_log, roster_file
from server.operations.accounts import operator
from server.operations.export_files import Heading, Xlsx
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.models import Reference
from shared import ids
from shared.operations import CREATE, SET, Operation

_WIDTHS = (20, 14, 24, 28, 16, 18, 12, 12, 12, 10, 10, 10, 6, 6)
_HEAD_ROWS = 20  # a header further down is none
MOST = 2000  # categories of a file
AT_ONCE = 10 * MOST  # operations of one commit: all of them


@dataclass(frozen=True)
class Issue:
    """Why a row was not taken: its number in the sheet, and the cause."""

    row: int
    zh: str
    en: str


@dataclass
class Report:
    """What a change of categories did, or with ``dry_run`` would do."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    issues: list[Issue] = field(default_factory=list)


def listed() -> list[Category]:
    """Every category there is, those that are switched off too, in their order."""
    found = [_category(one) for one in _known("category").values()]
    return sorted(found, key=lambda one: (one.position_no, one.code))


def load_shipped(by: str | None = None) -> Report:
    """Create what is missing of the shipped bodies and categories; what is there stays as it is."""
    there = _known("body")
    bodies = [
        _create("body", code, zh, en, True, number, None)
        for number, (code, zh, en) in enumerate(category_sheet.shipped_bodies())
        if code not in there
    ]
    _submit(bodies, by)
    known = _known("category")
    missing = [one for one in category_sheet.shipped() if one.code not in known]
    report = save(missing, by)
    report.unchanged = len(category_sheet.shipped()) - len(missing)
    return report


def import_file(path: Path, by: str | None = None, dry_run: bool = False, name: str = "") -> Report:
    """Take the good rows of an XLSX as it was exported; the same file again changes nothing.

    A category that is not in the file stays. ``name`` is the file's name for people. Raises
    Trouble "invalid" for a file without a header, "too_large".
    """
    report = Report()
    good = _read(path, name or path.name, report)
    done = save(good, by, dry_run)
    done.issues = sorted(report.issues, key=lambda one: one.row)
    return done


def export_file(file: BinaryIO) -> int:
    """Write every category as XLSX; returns how many."""
    columns = [Column(h, width=w) for h, w in zip(HEADINGS, _WIDTHS, strict=True)]
    writer = Xlsx(file, Heading("问题类别", "问题类别", columns))
    rows = listed()
    for one in rows:
        writer.add(category_sheet.cells(one), None)
    writer.finish()
    return len(rows)


def edit(viewer: Viewer, texts: Mapping[str, str], new: bool = False) -> Report:
    """Create or change one category from the texts under HEADINGS. Raises Trouble, Wrong.

    ``new``: it must not be there yet. One is retired by 启用 否, never deleted.
    """
    if not viewer.may("categories"):
        raise Trouble("forbidden")
    code = texts.get("代码", "").strip()
    if new and code in _known("category"):
        raise Wrong(f"代码“{code}”已经有了", f"Code “{code}” is taken")
    one = category_sheet.parsed(texts, _bodies())
    if one.parent and one.parent not in _first_level():
        raise Wrong(f"没有大类“{one.parent}”", f"There is no first level “{one.parent}”")
    return save([one], viewer.user_id)


def save(wanted: Iterable[Category], by: str | None = None, dry_run: bool = False) -> Report:
    """Create the new ones and change those that differ. What was dispatched keeps its deadline."""
    report, known, operations = Report(), _known("category"), list[Operation]()
    for one in wanted:
        standing = known.get(one.code)
        if standing is None:
            report.created.append(one.code)
            operations.append(
                _create("category", one.code, one.name, one.name_en, one.active, one.position_no,
                        dict(one.data))
            )  # fmt: skip
            continue
        new = {
            "name": one.name,
            "name_en": one.name_en or None,
            "active": one.active,
            "position_no": one.position_no,
            "data": _merged(standing.data, one.data),
        }
        fields = {n: (getattr(standing, n), x) for n, x in new.items() if getattr(standing, n) != x}
        if not fields:
            report.unchanged += 1
            continue
        report.changed.append(one.code)
        operations.append(
            Operation(SET, "reference", standing.id, standing.partition_id, seq=standing.seq,
                      rev=standing.rev, fields=fields)
        )  # fmt: skip
    if not dry_run and operations:
        _submit(operations, by, report)
    return report


def _merged(old: Any, new: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a category beside the sheet's columns stays; old forms of limits go."""
    kept = {n: x for n, x in (old or {}).items() if n not in ("hours", "unit", "place")}
    return {**kept, **new}


def _read(path: Path, name: str, report: Report) -> list[Category]:
    bodies, found = _bodies(), dict[str, tuple[int, Category]]()
    columns: dict[str, int] | None = None
    for sheet in roster_file.sheets(path, name):
        columns = None
        for number, row in sheet.rows:
            if columns is None:
                columns = category_sheet.header(row) if number <= _HEAD_ROWS else None
                continue
            texts = {h: _text(row[n]) if n < len(row) else "" for h, n in columns.items()}
            if not any(texts.values()):
                continue
            try:
                one = category_sheet.parsed(texts, bodies)
                if one.code in found:
                    first = found[one.code][0]
                    raise Wrong(f"代码与第 {first} 行重复", f"Code stands in row {first} already")
                found[one.code] = (number, one)
                if len(found) > MOST:
                    raise Trouble("too_large", f"{name}: > {MOST}")
            except Wrong as wrong:
                report.issues.append(Issue(number, wrong.zh, wrong.en))
        if found:
            break
    if columns is None:
        raise Trouble(
            "invalid",
            f"{name} 里没有表头，要有：代码、名称 / {name} has no header: 代码, 名称",
        )
    groups = _first_level() | {one.code for _, one in found.values() if not one.parent}
    good = []
    for number, one in found.values():
        if one.parent and one.parent not in groups:
            report.issues.append(
                Issue(number, f"没有大类“{one.parent}”", f"There is no first level “{one.parent}”")
            )
        else:
            good.append(one)
    return good


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip().removeprefix("'")


def _category(one: Any) -> Category:
    active = one.active is not False
    number = one.position_no or 0
    return Category(one.code, one.name, one.name_en or "", active, number, one.data or {})


def _first_level() -> set[str]:
    return {code for code, one in _known("category").items() if not (one.data or {}).get("parent")}


def _bodies() -> dict[str, str]:
    known = _known("body")
    return {one.name: code for code, one in known.items()} | {code: code for code in known}


def _known(type_: str) -> dict[str, Any]:
    query = select(Reference).where(Reference.type == type_, Reference.deleted_at.is_(None))
    return {one.code: one for one in db.session.scalars(query)}


def _create(
    type_: str, code: str, zh: str, en: str, active: bool, number: int, data: Any
) -> Operation:
    values = {
        "type": type_, "code": code, "name": zh, "name_en": en or None, "data": data,
        "active": active, "position_no": number,
    }  # fmt: skip
    partition = ids.area_partition(ids.ROOT_AREA)
    return Operation(CREATE, "reference", ids.new_id(), partition, values=values)


def _submit(operations: Iterable[Operation], by: str | None, report: Report | None = None) -> None:
    """Apply them all in one commit, with the audit row of what ``report`` says."""
    author = by or operator()

    def note(session: Session) -> None:
        if report is not None:
            detail = {"created": report.created[:50], "changed": report.changed[:50]}
            audit_log.record(session, by, "categories", None, None, detail)

    entries = [Entry(author, [one]) for one in operations]
    list(submit_many(entries, kind="import", sender=by, batch=AT_ONCE, also=note))
