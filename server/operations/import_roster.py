"""Import a household roster (XLSX): good rows go in, each bad one is told, twice changes nothing.

A door is known by its address within the grid. What a roster says anew becomes an edit by the
import's own device: a value that a worker changed since the last import is never overwritten; if
the roster changed it too, both stand in a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from server.core import roster
from server.core.access import Viewer
from server.core.roster import Household, Issue
from server.core.roster_cells import Cells
from server.core.roster_columns import HEADER_ROWS, Header, find_header
from server.errors import Trouble
from server.operations import audit_log
from server.operations.accounts import operator
from server.operations.roster_file import Sheet, sheets
from server.operations.roster_grids import Grids
from server.operations.roster_plan import Plan, plan_grid
from server.operations.transact import Entry, submit_many
from server.storage.database import db, write
from server.storage.tables import User

MAX_HOUSEHOLDS = 100_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Column:
    """One matched column: the sheet, how it is headed there, and our field's name."""

    sheet: str
    heading: str
    field: str


@dataclass
class RosterReport:
    """What an import did, or as a preview would do. Counts are households, but ``rows``.

    ``kept``: households of which a worker's later value was kept. ``conflicts``: opened ones.
    """

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    kept: int = 0
    compounds: int = 0
    conflicts: int = 0
    columns: list[Column] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    never_read: list[str] = field(default_factory=list)
    skipped_sheets: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    preview: list[Household] = field(default_factory=list)

    @property
    def bad(self) -> list[Issue]:
        """The rows that were not taken."""
        return [issue for issue in self.issues if issue.bad]


def import_roster(
    path: Path,
    area_code: str,
    by: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    name: str = "",
    address: str | None = None,
) -> RosterReport:
    """Import the households of a file into the grids of an area; ``dry_run`` only reports.

    Rows go to the grid that their 网格 column names (a code or a name within the area), or to the
    area itself if it is a grid. The whole file is read before anything is written. ``progress`` is
    told (households done, of how many). ``name`` is the file's name for people, ``address`` the
    network address, for the audit log. Raises Trouble "invalid", "too_large" or "forbidden".
    """
    _check_by(by, area_code)
    grids = Grids.within(db.session(), area_code)
    report = RosterReport()
    shown = name or path.name
    households, grid_of = _read(path, shown, grids, report)
    folded, report.repeated, contradictions = roster.fold(households, grid_of)
    report.issues += contradictions
    report.preview = folded[:10]
    by_grid: dict[str, list[Household]] = {}
    for one in folded:
        by_grid.setdefault(grid_of[one.sheet, one.row], []).append(one)
    if not dry_run:
        with write() as session:
            detail = {"file": shown, "rows": report.rows, "bad": len(report.bad)}
            audit_log.record(session, by, "import_roster", None, area_code, detail, address)
    author = by or operator(area_code)
    entries = _entries(by_grid, author, report, progress, len(folded))
    if dry_run:
        for _ in entries:
            pass
    else:
        for done in submit_many(entries, kind="import", sender=by):
            report.conflicts += len(done.conflicts)
    report.issues.sort(key=lambda issue: (issue.sheet, issue.row))
    return report


def _check_by(by: str | None, area_code: str) -> None:
    if by is None:
        return
    user = db.session.get(User, by)
    viewer = Viewer(by, user.role, user.area_code) if user and user.active else None
    if viewer is None or not viewer.may("import") or not viewer.sees_area(area_code):
        raise Trouble("forbidden")


def _entries(
    by_grid: dict[str, list[Household]],
    author: str,
    report: RosterReport,
    progress: Progress | None,
    total: int,
) -> Iterator[Entry]:
    """The transactions, grid by grid, one a household; counts them into the report."""
    done = 0
    for grid_code in sorted(by_grid):
        for plan in plan_grid(db.session(), grid_code, by_grid[grid_code]):
            _count(report, plan)
            done += 1
            if plan.operations:
                yield Entry(author, plan.operations)
            if progress:
                progress(done, total)


def _count(report: RosterReport, plan: Plan) -> None:
    report.compounds += plan.new_compound
    report.kept += plan.kept
    if plan.issue:
        report.issues.append(plan.issue)
    elif plan.created:
        report.created += 1
    elif plan.operations:
        report.changed += 1
    else:
        report.unchanged += 1


def _read(
    path: Path, shown: str, grids: Grids, report: RosterReport
) -> tuple[list[Household], dict[tuple[str, int], str]]:
    """All good rows of all sheets that have a header, and the grid of each."""
    households: list[Household] = []
    grid_of: dict[tuple[str, int], str] = {}
    found_header = False
    for sheet in sheets(path, shown):
        first = list(islice(sheet.rows, HEADER_ROWS))
        header = find_header(first)
        if header is None:
            report.skipped_sheets.append(sheet.name)
            continue
        found_header = True
        _describe(report, sheet, header)
        body = _after(header, first, sheet)
        for number, cells in body:
            one, issues = roster.read_row(header, sheet.name, number, cells)
            report.issues += issues
            report.rows += one is not None or any(issue.bad for issue in issues)
            if one is None:
                continue
            grid, zh, en = grids.find(one.grid)
            if not grid:
                report.issues.append(Issue(sheet.name, number, zh, en))
                continue
            households.append(one)
            grid_of[sheet.name, number] = grid
            if len(households) > MAX_HOUSEHOLDS:
                raise Trouble(
                    "too_large",
                    f"{shown} 超过 {MAX_HOUSEHOLDS} 户，请分成几个文件 / "
                    f"{shown} holds more than {MAX_HOUSEHOLDS} households: split it",
                )
    if not found_header:
        raise Trouble(
            "invalid",
            f"{shown} 里没有找到表头：要有姓名（户主、联系人）、电话、小区、楼栋、单元、房号"
            "或地址等列 / "
            f"No header found in {shown}: it needs columns such as name, phone, compound, "
            "building, unit, door or address",
        )
    return households, grid_of


def _after(
    header: Header, first: list[tuple[int, Cells]], sheet: Sheet
) -> Iterator[tuple[int, Cells]]:
    yield from (row for row in first if row[0] > header.row)
    yield from sheet.rows


def _describe(report: RosterReport, sheet: Sheet, header: Header) -> None:
    for name, indices in header.columns.items():
        report.columns += [Column(sheet.name, header.texts[i], name) for i in indices]
    report.unused += [text for text in header.unused if text not in report.unused]
    report.never_read += [text for text in header.forbidden if text not in report.never_read]
