"""A ledger from Excel: our own export again, a district's own sheet; twice without a change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import import_ledger as imports
from server.operations.clock import now_ms
from server.operations.export import export
from server.operations.imported import fits
from server.operations.tick import tick
from server.storage.database import db
from server.storage.models import Problem, Progress
from server.storage.tables import AuditEntry, LedgerSerial
from shared.work_calendar import DAY
from tests.builders import COMMUNITY, FAR_GRID, GRID, OTHER_GRID, STREET, World
from tests.imports import rosters
from tests.server.ledger import (
    act,
    assert_history_tells_the_state,
    closed,
    dispatched,
    found,
    report,
)

HEADER = ("序号", "编号", "日期", "所属网格", "具体地址", "问题内容", "问题类型", "责任单位",
          "完成时限", "办理情况", "办结时间", "群众满意度", "备注", "录入人")  # fmt: skip
OURS = f"{COMMUNITY}-2024-00007"


@pytest.fixture
def here(app: Flask, world: World) -> Iterator[World]:
    with app.app_context():
        yield world


def district(path: Path) -> Path:
    """A sheet as a district keeps it: title, odd headings, dates as texts; rows 8 to 10 are bad."""
    rows: list[tuple[Any, ...]] = [
        ("航苑社区2024年问题台账",),
        HEADER,
        (1, OURS, "2024-03-01", GRID, "1号楼", "楼道灯不亮", "lamp", "water", "2024.3.8", "已办结",
         "2024年3月5日", "满意", "老旧线路", "小王"),
        (2, "航2024-15", "2024/4/2 10:30", GRID, "2号楼", "三楼漏水", "leak", "water", None,
         "正在办理", None, None, None, "小王"),
        (3, None, "2024-05-01", OTHER_GRID, "东门", "井盖松动", "lamp", *[None] * 5, "待现场核实"),
        (None,),
        (3, None, "2024-05-01", OTHER_GRID, "东门", "井盖松动", "lamp"),
        (4, "x4", "昨天", GRID, "3号楼", "墙皮脱落", "lamp"),
        (5, "x5", "2024-05-02", "没有的网格", "3号楼", "墙皮脱落", "lamp"),
        (6, OURS, "2024-05-03", GRID, "4号楼", "", "没有的类别"),
        ("合计", 6),
    ]  # fmt: skip
    return rosters.write(path, rows, "A1:N1", sheet="台账")


def load(path: Path, world: World, area: str = STREET, **more: Any) -> imports.LedgerReport:
    return imports.import_ledger(path, area, by=world.users["admin"], **more)


def count(model: Any = Problem) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def taken(number: str) -> Any:
    db.session.expire_all()
    return db.session.scalar(select(Problem).where(Problem.ledger_no == number))


def test_a_districts_own_sheet_comes_in_once(here: World, tmp_path: Path) -> None:
    path = district(tmp_path / "台账.xlsx")
    preview = load(path, here, dry_run=True)
    assert (preview.rows, preview.created, preview.repeated, preview.bad) == (7, 3, 1, 3)
    assert count() == 0
    assert preview.unused == ["录入人"] and preview.columns["具体地址"] == "地址"
    told = {(one.row, one.column) for one in preview.issues if one.bad}
    assert told == {(8, "日期"), (9, "所属网格"), (10, "问题内容"), (10, "问题类型")}
    done = load(path, here)
    assert (done.created, done.bad) == (3, 3)
    old = taken(OURS)
    assert (old.state, old.satisfaction, old.body) == ("closed", "satisfied", "water")
    assert old.closed_at < old.due_at and old.overdue_at is None and old.reported_at == old.found_at
    running = taken("航2024-15")
    assert (running.state, running.category) == ("in_progress", "leak") and running.due_at
    third = db.session.scalar(select(Problem).where(Problem.description == "井盖松动"))
    assert third.state == "registered" and third.ledger_no.startswith(OTHER_GRID[:12])
    note = db.session.scalar(select(Progress).where(Progress.problem_id == third.id))
    assert (note.action, note.to_state) == ("import", "registered") and "待现场核实" in note.reason
    for one in (old, running, third):
        assert_history_tells_the_state(one.id)
    serial = db.session.get(LedgerSerial, (COMMUNITY, 2024))
    assert serial.last == 7  # the next number of that year is behind what was brought in
    again = load(path, here)
    assert (again.created, again.changed, again.unchanged, count()) == (0, 0, 3, 3)
    audits = select(AuditEntry.detail).where(AuditEntry.action == "import_ledger")
    assert [one["created"] for one in db.session.scalars(audits)] == [3]


def test_an_old_closed_one_is_archived_by_the_tick(here: World, tmp_path: Path) -> None:
    load(district(tmp_path / "台账.xlsx"), here)
    tick(now_ms() + 1)
    assert taken(OURS).state == "archived" and taken("航2024-15").overdue_at is None
    again = load(district(tmp_path / "台账.xlsx"), here)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 3)


def test_our_own_export_comes_back_without_a_change(here: World, tmp_path: Path) -> None:
    at = now_ms() - 20 * DAY
    where = {"place": "航海花园1号楼2单元501室", "reporter_name": "张三", "source": "resident"}
    text = "张三家三楼漏水，电话13812341234"
    made = [
        closed(here, at + 1234, description=text, **where),
        dispatched(here, at, description="2单元501室漏水", **where),
        report(here, at, description="路灯不亮，找张三 13812341234", **where),
        report(here, at, description="当场修好了门把手", solved_on_spot=True),
    ]
    admin = Viewer(here.users["admin"], "admin", STREET)
    for unmasked in (False, True):
        path = tmp_path / f"{unmasked}.xlsx"
        export("ledger", admin, STREET, "xlsx", path, {}, unmasked, "核对" if unmasked else "")
        before = [found(one).rev for one in made]
        done = load(path, here)
        assert (done.created, done.changed, done.unchanged, done.bad) == (0, 0, 4, 0)
        assert [found(one).rev for one in made] == before and found(made[0]).description == text
    # Somebody corrects the sheet, somebody else the record; the sheet says what was before.
    act(here, "supervisor", made[1], "supervise", now_ms(), reason="催")
    book = load_workbook(path)
    cells = {row[1].value: row for row in book.active.iter_rows(min_row=3)}
    row = cells[found(made[1]).ledger_no]
    assert not done.issues
    row[6].value, row[12].value, row[14].value = "2单元501室顶棚漏水", "换管", "已销号：好了"
    book.save(path)
    done = load(path, here)
    assert done.changed == 1 and found(made[1]).description == "2单元501室顶棚漏水"
    assert found(made[1]).state == "dispatched" and "请在台账里办理" in done.issues[0].zh
    assert [one.column for one in done.issues] == ["完成情况", "整改措施"]
    row[6].value = "2单元501室漏水"
    book.save(path)
    older = load(path, here)
    assert (older.changed, older.kept) == (0, 1)
    assert found(made[1]).description == "2单元501室顶棚漏水"


def test_an_export_of_another_server_comes_in_whole(here: World, tmp_path: Path) -> None:
    at = now_ms() - 20 * DAY
    made = closed(here, at, description="三楼漏水", place="1号楼")
    number = found(made).ledger_no
    path = tmp_path / "台账.xlsx"
    export("ledger", Viewer(here.users["admin"], "admin", STREET), STREET, "xlsx", path, {})
    db.session.delete(found(made))
    db.session.commit()
    assert load(path, here).created == 1
    one = taken(number)
    assert (one.state, one.result, one.description) == ("closed", "已修好", "三楼漏水")
    assert one.closed_by == here.users["supervisor"]


def test_nobody_brings_rows_into_what_is_not_theirs(here: World, tmp_path: Path) -> None:
    path = district(tmp_path / "台账.xlsx")
    with pytest.raises(Trouble, match="forbidden"):
        imports.import_ledger(path, STREET, by=here.users["supervisor"])
    load(path, here)
    rows = [HEADER, (1, OURS, "2024-03-01", FAR_GRID, "1号楼", "楼道灯不亮", "lamp")]
    far = rosters.write(tmp_path / "远.xlsx", rows)
    told = load(far, here, area=FAR_GRID)
    assert told.bad == 1 and "属于别的区域" in told.issues[0].zh
    with pytest.raises(Trouble, match="没有找到表头"):
        load(rosters.write(tmp_path / "x.xlsx", [("姓名", "电话")]), here)
    with pytest.raises(Trouble, match="超过 2 行"):
        load(path, here, most=2)
    (tmp_path / "y.xlsx").write_bytes(b"PK nothing")
    with pytest.raises(Trouble, match="不是 XLSX"):
        load(tmp_path / "y.xlsx", here)


def test_a_masked_text_fits_what_it_hides_and_nothing_else() -> None:
    assert fits("张*家漏水，电话138****1234", "张三丰家漏水，电话13812341234")
    assert not fits("张*家漏水", "李四家漏水") and not fits("漏水", "漏水了")
    assert fits("1号楼***", "1号楼2单元501")
