"""The tree of areas comes in from a table of codes; twice changes nothing; bad rows are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

import gridledger
from server.errors import Trouble
from server.operations.areas import import_areas, read_areas
from server.storage.database import db
from server.storage.models import Area

TABLE = """code,name,parent
410103007,大学路街道,410103
41,河南省,
4101,郑州市,41
410103,二七区,4101

410103007901,航苑社区,410103007
410103007901001,第一网格,410103007901
"""


@pytest.fixture
def here(app: Flask) -> Iterator[Path]:
    with app.app_context():
        yield Path(app.config["GRIDLEDGER"].data)


def table(folder: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "区划.csv"
    path.write_bytes(text.encode(encoding))
    return path


def stored() -> dict[str, Area]:
    db.session.expire_all()
    return {area.code: area for area in db.session.scalars(select(Area))}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_becomes_the_tree(here: Path, encoding: str) -> None:
    report = import_areas(read_areas(table(here, TABLE, encoding)))
    assert (report.created, report.issues) == (6, [])
    found = stored()
    assert {code: area.level for code, area in found.items()} == {
        "41": "province", "4101": "city", "410103": "county", "410103007": "street",
        "410103007901": "community", "410103007901001": "grid",
    }  # fmt: skip
    assert found["410103007"].name == "大学路街道" and found["410103007"].parent_code == "410103"
    assert found["410103007"].partition_id == "area:410103007"
    assert found["410103007901001"].partition_id == "grid:410103007901001"


def test_twice_changes_nothing_and_another_name_renames(here: Path) -> None:
    import_areas(read_areas(table(here, TABLE)))
    revs = {code: area.rev for code, area in stored().items()}
    report = import_areas(read_areas(table(here, TABLE)))
    assert (report.created, report.renamed, report.unchanged) == (0, 0, 6)
    assert {code: area.rev for code, area in stored().items()} == revs
    report = import_areas([{"code": "410103007", "name": "大学南路街道", "parent": "410103"}])
    assert (report.renamed, stored()["410103007"].name) == (1, "大学南路街道")


def test_bad_rows_are_told_and_good_rows_go_in(here: Path) -> None:
    text = TABLE + (
        "12345,五位,\n410103008,淮河路街道,410104\n410103009,,410103\n"
        "410103010,嵩山路街道,410103\n410103010,嵩山街道,410103\n410104001,无上级,410104\n"
    )
    report = import_areas(read_areas(table(here, text)))
    assert report.created == 7
    assert [(i.row, i.zh[:2]) for i in report.issues] == [
        (9, "代码"), (10, "上级"), (11, "名称"), (13, "代码"), (14, "没有"),
    ]  # fmt: skip
    assert "410103010" in stored() and "410104001" not in stored()


def test_a_preview_writes_nothing(here: Path) -> None:
    assert import_areas(read_areas(table(here, TABLE)), dry_run=True).created == 6
    assert stored() == {}


@pytest.mark.parametrize("raw", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00\x81", b"PK\x03\x04\x00\x00"])
def test_a_file_that_is_no_table_of_areas_is_refused(here: Path, raw: bytes) -> None:
    path = here / "区划.csv"
    path.write_bytes(raw)
    with pytest.raises(Trouble) as refused:
        read_areas(path)
    assert refused.value.code == "invalid" and "区划.csv" in refused.value.detail


def test_the_real_table_of_a_city_comes_in(here: Path) -> None:
    report = import_areas(read_areas(Path(gridledger.__path__[0]) / "demo" / "divisions.csv"))
    assert report.issues == [] and report.created == len(stored()) > 10
