"""The three rates as a sheet to hand on: counts, rates, what is left out, and the formulas."""

from __future__ import annotations

from typing import BinaryIO

from server.core.access import Viewer
from server.core.export_columns import NUMBER, Cell, Column, moment
from server.errors import Trouble
from server.operations import audit_log
from server.operations.export_files import Heading, Xlsx
from server.storage.database import db
from server.storage.database import write as writing
from server.storage.queries import names, rates
from server.storage.queries.rates import Group, Period
from shared import ids
from shared import rates as rules

GROUPS = {
    "area": "网格", "community": "社区", "street": "街道", "body": "责任单位", "category": "类别",
    "month": "月份",
}  # fmt: skip


def columns(by: str) -> list[Column]:
    """The columns of a sheet: the group, how many came in, and four for each rate."""
    found = [Column(GROUPS[by], width=26), Column("收到", NUMBER, 8)]
    for rate in rules.RATES:
        name = rules.WORDS[rate][0]
        found += [
            Column(name, width=9), Column(f"{name}分子", NUMBER, 8),
            Column(f"{name}分母", NUMBER, 8), Column(f"{name}不计入", width=22),
        ]  # fmt: skip
    return found


def write(
    file: BinaryIO, viewer: Viewer, period: Period, by: str, told: str, now: int,
    address: str | None = None,
) -> str:  # fmt: skip
    """Write the sheet and note it in the audit log; returns the file's name without its ending.

    Raises Trouble "forbidden". ``told`` is the period in words.
    """
    area = period.area or viewer.area_code
    if not viewer.may("export") or not viewer.sees_area(area):
        raise Trouble("forbidden")
    detail = {"format": "xlsx", "by": by, "period": told}
    with writing() as session:
        audit_log.record(session, viewer.user_id, "export_rates", None, area, detail, address)
    session = db.session()
    groups = rates.grouped(session, viewer, period, by, now)
    place = names.areas(session, [area]).get(area, "") if area != ids.ROOT_AREA else ""
    title = f"{place}三率　{told}　{moment(now):%Y-%m-%d %H:%M} 统计"
    writer = Xlsx(file, Heading(title, "三率", columns(by)))
    called = _names(by, groups)
    for one in [*groups, rates.total(groups)]:
        writer.add(_row(called.get(one.key, one.key) if one in groups else "合计", one), None)
    for rate in rules.RATES:
        text = f"{rules.WORDS[rate][0]} = {rules.FORMULAS[rate][0]}"
        writer.add([text, *[None] * (1 + 4 * len(rules.RATES))], None)
    writer.finish()
    return f"三率_{GROUPS[by]}"


def _row(name: str, one: Group) -> list[Cell]:
    cells: list[Cell] = [name, one.total]
    for rate in rules.RATES:
        found = one.rates[rate]
        left = one.left_out[rate]
        cells += [
            percent(found.share), found.good, found.counted,
            "；".join(f"{rules.LEFT_OUT[why][0]} {number}" for why, number in left.items()),
        ]  # fmt: skip
    return cells


def percent(share: float | None) -> str:
    """A rate as people write it; a dash where nothing counts."""
    return "—" if share is None else f"{share * 100:.1f}%"


def _names(by: str, groups: list[Group]) -> dict[str, str]:
    session = db.session()
    keys = [one.key for one in groups if one.key]
    blank = {"": "（没有责任单位）" if by == "body" else "（没有）"}
    if by in ("body", "category"):
        known = {code: one.name for code, one in names.references(session, by).items()}
    elif by == "area":
        partitions = {key: ids.area_partition(key) for key in keys}
        places = names.places(session, partitions.values())
        known = {key: places[partition] for key, partition in partitions.items()}
    elif by == "month":
        known = {}
    else:
        known = names.areas(session, keys)
    return blank | known
