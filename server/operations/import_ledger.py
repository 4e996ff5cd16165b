"""Import a ledger (XLSX): our own export again, or a district's own sheet (DOMAIN: Exports).

The whole file is read and judged before anything is written; then again, row by row, so that none
of it is held in memory. A row is known by its ledger number, or where it has none by its content,
so that the same file a second time changes nothing. What is new comes in with one entry in its
history that says it was imported; an old one that is closed is closed from then, and archived by
the tick when its time has passed. Of one that is known only what people wrote is taken, and only
where nobody has changed it since; its steps stay those of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from server.core import ledger_sheet
from server.core.access import Viewer
from server.core.ledger_sheet import Entry, Header, Known
from server.core.scope import Sender
from server.errors import Trouble
from server.operations import audit_log, imported, roster_file
from server.operations.accounts import operator
from server.operations.batch import Batch
from server.operations.clock import now_ms
from server.operations.roster_grids import Grids
from server.operations.transact import locking, own_device
from server.storage.database import db
from server.storage.queries import names
from server.storage.settings import epoch
from server.storage.tables import User
from shared import ids

MOST = 100_000  # rows of a file
TOLD = 500  # issues that a report keeps
SAMPLE = 10
AT_ONCE = 200  # rows of one commit
Progress = Callable[[int, int], None]
Checked = Callable[[int], None]


@dataclass(frozen=True)
class Issue:
    """What is wrong with a row, in which column. ``bad``: it was not taken; else a remark."""

    sheet: str
    row: int
    column: str
    zh: str
    en: str
    bad: bool = True


@dataclass
class LedgerReport:
    """What an import did, or as a preview would do. Counts are rows.

    ``kept``: known ones of which a later change by somebody was kept. ``columns``: heading -> our
    field's heading. ``bad``: how many rows were not taken; ``issues`` holds the first TOLD.
    """

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: int = 0
    repeated: int = 0
    bad: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    skipped_sheets: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    preview: list[Entry] = field(default_factory=list)

    def tell(self, issue: Issue) -> None:
        """Keep an issue, as long as there is room."""
        if len(self.issues) < TOLD:
            self.issues.append(issue)


def import_ledger(
    path: Path,
    area_code: str = ids.ROOT_AREA,
    by: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    name: str = "",
    address: str | None = None,
    most: int = MOST,
    checked: Checked | None = None,
) -> LedgerReport:
    """Import the good rows of a file into the grids of an area; ``dry_run`` only reports.

    Rows go to the grid that 所属网格 names (a code or a name within the area), or to the area
    itself if it is a grid. ``checked`` is told how many rows were read and judged, then
    ``progress`` (rows done, of how many); ``name`` is the file's name for people, ``address`` the
    network address for the audit log. Raises Trouble "invalid", "too_large" (more than ``most``
    rows too) or "forbidden"; nothing is written then.
    """
    _check_by(by, area_code)
    session = db.session()
    source = _Source(path, name or path.name, session, area_code, most)
    report = LedgerReport()
    judged = imported.Judge(session, area_code)
    total = 0
    for part in _parts(source.entries(report)):
        for entry, verdict in judged.judge(part):
            _count(report, entry, verdict)
            if len(report.preview) < SAMPLE:
                report.preview.append(entry)
        total += len(part)
        if checked:
            checked(report.rows)
    if dry_run or not (report.created or report.changed):
        return report
    session.rollback()
    writer = _Writer(by, area_code, report, name or path.name, address)
    done = 0
    for part in _parts(source.entries(LedgerReport())):
        writer.write(part)
        done += len(part)
        if progress:
            progress(done, max(done, total))
    return report


def _count(report: LedgerReport, entry: Entry, verdict: imported.Verdict) -> None:
    match verdict.what:
        case "create":
            report.created += 1
        case "change":
            report.changed += 1
        case "bad":
            report.bad += 1
        case _:
            report.unchanged += 1
    report.kept += verdict.kept
    for remark in verdict.remarks:
        report.tell(
            Issue(entry.sheet, entry.row, remark.column, remark.zh, remark.en,
                  verdict.what == "bad")
        )  # fmt: skip


def _check_by(by: str | None, area_code: str) -> None:
    if by is None:
        return
    user = db.session.get(User, by)
    viewer = Viewer(by, user.role, user.area_code) if user and user.active else None
    if viewer is None or not viewer.may("import") or not viewer.sees_area(area_code):
        raise Trouble("forbidden")


def _parts(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while part := list(islice(entries, AT_ONCE)):
        yield part


class _Source:
    """The file, to be read more than once: its good rows, each with its grid's code."""

    def __init__(self, path: Path, shown: str, session: Session, area_code: str, most: int) -> None:
        self.path, self.shown, self.most = path, shown, most
        self.grids = Grids.within(session, area_code)
        self.known = _known(session)

    def entries(self, report: LedgerReport) -> Iterator[Entry]:
        """Every row that can be taken and is not there twice; what cannot be is told."""
        numbers: dict[str, int] = {}
        contents: set[bytes] = set()
        found_header = False
        for sheet in roster_file.sheets(self.path, self.shown):
            first = list(islice(sheet.rows, ledger_sheet.HEADER_ROWS))
            header = ledger_sheet.find_header(first)
            if header is None:
                report.skipped_sheets.append(sheet.name)
                continue
            found_header = True
            _describe(report, header)
            rows = [row for row in first if row[0] > header.row]
            for entry in self._read(sheet.name, header, rows, sheet.rows, report):
                if entry.ledger_no:
                    before = numbers.setdefault(entry.ledger_no, entry.row)
                    if before != entry.row:
                        _bad(report, entry, "台账编号", f"与第 {before} 行的编号相同",
                             f"The same number stands in row {before}")  # fmt: skip
                        continue
                elif entry.content in contents:
                    report.repeated += 1
                    continue
                else:
                    contents.add(entry.content)
                yield entry
        if not found_header:
            raise Trouble(
                "invalid",
                f"{self.shown} 里没有找到表头：要有问题描述、发现时间等列 / "
                f"No header found in {self.shown}: it needs columns such as 问题描述, 发现时间",
            )

    def _read(
        self, sheet: str, header: Header, first: list[Any], rest: Any, report: LedgerReport
    ) -> Iterator[Entry]:
        for rows in (first, rest):
            for number, cells in rows:
                read = ledger_sheet.read_row(header, sheet, number, cells, self.known)
                if read is None:
                    continue
                report.rows += 1
                if report.rows > self.most:
                    raise Trouble(
                        "too_large",
                        f"{self.shown} 超过 {self.most} 行，请分成几个文件，或用命令 import-ledger"
                        f" / {self.shown} has more than {self.most} rows: split it, or use the "
                        "command import-ledger",
                    )
                for wrong in read.wrong:
                    report.tell(Issue(sheet, number, wrong.column, wrong.zh, wrong.en))
                if read.entry is None:
                    report.bad += 1
                    continue
                grid, zh, en = self.grids.find(read.entry.grid)
                if not grid:
                    _bad(report, read.entry, "所属网格", zh, en)
                    continue
                yield imported.placed(read.entry, grid)


def _bad(report: LedgerReport, entry: Entry, column: str, zh: str, en: str) -> None:
    report.bad += 1
    report.tell(Issue(entry.sheet, entry.row, column, zh, en))


def _describe(report: LedgerReport, header: Header) -> None:
    for name in header.columns:
        report.columns[header.texts[name]] = ledger_sheet.HEADINGS[name][0]
    report.unused += [text for text in header.unused if text not in report.unused]


def _known(session: Session) -> Known:
    found: dict[str, dict[str, str]] = {}
    for type_ in ("category", "body"):
        words: dict[str, str] = {}
        for code, one in names.references(session, type_).items():
            for word in (one.name, one.name_en, code):
                if word:
                    words.setdefault(word, code)
        found[type_] = words
    return Known(found["category"], found["body"])


class _Writer:
    """Writes parts of a file, each in one commit; the audit row in the first."""

    def __init__(
        self, by: str | None, area_code: str, report: LedgerReport, shown: str, address: str | None
    ) -> None:
        self.by, self.area_code, self.address = by, area_code, address
        self.author = by or operator(area_code)
        self.detail: dict[str, Any] | None = {
            "file": shown, "rows": report.rows, "created": report.created,
            "changed": report.changed, "bad": report.bad,
        }  # fmt: skip

    def write(self, part: list[Entry]) -> None:
        """One commit; judged anew under the locks, for somebody may have come between."""
        now = now_ms()

        def once(session: Session, extra: frozenset[str]) -> None:
            device = own_device(session, self.by, "import", now, lock=False)
            sender = Sender(device.id, self.by, "", ids.ROOT_AREA, trusted=True)
            batch = Batch(session, sender, now, epoch(session), own=True)
            partitions = {ids.grid_partition(entry.grid) for entry in part}
            batch.prepare({}, partitions | extra)
            batch.begin(ids.new_id(), self.author, now)
            judge = imported.Judge(session, self.area_code)
            imported.write(batch, list(judge.judge(part)))
            batch.flush()
            if self.detail is not None:
                audit_log.record(
                    session, self.by, "import_ledger", None, self.area_code, self.detail,
                    self.address,
                )  # fmt: skip

        locking(once)
        self.detail = None
