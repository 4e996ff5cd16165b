"""Import the tree of areas: rows of code, name, parent, as the public division tables have them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.errors import Trouble
from server.operations import audit_log
from server.operations.accounts import operator
from server.operations.transact import Entry, submit_many
from server.storage.database import db, write
from server.storage.models import Area
from shared import ids, records
from shared.operations import CREATE, SET, Operation

LEVEL_OF_DIGITS = dict(
    zip(
        ids.AREA_DIGITS,
        ("province", "city", "county", "street", "community", "grid"),
        strict=True,
    )
)
_NAME_LIMIT = records.FIELDS["area"]["name"].limit
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AreaIssue:
    """Why a row was not taken: its number in the file (the header is row 1) and the cause."""

    row: int
    zh: str
    en: str


@dataclass
class AreaReport:
    """What an import did, or with ``dry_run`` would do."""

    created: int = 0
    renamed: int = 0
    unchanged: int = 0
    issues: list[AreaIssue] = field(default_factory=list)


@dataclass(frozen=True)
class _Area:
    row: int
    code: str
    name: str
    parent: str


def read_areas(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV file with the columns code, name and parent (UTF-8, a BOM is fine, or GBK).

    Raises Trouble "invalid" for a file that is not such a table.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError:
            text = ""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [(name or "").strip() for name in reader.fieldnames or ()]
    if "\0" in text or not {"code", "name"} <= set(names):
        raise Trouble(
            "invalid",
            f"{path.name} 不是区划表：第一行应为 code,name,parent / "
            f"{path.name} is not a table of areas: its first line must be code,name,parent",
        )
    reader.fieldnames = names
    try:
        rows: list[dict[str, Any]] = []
        for row in reader:
            cells: dict[str, Any] = {n: row.get(n) or "" for n in ("code", "name", "parent")}
            rows.append(cells | {"row": reader.line_num})
        return rows
    except csv.Error as error:
        raise Trouble(
            "invalid",
            f"第 {reader.line_num} 行读不出 / Line {reader.line_num} cannot be read: {error}",
        ) from error


def import_areas(
    rows: Iterable[Mapping[str, Any]],
    by: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> AreaReport:
    """Create the areas that are new and rename those that have another name; good rows go in.

    Each row has "code", "name" and "parent", and may have its number in the file as "row".

    The level follows from the number of digits. A row whose parent column is empty is the top of
    the tree; any other needs its parent in the file or in the database. Running it again changes
    nothing.
    """
    report = AreaReport()
    known = _known()
    good = _check(rows, set(known), report)
    entries = []
    author = by or operator()
    for one in good:
        standing = known.get(one.code)
        if standing is None:
            entries.append(Entry(author, [_create(one)]))
            report.created += 1
        elif standing.name != one.name:
            change = Operation(
                SET,
                "area",
                standing.id,
                standing.partition_id,
                seq=standing.seq,
                rev=standing.rev,
                fields={"name": (standing.name, one.name)},
            )
            entries.append(Entry(author, [change]))
            report.renamed += 1
        else:
            report.unchanged += 1
    if not dry_run and entries:
        with write() as session:
            detail = {"created": report.created, "renamed": report.renamed}
            audit_log.record(session, by, "area_import", None, None, detail)
        for done, _ in enumerate(submit_many(entries, kind="import", sender=by), start=1):
            if progress:
                progress(done, len(entries))
    report.issues.sort(key=lambda issue: issue.row)
    return report


def _known() -> dict[str, Area]:
    query = select(Area).where(Area.deleted_at.is_(None))
    return {area.code: area for area in db.session.scalars(query)}


def _create(one: _Area) -> Operation:
    values = {
        "code": one.code,
        "name": one.name,
        "level": LEVEL_OF_DIGITS[len(one.code)],
        "parent_code": one.parent or None,
    }
    return Operation(CREATE, "area", ids.new_id(), ids.area_partition(one.code), values=values)


def _check(
    rows: Iterable[Mapping[str, Any]], known: set[str], report: AreaReport
) -> Iterator[_Area]:
    """The good rows, parents before children; what is wrong with the others goes to the report."""
    found: dict[str, _Area] = {}
    for counted, row in enumerate(rows, start=2):
        number = int(row.get("row") or counted)
        one, zh, en = _read(number, row)
        if one is None:
            if zh:
                report.issues.append(AreaIssue(number, zh, en))
            continue
        twin = found.get(one.code)
        if twin is None:
            found[one.code] = one
        elif twin.name != one.name:
            report.issues.append(
                AreaIssue(
                    number,
                    f"代码 {one.code} 与第 {twin.row} 行重复，名称不同",
                    f"Code {one.code} stands in row {twin.row} with another name",
                )
            )
    there = set(known)
    for one in sorted(found.values(), key=lambda area: (len(area.code), area.row)):
        if one.parent and one.parent not in there:
            report.issues.append(
                AreaIssue(
                    one.row,
                    f"没有上级 {one.parent}",
                    f"Its parent {one.parent} is neither in the file nor in the database",
                )
            )
            continue
        there.add(one.code)
        yield one


def _read(number: int, row: Mapping[str, Any]) -> tuple[_Area | None, str, str]:
    code = str(row.get("code") or "").strip()
    name = str(row.get("name") or "").strip()
    parent = str(row.get("parent") or "").strip()
    if not (code or name or parent):
        return None, "", ""
    if not (code.isascii() and code.isdigit() and len(code) in LEVEL_OF_DIGITS):
        digits = "、".join(str(n) for n in LEVEL_OF_DIGITS)
        return (
            None,
            f"代码“{code}”应为 {digits} 位数字",
            f"Code “{code}” must have {', '.join(str(n) for n in LEVEL_OF_DIGITS)} digits",
        )
    if not name or len(name) > _NAME_LIMIT:
        return (
            None,
            f"名称应为 1 至 {_NAME_LIMIT} 个字",
            f"The name must have 1 to {_NAME_LIMIT} characters",
        )
    above = ids.ancestors(code)
    if parent and parent not in above[-1:]:
        return (
            None,
            f"上级“{parent}”与代码 {code} 不符",
            f"Parent “{parent}” does not fit code {code}",
        )
    return _Area(number, code, name, parent), "", ""
