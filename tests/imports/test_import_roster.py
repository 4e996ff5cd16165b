"""Rosters go in: good rows, told rows, twice without a change, and nothing over a worker's work."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.errors import Trouble
from server.operations import import_roster as imports
from server.operations import transact
from server.storage.database import db
from server.storage.models import Compound, Conflict, Household
from server.storage.tables import AuditEntry, Receipt
from shared.operations import DELETE, SET, Operation
from tests.builders import GRID, OTHER_GRID, STREET, World
from tests.imports import rosters


@pytest.fixture
def here(app: Flask, world: World) -> Iterator[World]:
    with app.app_context():
        yield world


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    return rosters.messy(tmp_path / "名册.xlsx")


def load(path: Path, world: World, area: str = GRID, **more: Any) -> imports.RosterReport:
    return imports.import_roster(path, area, by=world.users["admin"], **more)


def homes(world: World) -> dict[str, Household]:
    """door -> household, of those that the world did not begin with."""
    db.session.expire_all()
    query = select(Household).where(Household.id.not_in(world.households))
    return {home.door: home for home in db.session.scalars(query)}


def receipts() -> int:
    return int(db.session.scalar(select(func.count()).select_from(Receipt)) or 0)


def test_the_good_rows_of_a_messy_roster_go_in(here: World, messy: Path) -> None:
    report = load(messy, here)
    found = homes(here)
    assert sorted(found) == ["101", "102", "201室", "202", "A101", "A102", "A104"]
    assert (report.created, report.changed, report.repeated) == (7, 0, 1)
    names = {c.name for c in db.session.scalars(select(Compound)) if c.id != here.compound}
    assert names == {"幸福小区", "和平院"}
    first = found["101"]
    assert first.contact_name == "张三" and first.contact_phone == "13812341234"
    assert first.care_groups == ["elder_alone"] and first.residents_count == 3
    assert found["102"].contact_phone == "13812341235" and found["102"].residents_count == 2
    assert found["102"].compound_id == first.compound_id and found["102"].building == "3号楼"
    assert found["201室"].care_groups == ["disabled", "low_income"]
    assert found["A102"].contact_name == "+八"
    assert all(home.partition_id == f"grid:{GRID}" for home in found.values())


def test_each_bad_row_is_told_with_its_number_and_cause(here: World, messy: Path) -> None:
    report = load(messy, here)
    assert [(issue.row, issue.bad) for issue in report.issues] == [
        (10, False), (12, True), (13, True),
    ]  # fmt: skip
    assert "位数不对" in report.bad[0].zh and "telephone" in report.bad[0].en
    assert "门牌" in report.bad[1].zh
    assert report.never_read == ["身份证号"]
    assert "410103195001011234" not in str(report)


def test_a_preview_writes_nothing_and_says_the_same(here: World, messy: Path) -> None:
    before = receipts()
    preview = load(messy, here, dry_run=True)
    assert homes(here) == {} and receipts() == before
    assert preview.created == 7 and len(preview.bad) == 2
    assert {c.field for c in preview.columns} >= {"contact_name", "contact_phone", "door"}
    assert preview.preview[0].compound == "幸福小区"


def test_the_same_file_twice_changes_nothing(here: World, messy: Path) -> None:
    load(messy, here)
    revs = {door: home.rev for door, home in homes(here).items()}
    before = receipts()
    again = load(messy, here)
    assert (again.created, again.changed, again.unchanged, again.compounds) == (0, 0, 7, 0)
    assert {door: home.rev for door, home in homes(here).items()} == revs
    assert receipts() == before


def test_a_changed_contact_changes_the_household(here: World, tmp_path: Path) -> None:
    header = ["姓名", "电话", "小区", "楼栋", "房号", "重点人群"]
    before = [header, ["张三", 13812341234, "幸福小区", 3, 101, "独居老人"]]
    after = [header, ["张小三", None, "幸福小区", "3号楼", "101室", "残疾"]]
    load(rosters.write(tmp_path / "a.xlsx", before), here)
    report = load(rosters.write(tmp_path / "b.xlsx", after), here)
    assert (report.created, report.changed, report.conflicts) == (0, 1, 0)
    (home,) = homes(here).values()
    assert home.contact_name == "张小三"
    assert home.contact_phone == "13812341234", "a blank cell erases nothing"
    assert home.care_groups == ["disabled", "elder_alone"]
    again = load(tmp_path / "b.xlsx", here)
    assert (again.changed, again.unchanged) == (0, 1)


def edit(world: World, home: Household, name: str, value: Any) -> None:
    operation = Operation(
        SET, "household", home.id, home.partition_id, seq=home.seq, rev=home.rev,
        fields={name: (getattr(home, name), value)},
    )  # fmt: skip
    transact.submit(world.users["supervisor"], [operation])


def test_a_value_changed_since_is_kept_when_the_same_file_comes_again(
    here: World, messy: Path
) -> None:
    load(messy, here)
    edit(here, homes(here)["101"], "contact_phone", "13900000000")
    report = load(messy, here)
    assert (report.changed, report.kept, report.conflicts) == (0, 1, 0)
    assert homes(here)["101"].contact_phone == "13900000000"


def test_a_value_changed_on_both_sides_becomes_one_conflict(here: World, tmp_path: Path) -> None:
    header = ["姓名", "电话", "小区", "房号"]
    path = rosters.write(tmp_path / "a.xlsx", [header, ["张三", 13812341234, "幸福小区", 101]])
    load(path, here)
    edit(here, homes(here)["101"], "contact_phone", "13900000000")
    newer = rosters.write(tmp_path / "b.xlsx", [header, ["张三", 13822222222, "幸福小区", 101]])
    report = load(newer, here)
    assert report.conflicts == 1
    assert homes(here)["101"].contact_phone == "13900000000"
    conflict = db.session.scalars(select(Conflict)).one()
    assert (conflict.accepted, conflict.proposed) == ("13900000000", "13822222222")
    rev = conflict.rev
    assert load(newer, here).changed == 0
    db.session.expire_all()
    assert db.session.scalars(select(Conflict)).one().rev == rev


def test_a_deleted_household_is_told_and_not_made_again(here: World, messy: Path) -> None:
    load(messy, here)
    home = homes(here)["101"]
    gone = Operation(DELETE, "household", home.id, home.partition_id, seq=home.seq, rev=home.rev)
    transact.submit(here.users["supervisor"], [gone])
    report = load(messy, here)
    assert report.created == 0
    assert [issue.row for issue in report.bad] == [4, 12, 13]
    assert "已被删除" in report.bad[0].zh


def test_a_door_that_a_worker_recorded_is_found_however_it_is_spelled(
    here: World, tmp_path: Path
) -> None:
    rows = [["姓名", "小区", "楼栋", "单元", "房号", "人口"],
            ["张一", "航海花园", "１号楼", "一单元", "001室", 2]]  # fmt: skip
    report = load(rosters.write(tmp_path / "a.xlsx", rows), here)
    assert (report.created, report.changed) == (0, 1)
    assert homes(here) == {}


def test_a_grid_column_sends_rows_to_their_grids(here: World, tmp_path: Path) -> None:
    rows = [
        ["网格", "姓名", "小区", "房号"],
        ["第一网格", "甲", "一院", 1],
        ["航苑社区第二网格", "乙", "一院", 1], [OTHER_GRID, "丙", "一院", 2],
        ["第九网格", "丁", "一院", 3], [None, "戊", "一院", 4],
    ]  # fmt: skip
    report = load(rosters.write(tmp_path / "a.xlsx", rows), here, area=STREET)
    grids = sorted((home.contact_name, home.partition_id) for home in homes(here).values())
    assert report.created == 3
    partitions = {h.contact_name: h.partition_id for h in db.session.scalars(select(Household))}
    assert partitions["甲"] == f"grid:{GRID}"
    assert partitions["乙"] == partitions["丙"] == f"grid:{OTHER_GRID}"
    assert [(issue.row, "网格" in issue.zh) for issue in report.bad] == [(5, True), (6, True)]
    assert len(grids) == 2, "一院 1 stands in both grids, as two doors"


def test_every_visible_sheet_with_a_header_is_read(here: World, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "说明"
    book.active.append(["请如实填写"])
    for number in (1, 2):
        page = book.create_sheet(f"{number}号楼")
        page.append(["姓名", "楼栋", "房号"])
        page.append(["甲", number, 101])
    book.create_sheet("旧").sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    report = load(tmp_path / "a.xlsx", here)
    assert report.created == 2 and report.skipped_sheets == ["说明"]


def text_file(path: Path) -> Path:
    path.write_text("姓名,电话\n张三,13812341234\n", encoding="utf-8")
    return path


def old_excel(path: Path) -> Path:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def other_zip(path: Path) -> Path:
    return rosters.zip_of(path, {"hello.txt": b"hello"})


def bomb(path: Path) -> Path:
    rosters.messy(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/media/big.xml", bytes(40 * 2**20))
    return path


def cut_off(path: Path) -> Path:
    rosters.messy(path)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def broken_sheet(path: Path) -> Path:
    return changed_sheet(path, lambda xml: xml[: len(xml) // 2])


def entity_bomb(path: Path) -> Path:
    dtd = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa">]>'
    return changed_sheet(path, lambda xml: dtd + xml)


def late_doctype(path: Path) -> Path:
    """Behind a comment that is longer than what anybody looks at, and names an element."""
    before = b"<!-- <worksheet>" + b" " * 70_000 + b"-->" + b'<!DOCTYPE a [<!ENTITY a "aaaa">]>'
    return changed_sheet(path, lambda xml: before + xml[xml.index(b"<worksheet") :])


def changed_sheet(path: Path, change: Any) -> Path:
    rosters.messy(path)
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = "xl/worksheets/sheet1.xml"
    return rosters.zip_of(path, parts | {name: change(parts[name])})


def no_header(path: Path) -> Path:
    return rosters.write(path, [["甲", "乙"], [1, 2]])


@pytest.mark.parametrize(
    ("make", "code", "zh"),
    [
        (text_file, "invalid", "不是 XLSX"),
        (old_excel, "invalid", ".xls"),
        (empty, "invalid", "空文件"),
        (other_zip, "invalid", "不是 XLSX"),
        (bomb, "too_large", "太大"),
        (cut_off, "invalid", "不是 XLSX"),
        (broken_sheet, "invalid", "损坏"),
        (entity_bomb, "invalid", "DOCTYPE"),
        (late_doctype, "invalid", "DOCTYPE"),
        (no_header, "invalid", "表头"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_whole(
    here: World, tmp_path: Path, make: Any, code: str, zh: str
) -> None:
    before = receipts()
    with pytest.raises(Trouble) as refused:
        load(make(tmp_path / "名册.xlsx"), here)
    assert refused.value.code == code and zh in refused.value.detail
    assert homes(here) == {} and receipts() == before


def test_a_file_that_is_too_long_is_refused_whole(
    here: World, messy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_HOUSEHOLDS", 3)
    with pytest.raises(Trouble) as refused:
        load(messy, here)
    assert refused.value.code == "too_large"
    assert homes(here) == {}


@pytest.mark.parametrize("who", ["supervisor", "worker", "auditor", "handler"])
def test_only_an_admin_of_the_area_imports(here: World, messy: Path, who: str) -> None:
    with pytest.raises(Trouble) as refused:
        imports.import_roster(messy, GRID, by=here.users[who])
    assert refused.value.code == "forbidden"
    with pytest.raises(Trouble) as refused:
        imports.import_roster(messy, "410104", by=here.users["admin"])
    assert refused.value.code == "forbidden"


def test_an_area_that_does_not_exist_is_told(here: World, messy: Path) -> None:
    with pytest.raises(Trouble) as refused:
        imports.import_roster(messy, "410103007901009")
    assert "410103007901009" in refused.value.detail


def test_an_import_leaves_an_audit_row(here: World, messy: Path) -> None:
    load(messy, here)
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "import_roster")).one()
    assert row.actor == here.users["admin"] and row.area_code == GRID
    assert row.detail == {"file": "名册.xlsx", "rows": 10, "bad": 2}
