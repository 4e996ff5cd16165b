"""Exports: the right columns, real dates, nobody's data that should not be there, no formulas."""

from __future__ import annotations

import csv
import datetime
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from server.core import export_columns
from server.core.access import Viewer
from server.errors import Trouble
from server.operations import export_files
from server.operations.export import export, file_name
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.queries.problems import ProblemFilter
from server.storage.tables import AuditEntry
from shared import ids
from shared.operations import ACT, Operation
from tests.builders import FAR_GRID, GRID, OTHER_GRID, STREET, World, create, problem, visit

LEDGER_TEXT = (
    "序号 台账编号 问题来源 发现时间 所属网格 地址 问题描述 问题类别 急难愁盼 责任单位 责任人 "
    "协办单位 整改措施 整改时限 完成情况 是否超期 是否督办 问题根源 销号人 "
    "销号时间 回访结果 满意度 备注"
)
VISITS_TEXT = (
    "走访时间 所属网格 走访对象 地址 走访事由 走访结果 走访情况 诉求与建议 急难愁盼 苗头 现场办结 "
    "走访人 审核状态 审核人 审核意见 专项问答"
)
LEDGER, VISITS = LEDGER_TEXT.split(), VISITS_TEXT.split()
FOUND_AT = 1_714_527_000_000  # 2024-05-01 09:30 in Shanghai
POSITION = {"lat": 34.723456, "lng": 113.612345, "accuracy": 8.0}
DUE_AT = FOUND_AT + 3_600_000
SECRETS = ["13800000000", "13812341234", "张一", "单元001", "001 室", "王大妈"]


@pytest.fixture
def here(app: Flask, world: World) -> Iterator[World]:
    with app.app_context():
        fill(world)
        yield world


def fill(world: World) -> None:
    """Two problems and two visits in GRID, one problem in each other grid."""
    worker, supervisor = world.users["worker"], world.users["supervisor"]
    first = problem(
        world, description="张一家 001 室漏水，电话13812341234", place="航海花园1号楼1单元001",
        found_at=FOUND_AT, concern_tags=["urgent", "worry"], reporter_name="王大妈",
        reporter_phone="13812341234", position=POSITION,
    )  # fmt: skip
    second = problem(
        world, description="=HYPERLINK(\"http://x\")", place="@院门口", target_kind=None,
        target_id=None, category="lamp", found_at=FOUND_AT + 1000,
    )  # fmt: skip
    others = [
        create("problem", ids.grid_partition(grid), category="leak", description=f"在{grid}",
               place="别处", source="hotline", found_at=FOUND_AT)
        for grid in (OTHER_GRID, FAR_GRID)
    ]  # fmt: skip
    seen = [
        visit(world, note="+张一说：请打 13800000000", appeal="-换灯", visited_at=FOUND_AT,
              position=POSITION),
        create("visit", world.partition, target_kind="compound", target_id=world.compound,
               reason="routine", outcome="met", note="巡查", visited_at=FOUND_AT + 60_000),
    ]  # fmt: skip
    entries = [Entry(worker, [one]) for one in [first, second, *others, *seen]]
    list(submit_many(entries, kind="job"))
    act(first.id, supervisor, "register")
    act(
        first.id,
        supervisor,
        "dispatch",
        body="water",
        measure="换阀门",
        due_at=DUE_AT,
        owner="刘工",
    )


def act(problem_id: str, author: str, action: str, **data: Any) -> None:
    operation = Operation(
        ACT, "problem", problem_id, ids.grid_partition(GRID), action=action, data=data
    )
    list(submit_many([Entry(author, [operation], FOUND_AT)], kind="job"))


def viewer(world: World, name: str = "admin", area: str = STREET) -> Viewer:
    role = {"worker": "grid_worker", "far_supervisor": "supervisor"}.get(name, name)
    return Viewer(world.users[name], role, area)


def sheet(path: Path) -> list[list[Any]]:
    return [list(row) for row in load_workbook(path).active.iter_rows(values_only=True)]


def as_csv(
    world: World, kind: str = "ledger", who: str = "admin", **more: Any
) -> list[dict[str, str]]:
    file = io.BytesIO()
    export(kind, viewer(world, who), more.pop("area", GRID), "csv", file, **more)
    return list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"))))


def test_the_ledger_has_the_columns_that_districts_expect(here: World, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    assert export("ledger", viewer(here), GRID, "xlsx", path) == 2
    title, header, first, second = sheet(path)
    assert header == LEDGER
    assert "第一网格问题台账" in title[0] and "已脱敏" in title[0]
    row = dict(zip(LEDGER, first, strict=True))
    assert row["序号"] == 1 and row["台账编号"]
    assert row["发现时间"] == datetime.datetime(2024, 5, 1, 9, 30)
    assert row["整改时限"] == datetime.datetime(2024, 5, 1, 10, 30)
    assert row["所属网格"] == "航苑社区 第一网格"
    assert (row["问题来源"], row["问题类别"], row["急难愁盼"]) == ("网格员走访", "漏水", "急、愁")
    assert (row["责任单位"], row["责任人"], row["整改措施"]) == ("自来水公司", "刘工", "换阀门")
    assert (row["完成情况"], row["是否超期"], row["是否督办"]) == ("已派遣", "是", "否")
    assert dict(zip(LEDGER, second, strict=True))["是否超期"] == "否"


def test_what_is_late_is_late_for_the_filter_too() -> None:
    def late(**values: int | str | None) -> bool:
        none = dict.fromkeys(("deadline_at", "overdue_at", "due_at", "closed_at"))
        return export_columns.is_overdue({**none, **values}, 10)

    assert late(state="reported", deadline_at=9)  # nobody dispatched it in time
    assert late(state="dispatched", deadline_at=9, due_at=50)  # nor accepted it
    assert not late(state="in_progress", deadline_at=11, due_at=11)
    assert late(state="closure_requested", deadline_at=5, due_at=5, overdue_at=5)
    assert not late(state="suspended", overdue_at=5, due_at=5)
    assert late(state="closed", due_at=5, closed_at=6)
    assert not late(state="closed", due_at=5, closed_at=5)


def test_visits_have_the_columns_that_districts_expect(here: World, tmp_path: Path) -> None:
    path = tmp_path / "走访.xlsx"
    assert export("visits", viewer(here), GRID, "xlsx", path) == 2
    _, header, first, second = sheet(path)
    assert header == VISITS
    row = dict(zip(VISITS, first, strict=True))
    assert row["走访时间"] == datetime.datetime(2024, 5, 1, 9, 30)
    assert (row["走访对象"], row["地址"]) == ("住户 张*", "航海花园1号楼1单元***")
    assert (row["走访结果"], row["现场办结"], row["走访人"]) == ("见面", "否", "worker的名字")
    assert row["审核状态"] == "待审核"
    assert second[VISITS.index("走访对象")] == "楼院 航海花园"


def test_the_sheet_is_ready_to_work_with(here: World, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    export("ledger", viewer(here), GRID, "xlsx", path)
    page = load_workbook(path).active
    assert page.freeze_panes == "A3"
    assert page.auto_filter.ref == "A2:W4"
    assert page["D3"].is_date and page["D3"].number_format == "yyyy-mm-dd hh:mm"
    widths = {name: page.column_dimensions[name].width for name in "BDG"}
    assert widths["D"] >= 16, "a date fits"
    assert widths["G"] >= 2 * len("张*家 *** 室漏水"), "a Chinese character takes two columns"
    assert page.row_dimensions[3].height > 30, "the description goes on more than one line"


@pytest.mark.parametrize("unmasked", [False, True])
def test_the_sheet_prints_on_a4(here: World, tmp_path: Path, unmasked: bool) -> None:
    path = tmp_path / "台账.xlsx"
    export("ledger", viewer(here), GRID, "xlsx", path, unmasked=unmasked, reason="核查")
    page = load_workbook(path).active
    setup = page.page_setup
    assert (setup.orientation, int(setup.paperSize)) == ("landscape", 9)
    assert page.sheet_properties.pageSetUpPr.fitToPage
    assert (setup.fitToWidth or 1, setup.fitToHeight) == (1, 0)
    assert page.print_title_rows == "$1:$2"
    assert page.oddFooter.right.text == "&P / &N"
    assert bool(page.oddFooter.left.text) is unmasked
    for cell in page[3]:
        assert cell.border.left.style == cell.border.bottom.style == "thin"
        assert cell.alignment.wrap_text


@pytest.mark.parametrize("format", ["xlsx", "csv", "geojson"])
@pytest.mark.parametrize("kind", ["ledger", "visits"])
def test_an_export_is_masked(here: World, tmp_path: Path, kind: str, format: str) -> None:
    path = tmp_path / f"a.{format}"
    export(kind, viewer(here), GRID, format, path)
    text = str(sheet(path)) if format == "xlsx" else path.read_text(encoding="utf-8-sig")
    for secret in SECRETS:
        assert secret not in text
    assert "138****" in text
    assert "34.723456" not in text and "113.612345" not in text


def test_an_unmasked_export_says_who_and_why(here: World, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    export(
        "ledger",
        viewer(here),
        GRID,
        "xlsx",
        path,
        unmasked=True,
        reason=" 信访核查 ",
        address="10.0.0.1",
    )
    page = load_workbook(path).active
    assert "13812341234" in str(sheet(path)) and "王大妈" in str(sheet(path))
    for mark in (page["A1"].value, page.oddHeader.center.text, page.oddFooter.left.text):
        assert "admin的名字" in mark and "信访核查" in mark
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export_ledger")).one()
    assert row.actor == here.users["admin"] and row.area_code == GRID and row.address == "10.0.0.1"
    assert row.detail is not None
    assert row.detail["unmasked"] is True and row.detail["reason"] == "信访核查"


@pytest.mark.parametrize("format", ["csv", "geojson"])
def test_every_format_carries_the_watermark(here: World, format: str) -> None:
    file = io.BytesIO()
    export("visits", viewer(here), GRID, format, file, unmasked=True, reason="核查")
    text = file.getvalue().decode("utf-8-sig")
    assert "admin的名字" in text and "未脱敏" in text
    assert "张一" in text and "13800000000" in text


@pytest.mark.parametrize("reason", ["", "  ", "长" * 201])
def test_an_unmasked_export_needs_a_reason(here: World, tmp_path: Path, reason: str) -> None:
    with pytest.raises(Trouble) as refused:
        export("ledger", viewer(here), GRID, "csv", tmp_path / "a", unmasked=True, reason=reason)
    assert refused.value.code == "invalid" and "reason" in refused.value.errors
    assert list(tmp_path.glob("*a*")) == []


def test_only_some_may_export_and_fewer_unmasked(here: World, tmp_path: Path) -> None:
    for name in ("worker", "handler", "auditor"):
        with pytest.raises(Trouble) as refused:
            export("ledger", viewer(here, name), GRID, "csv", tmp_path / "a.csv")
        assert refused.value.code == "forbidden"
    with pytest.raises(Trouble) as refused:
        export(
            "ledger",
            viewer(here, "supervisor"),
            GRID,
            "csv",
            tmp_path / "a.csv",
            unmasked=True,
            reason="x",
        )
    assert refused.value.code == "forbidden"
    assert (
        db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export_ledger")).all()
        == []
    )


def test_nobody_exports_what_they_do_not_see(here: World) -> None:
    far = viewer(here, "far_supervisor", "410103007902")
    with pytest.raises(Trouble) as refused:
        export("ledger", far, STREET, "csv", io.BytesIO())
    assert refused.value.code == "forbidden"
    file = io.BytesIO()
    assert export("ledger", far, "410103007902", "csv", file) == 1
    assert FAR_GRID in file.getvalue().decode()


def test_an_export_covers_the_area_and_no_more(here: World) -> None:
    assert len(as_csv(here, area=STREET)) == 4
    assert {row["问题描述"] for row in as_csv(here, area=OTHER_GRID)} == {f"在{OTHER_GRID}"}


def test_filters_are_those_of_the_list(here: World) -> None:
    assert len(as_csv(here, filters={"state": "dispatched"})) == 1
    assert len(as_csv(here, filters={"category": "lamp"})) == 1
    assert len(as_csv(here, filters=ProblemFilter(flag="overdue", sort="found"))) == 1
    assert len(as_csv(here, "visits", filters={"since": FOUND_AT + 1})) == 1
    with pytest.raises(Trouble) as refused:
        as_csv(here, filters={"colour": "red"})
    assert refused.value.code == "unknown_field" and "colour" in refused.value.detail


def test_text_never_becomes_a_formula(here: World, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    export("ledger", viewer(here), GRID, "xlsx", path)
    cells = [cell for row in load_workbook(path).active.iter_rows() for cell in row]
    (link,) = [cell for cell in cells if str(cell.value).startswith("=HYPERLINK")]
    assert link.data_type == "s"
    assert all(cell.data_type != "f" for cell in cells)
    by_column = as_csv(here)[1]
    assert by_column["问题描述"].startswith("'=") and by_column["地址"].startswith("'@")
    first = as_csv(here, "visits")[0]
    assert first["走访情况"].startswith("'+") and first["诉求与建议"].startswith("'-")


def test_a_csv_opens_in_excel(here: World) -> None:
    file = io.BytesIO()
    export("ledger", viewer(here), GRID, "csv", file)
    assert file.getvalue().startswith(b"\xef\xbb\xbf" + "序号,台账编号".encode())
    assert as_csv(here)[0]["发现时间"] == "2024-05-01 09:30"


def test_geojson_holds_points_of_the_neighbourhood(here: World) -> None:
    file = io.BytesIO()
    export("ledger", viewer(here), GRID, "geojson", file)
    answer = json.loads(file.getvalue())
    assert answer["type"] == "FeatureCollection" and len(answer["features"]) == 2
    first, second = answer["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [113.612, 34.723]}
    assert second["geometry"] is None
    assert list(first["properties"]) == LEDGER
    assert first["properties"]["发现时间"] == "2024-05-01T09:30:00+08:00"


@pytest.mark.parametrize("format", ["xlsx", "csv", "geojson"])
def test_an_empty_export_is_a_whole_file(here: World, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    assert export("ledger", viewer(here), GRID, format, path, filters={"state": "archived"}) == 0
    if format == "xlsx":
        assert sheet(path)[1] == LEDGER
    elif format == "geojson":
        assert json.loads(path.read_text())["features"] == []


def test_a_failed_export_leaves_the_old_file(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(export_files.Csv, "finish", fail)
    with pytest.raises(OSError, match="disk full"):
        export("ledger", viewer(here), GRID, "csv", path)
    assert path.read_text() == "old"
    assert list(tmp_path.glob(".a.csv*")) == []


def test_progress_is_told_to_the_end(here: World) -> None:
    told: list[tuple[int, int]] = []
    export("ledger", viewer(here), STREET, "csv", io.BytesIO(), progress=lambda *n: told.append(n))
    assert told[-1] == (4, 4)


def test_a_full_sheet_goes_on_to_the_next(tmp_path: Path) -> None:
    from server.core.export_columns import Column

    heading = export_files.Heading("标题", "台账", [Column("序号", "number"), Column("名称")])
    with (tmp_path / "a.xlsx").open("wb") as file:
        writer = export_files.Xlsx(file, heading, sheet_rows=4)
        for number in range(5):
            writer.add([number, f"第{number}行"], None)
        writer.finish()
    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["台账", "台账 2", "台账 3"]
    numbers = [row[0] for page in book for row in page.iter_rows(min_row=3, values_only=True)]
    assert numbers == [0, 1, 2, 3, 4]
    assert all(page["A2"].value == "序号" for page in book)


def test_the_file_is_named_after_what_is_in_it() -> None:
    assert file_name("ledger", GRID, "xlsx").startswith(f"问题台账_{GRID}_2")


@pytest.mark.slow
def test_libreoffice_opens_the_sheet(here: World, tmp_path: Path) -> None:
    export("ledger", viewer(here), GRID, "xlsx", tmp_path / "a.xlsx")
    assert shutil.which("soffice"), "LibreOffice is missing: run make setup-test"
    command = [
        "soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile",
        "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", str(tmp_path),
    ]  # fmt: skip
    subprocess.run([*command, str(tmp_path / "a.xlsx")], check=True, timeout=110)
    title, header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert "问题台账" in title
    assert header.replace(chr(34), "").split(",")[:3] == ["序号", "台账编号", "问题来源"]
    assert rows
