"""The pages beside the ledger's table: the three rates, what keeps coming back, the categories."""

from __future__ import annotations

import io
import re

from flask import Flask
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from bench.plans import captured, scans
from server.operations import categories
from server.operations.clock import now_ms
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.models import Problem, Reference
from server.storage.tables import AuditEntry
from shared.work_calendar import DAY
from tests.builders import GRID, STREET, World, problem
from tests.web.conftest import Visitor
from tests.web.scene import Scene


def test_a_rate_stands_with_its_formula_and_what_it_leaves_out(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    with captured() as statements:
        page = visitor.get("/rates?period=year&by=body").text
        for by in ("area", "community", "category", "month"):
            assert visitor.get(f"/rates?period=range&since=2020-01-01&by={by}").status_code == 200
        left = visitor.get("/rates?period=year&rate=response&why=not_registered").text
    assert "按时签收 ÷（已签收 + 签收已超期）" in page and "还没有责任单位" in page
    assert re.search(r"why=not_registered[^>]*>还未立案</a> 1", page)
    assert "响应率不计入：还未立案" in left and scene.problems[0] in left
    assert scene.problems[1] not in left
    link = re.search(r'href="(/ledger\?[^"]*body=water[^"]*)"', page)
    assert link
    ledger = visitor.get(link[1].replace("&amp;", "&")).text
    assert scene.problems[4] in ledger and scene.problems[0] not in ledger
    problem_scans = [s for s in scans(app, statements, forced=True) if s[0] == "problem"]
    assert problem_scans == []


def test_the_rates_of_another_area_are_not_told(app: Flask, scene: Scene) -> None:
    far = Visitor(app).sign_in("far_supervisor")
    for path in ("/rates?period=year", "/rates?period=year&area=410103007901"):
        assert "这段时间收到 0 件" in far.get(path).text
    assert Visitor(app).sign_in("handler").get("/rates").status_code == 403


def test_the_rates_go_out_as_a_sheet_with_their_formulas(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    answer = visitor.get("/rates.xlsx?period=year&by=body")
    rows = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))
    assert rows[1][:3] == ("责任单位", "收到", "响应率")
    assert any(row[0] == "合计" and row[1] == len(scene.problems) for row in rows)
    assert any("响应率 = 按时签收" in str(row[0]) for row in rows)
    with app.app_context():
        assert db.session.scalar(select(AuditEntry.id).where(AuditEntry.action == "export_rates"))


def test_the_ledger_of_a_period_pages_by_when_it_came_in(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    assert "没有符合条件的问题" in visitor.get("/ledger?state=all&until=2020-01-01").text
    page = visitor.get("/ledger?state=all&since=2020-01-01&sort=number").text
    assert all(one in page for one in scene.problems)


def test_what_comes_back_stands_as_a_chain_that_asks_for_its_cause(
    app: Flask, world: World
) -> None:
    yard = world.compound
    now = now_ms()
    with app.app_context():
        made = [
            problem(world, category="leak", target_kind="compound", target_id=yard,
                    description=f"第{n}次漏水", found_at=now - (3 - n) * DAY)
            for n in range(3)
        ]  # fmt: skip
        list(submit_many([Entry(world.users["worker"], [one], now - DAY) for one in made]))
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get("/recurrences").text
    assert "第2次漏水" in page and re.search(r"\d 件没有写根源", page) and "航海花园" in page
    lamps = visitor.get("/recurrences?category=lamp").text
    assert "第2次漏水" not in lamps and "路灯不亮 · 航海花园" in lamps
    assert "路灯不亮 · 航海花园" not in visitor.get("/recurrences?only=uncaused").text
    assert "没有反复出现" in Visitor(app).sign_in("far_supervisor").get("/recurrences").text


def test_an_admin_edits_adds_and_retires_a_category(app: Flask, world: World) -> None:
    with app.app_context():
        categories.load_shipped()
    visitor = Visitor(app).sign_in("admin")
    assert "消防通道堵塞" in visitor.get("/categories").text
    form = visitor.get("/categories/sewage/edit").text
    assert 'value="24"' in form
    fields = {"name": "下水堵塞", "handle_amount": "3", "handle_unit": "work_day", "body": "water"}
    page = visitor.post("/categories/sewage/edit", **fields, places=["compound"]).text
    assert "已保存“下水堵塞”" in page and "已停用" in page and "3 工作日" in page
    visitor.get("/categories/new?parent=environment")
    fields = {"name": "噪声", "parent": "environment", "active": "1"}
    assert "代码“Bad”应为" in visitor.post("/categories/new", code="Bad", **fields).text
    assert "已经有了" in visitor.post("/categories/new", code="sewage", **fields).text
    assert "已保存“噪声”" in visitor.post("/categories/new", code="noise2", **fields).text
    with app.app_context():
        found = {one.code: one for one in db.session.scalars(select(Reference))}
        assert found["sewage"].active is False and found["noise2"].active
    assert visitor.get("/categories/nowhere/edit").status_code == 404
    assert Visitor(app).sign_in("supervisor").get("/categories/sewage/edit").status_code == 403


def test_a_sheet_of_categories_is_previewed_then_brought_in(app: Flask, world: World) -> None:
    with app.app_context():
        categories.load_shipped()
    visitor = Visitor(app).sign_in("admin")
    book = load_workbook(io.BytesIO(visitor.get("/categories.xlsx").data))
    rows = {row[0].value: row for row in book.active.iter_rows(min_row=3)}
    rows["sewage"][8].value, rows["garbage"][8].value = "3 工作日", "很快"
    file = io.BytesIO()
    book.save(file)
    visitor.get("/categories")
    file.seek(0)
    page = visitor.post("/categories/preview", file=(file, "类别.xlsx")).text
    assert "sewage" in page and "处置时限“很快”应如" in page
    with app.app_context():
        assert _handle("sewage") == [24, "urgent_hour"]
    done = visitor.post("/categories/import", key=visitor.hidden("key"), name="类别.xlsx").text
    assert "已导入" in done
    with app.app_context():
        assert _handle("sewage") == [3, "work_day"] and _handle("garbage") != [3, "work_day"]
        notes = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "categories"))
        assert any("sewage" in (note.detail or {})["changed"] for note in notes)
    again = visitor.post("/categories/import", key="x").text
    assert "已经不在了" in again
    wrong = visitor.post("/categories/preview", file=(io.BytesIO(b"no"), "x.xlsx")).text
    assert "不是 XLSX" in wrong


def _handle(code: str) -> object:
    query = select(Reference.data).where(Reference.type == "category", Reference.code == code)
    data = db.session.scalar(query) or {}
    return data["limits"]["handle"]


def test_a_ledger_in_excel_is_previewed_then_brought_in(app: Flask, world: World) -> None:
    book = Workbook()
    book.active.append(["编号", "发现时间", "所属网格", "地址", "问题描述", "问题类别", "完成情况"])
    book.active.append(["旧-1", "2024-03-01", GRID, "1号楼", "楼道墙皮脱落", "lamp", "已办结"])
    book.active.append(["旧-2", "昨天", GRID, "1号楼", "门禁坏了", "lamp", "已办结"])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    visitor = Visitor(app).sign_in("admin")
    visitor.get("/import-ledger")
    page = visitor.post("/import-ledger/preview", file=(file, "旧台账.xlsx"), area=STREET).text
    assert "楼道墙皮脱落" in page and "“昨天”不是日期" in page
    assert "楼道墙皮脱落" not in visitor.get("/ledger?state=all&q=墙皮").text
    visitor.page = page
    key = visitor.hidden("key")
    done = visitor.post("/import-ledger", key=key, name="旧台账.xlsx", area=STREET).text
    assert "新建 1 件" in done and "旧-1" in visitor.get("/ledger?state=all&q=墙皮").text
    with app.app_context():
        made = db.session.scalar(select(Problem).where(Problem.ledger_no == "旧-1"))
        assert "从表格导入" in visitor.get(f"/ledger/{made.id}").text
    assert "已经不在了" in visitor.post("/import-ledger", key=key).text
    assert Visitor(app).sign_in("supervisor").get("/import-ledger").status_code == 403
