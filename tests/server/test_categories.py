"""Categories and the calendar as an admin keeps them: loaded, edited, exported, imported."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook

from server.core.access import Viewer
from server.core.category_sheet import HEADINGS, Wrong
from server.errors import Trouble
from server.operations import calendars, categories, ledger_facts
from server.storage.database import db
from shared.work_calendar import unknown_years
from tests.builders import STREET, World, pull
from tests.server.ledger import T0


def test_the_shipped_set_goes_out_as_xlsx_and_comes_back(
    app: Flask, world: World, tmp_path: Path
) -> None:
    with app.app_context():
        first = categories.load_shipped()
        assert len(first.created) > 60 and not categories.load_shipped().created
        path = tmp_path / "类别.xlsx"
        with path.open("wb") as file:
            count = categories.export_file(file)
        assert count == len(first.created) + 2  # those of the small world beside them
        again = categories.import_file(path)
        assert (again.created, sorted(again.changed), again.issues) == ([], ["lamp", "leak"], [])
        assert categories.import_file(path).unchanged == count
        book = load_workbook(path)
        sheet = book.active
        lines = {row[0].value: row for row in sheet.iter_rows(min_row=3)}
        lines["sewage"][HEADINGS.index("处置时限")].value = "3 工作日"
        lines["garbage"][HEADINGS.index("责任单位")].value = "没有的单位"
        lines["smoke"][HEADINGS.index("大类")].value = "nowhere"
        lines["pests"][HEADINGS.index("启用")].value = "否"
        book.save(path)
        preview = categories.import_file(path, dry_run=True)
        assert sorted(preview.changed) == ["pests", "sewage"]
        assert {issue.row for issue in preview.issues} == {
            lines["garbage"][0].row, lines["smoke"][0].row
        }  # fmt: skip
        done = categories.import_file(path)
        assert done.changed == preview.changed
        found = {one.code: one for one in categories.listed()}
        assert found["sewage"].data["limits"]["handle"] == [3, "work_day"]
        assert not found["pests"].active and found["smoke"].parent == "environment"
    kinds = [x["v"]["code"] for x in pull(app.test_client(), world.tokens["worker"])
             if x["t"] == "row" and x["kind"] == "reference"]  # fmt: skip
    assert "sewage" in kinds  # phones hear of it


def test_an_admin_edits_one_and_others_may_not(app: Flask, world: World) -> None:
    with app.app_context():
        categories.load_shipped()
        admin = Viewer(world.users["admin"], "admin", STREET)
        texts = {"代码": "noise", "大类": "environment", "名称": "噪声", "处置时限": "2 天"}
        assert categories.edit(admin, texts).changed == ["noise"]
        with pytest.raises(Wrong):
            categories.edit(admin, texts | {"大类": "nowhere"})
        with pytest.raises(Trouble, match="forbidden"):
            categories.edit(Viewer("x", "supervisor", STREET), texts)


def test_a_year_of_holidays_is_brought_in_as_a_file(
    app: Flask, world: World, tmp_path: Path
) -> None:
    path = tmp_path / "2027.csv"
    path.write_text("日期,类型\n2027-01-01,休\n2027-01-03,班\n", encoding="utf-8-sig")
    with app.app_context():
        at = T0 + 400 * 24 * 3_600_000
        assert calendars.unknown_years(at) == [2027]
        assert calendars.save(calendars.read(path)) == 1
        assert calendars.save(calendars.read(path)) == 0
        calendar = ledger_facts.read_calendar(db.session())
        assert unknown_years(calendar, T0, at) == []
        path.write_text("2027-13-01,休\n")
        with pytest.raises(Trouble, match="第 1 行"):
            calendars.read(path)


def test_a_change_and_its_audit_row_stand_or_fall_together(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object) -> None:
        raise RuntimeError("no row")

    with app.app_context():
        monkeypatch.setattr(categories.audit_log, "record", fails)
        admin = Viewer(world.users["admin"], "admin", STREET)
        with pytest.raises(RuntimeError):
            categories.edit(admin, {"代码": "noise", "名称": "噪声"})
        assert "noise" not in {one.code for one in categories.listed()}
