"""Export the ledger or the visits of an area: masked unless permitted, and always audited."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Select, and_, func, select, true
from sqlalchemy.orm import Session

from server.core import export_columns
from server.core.access import Viewer
from server.core.export_columns import Names, Place, moment
from server.errors import Trouble
from server.operations import audit_log, campaigns, export_files
from server.operations.clock import now_ms
from server.storage.database import db, snapshot, write
from server.storage.models import Compound, Household, Problem, Visit
from server.storage.queries import names as named
from server.storage.queries import problems, visits
from server.storage.tables import User
from shared import ids

KINDS = {"ledger": "问题台账", "visits": "走访记录"}
FORMATS: dict[str, Any] = {
    "xlsx": export_files.Xlsx,
    "csv": export_files.Csv,
    "geojson": export_files.GeoJson,
}
MIME = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "geojson": "application/geo+json",
}
_FILTERS: dict[str, Any] = {"ledger": problems.ProblemFilter, "visits": visits.VisitFilter}
CHUNK = 1000
MAX_REASON = 200
Progress = Callable[[int, int], None]


def export(
    kind: str,
    viewer: Viewer,
    area_code: str,
    format: str,
    target: Path | str | BinaryIO,
    filters: Mapping[str, Any] | problems.ProblemFilter | visits.VisitFilter | None = None,
    unmasked: bool = False,
    reason: str = "",
    progress: Progress | None = None,
    who: str = "",
    address: str | None = None,
) -> int:
    """Write one export and return its number of rows.

    ``kind`` is one of KINDS, ``format`` of FORMATS. A ``target`` path gets the whole file or is
    left as it was; a binary file object is written to from where it stands. ``filters`` are those
    of the list pages (ProblemFilter, VisitFilter, or their fields). ``unmasked`` needs the
    permission export_unmasked and a reason, and marks the file with who and when; ``who`` names
    the person where the viewer has no account. ``progress`` is told (rows done, of how many).

    The audit row is written first, so that no data leaves without one. Raises Trouble "forbidden",
    "invalid", "unknown_field".
    """
    check(kind, viewer, area_code, format, unmasked, reason)
    chosen = _filter(kind, filters, area_code)
    now = now_ms()
    with write() as session:
        account = session.get(User, viewer.user_id) if viewer.user_id else None
        name = who or (account.name if account else "")
        area = _area_name(session, area_code)
        detail = {
            "format": format,
            "unmasked": unmasked,
            "filters": {n: value for n, value in asdict(chosen).items() if value and n != "area"},
        }
        if unmasked:
            detail["reason"] = reason.strip()
        if who:
            detail["who"] = who
        actor = viewer.user_id or None
        audit_log.record(session, actor, f"export_{kind}", None, area_code, detail, address)
    heading = export_files.Heading(
        title=f"{area}{KINDS[kind]}　{moment(now):%Y-%m-%d %H:%M} 导出"
        + ("" if unmasked else "（已脱敏）"),
        sheet=KINDS[kind],
        columns=export_columns.LEDGER if kind == "ledger" else export_columns.VISITS,
        watermark=watermark(name, now, reason) if unmasked else "",
    )
    with _opened(target) as file, snapshot() as session:
        writer: export_files.Writer = FORMATS[format](file, heading)
        done = 0
        total = 0
        query = _query(session, kind, viewer, chosen, now)
        if progress:
            counted = query.order_by(None).with_only_columns(func.count())
            total = session.scalar(counted) or 0
        rows = _rows(session, kind, query, viewer, area_code, not unmasked, now)
        with closing(rows):
            for row, where in rows:
                writer.add(row, where)
                done += 1
                if progress and (done % CHUNK == 0 or done == total):
                    progress(done, total)
        writer.finish()
    return done


def count(kind: str, viewer: Viewer, filters: Any, upto: int) -> int:
    """How many rows an export would have, counted up to a number."""
    session = db.session()
    if kind == "ledger":
        query: Select[Any] = problems.matching(session, viewer, filters, now_ms())
    else:
        query = visits.matching(viewer, filters)
    some = query.order_by(None).with_only_columns(true()).limit(upto).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def file_name(kind: str, area_code: str, format: str, at: int | None = None) -> str:
    """What to call the file: 问题台账_410103007_20240501.xlsx."""
    return f"{KINDS[kind]}_{area_code}_{moment(now_ms() if at is None else at):%Y%m%d}.{format}"


def check(
    kind: str, viewer: Viewer, area_code: str, format: str, unmasked: bool, reason: str
) -> None:
    """Whether the viewer may have this export; raises Trouble forbidden or invalid."""
    if kind not in KINDS:
        raise Trouble("invalid", f"导出种类只能是 {', '.join(KINDS)} / Unknown kind {kind}")
    if format not in FORMATS:
        raise Trouble("invalid", f"格式只能是 {', '.join(FORMATS)} / Unknown format {format}")
    if not viewer.may("export") or not viewer.sees_area(area_code):
        raise Trouble("forbidden")
    if unmasked:
        check_unmasked(viewer, reason)


def check_unmasked(viewer: Viewer, reason: str) -> None:
    """What leaves unmasked needs the permission and a reason. Raises Trouble forbidden, invalid."""
    if not viewer.may("export_unmasked"):
        raise Trouble("forbidden")
    if not reason.strip() or len(reason) > MAX_REASON:
        text = (
            f"导出未脱敏数据要写明用途（最多 {MAX_REASON} 个字）/ "
            f"An unmasked export needs a reason of at most {MAX_REASON} characters"
        )
        raise Trouble("invalid", text, {"reason": [text]})


def _filter(kind: str, filters: Any, area_code: str) -> Any:
    wanted = _FILTERS[kind]
    if isinstance(filters, problems.ProblemFilter | visits.VisitFilter):
        filters = asdict(filters)
    given = dict(filters or {})
    if kind == "ledger":
        given.setdefault("sort", "oldest")
    unknown = set(given) - {f.name for f in fields(wanted)}
    if unknown or given.get("sort", "oldest") not in problems.SORTS:
        name = min(unknown, default="sort")
        raise Trouble("unknown_field", f"没有筛选项 {name} / There is no filter {name}")
    return wanted(**{**given, "area": area_code})


def _area_name(session: Session, area_code: str) -> str:
    if area_code == ids.ROOT_AREA:
        return ""
    name = named.areas(session, [area_code]).get(area_code)
    if name is None:
        raise Trouble("invalid", f"没有区划代码 {area_code} / There is no area {area_code}")
    return name


def watermark(name: str, now: int, reason: str) -> str:
    """Who took what is not masked, when and what for: it stands inside the file."""
    return f"未脱敏，请注意保密：{name} {moment(now):%Y-%m-%d %H:%M} 导出，用途：{reason.strip()}"


def _query(session: Session, kind: str, viewer: Viewer, chosen: Any, now: int) -> Select[Any]:
    """The rows, each with what it is about; the columns of the place have the prefix place_."""
    model = Problem if kind == "ledger" else Visit
    if kind == "ledger":
        query: Select[Any] = problems.matching(session, viewer, chosen, now)
        order = problems.SORTS[chosen.sort]
    else:
        query = visits.matching(viewer, chosen)
        order = (Visit.visited_at, Visit.id)
    home = and_(Household.id == model.target_id, model.target_kind == "household")
    yard = Compound.id == func.coalesce(Household.compound_id, model.target_id)
    joined = model.__table__.outerjoin(Household.__table__, home).outerjoin(
        Compound.__table__, yard
    )
    place = [
        Compound.name.label("place_compound"),
        func.coalesce(Household.address, Compound.address).label("place_address"),
        Household.building.label("place_building"),
        Household.unit.label("place_unit"),
        Household.door.label("place_door"),
        Household.contact_name.label("place_contact"),
        Household.position.label("place_home"),
        Compound.position.label("place_yard"),
    ]
    columns = [*model.__table__.c, *place]
    return query.with_only_columns(*columns).select_from(joined).order_by(*order)


def _rows(
    session: Session,
    kind: str,
    query: Select[Any],
    viewer: Viewer,
    area_code: str,
    masked: bool,
    now: int,
) -> Generator[tuple[list[export_columns.Cell], Mapping[str, float] | None], None, None]:
    words = _names(session, replace(viewer, area_code=area_code))
    streamed = session.execute(query.execution_options(yield_per=CHUNK))
    with streamed:
        yield from _cells(kind, streamed.mappings(), words, masked, now)


def _cells(
    kind: str, rows: Iterable[Any], words: Names, masked: bool, now: int
) -> Iterator[tuple[list[export_columns.Cell], Mapping[str, float] | None]]:
    for number, found in enumerate(rows, start=1):
        row: dict[str, Any] = {**found}
        place = Place(
            row["place_compound"] or "",
            row["place_address"] or "",
            row["place_building"] or "",
            row["place_unit"] or "",
            row["place_door"] or "",
            row["place_contact"] or "",
            row["place_home"] or row["place_yard"],
        )
        if kind == "ledger":
            cells = export_columns.ledger_row(number, row, place, words, masked, now)
        else:
            cells = export_columns.visit_row(row, place, words, masked)
        yield cells, export_columns.position(row, place, masked)


def _names(session: Session, viewer: Viewer) -> Names:
    return Names(
        grids={ids.grid_partition(code): name for code, name in named.grids(session, viewer)},
        categories={c: one.name for c, one in named.references(session, "category").items()},
        bodies={c: one.name for c, one in named.references(session, "body").items()},
        campaigns=campaigns.known(session),
        people={user_id: name for user_id, name in session.execute(select(User.id, User.name))},
    )


@contextmanager
def _opened(target: Path | str | BinaryIO) -> Iterator[BinaryIO]:
    """The file to write to; a path is only replaced when all has been written."""
    if not isinstance(target, Path | str):
        yield target
        return
    path = Path(target)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    except OSError as error:
        raise Trouble(
            "invalid", f"写不了 {path} / Cannot write {path}: {error.strerror}"
        ) from error
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
