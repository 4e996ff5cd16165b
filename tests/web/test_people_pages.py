"""People, grids, phones, audit."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from server.operations import accounts
from server.storage.database import db
from server.storage.tables import Assignment, Device, Enrolment, User
from tests.builders import FAR_GRID, STREET
from tests.web.conftest import Visitor
from tests.web.scene import Scene

NEW = {"name": "马小红", "username": "maxh", "role": "grid_worker", "area_code": STREET,
       "password": "", "body": "", "phone": ""}  # fmt: skip


def test_an_account_is_made_and_its_password_told_once(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("admin")
    page = visitor.post("/people/new", **NEW).text
    assert "马小红" in page and "只显示这一次" in page
    password = page.partition("密码是 ")[2].partition(" ")[0]
    Visitor(app).sign_in("maxh", password)
    with app.app_context():
        user = db.session.scalar(select(User).where(User.username == "maxh"))
        assert user is not None and password not in (user.password_hash or "")
    assert "只显示这一次" not in visitor.get(f"/people/{user.id}").text


def test_wrong_fields_are_named_and_the_rest_kept(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("admin")
    answer = visitor.post(
        "/people/new", **{**NEW, "username": "worker", "password": "short", "role": "handler"}
    )
    assert answer.status_code == 422
    for words in ("用户名已被使用", "密码至少 8 位", "要写明单位", 'value="马小红"'):
        assert words in answer.text
    assert " / " not in answer.text.partition("<form")[2].partition("用户名已被使用")[2][:40]


def test_an_admin_makes_nobody_beyond_their_own_area(app: Flask, scene: Scene) -> None:
    answer = Visitor(app).sign_in("admin").post("/people/new", **{**NEW, "area_code": "4101"})
    assert answer.status_code == 403


def test_grids_are_assigned_and_taken_back(app: Flask, scene: Scene) -> None:
    worker = scene.world.users["worker"]
    visitor = Visitor(app).sign_in("admin")
    assert "没有网格员" in visitor.get("/people/grids").text
    page = visitor.post(f"/people/{worker}/grids", action="assign", grid=FAR_GRID).text
    assert "康桥第一网格" in page
    assert "没有网格员" not in visitor.get("/people/grids").text
    visitor.get(f"/people/{worker}")
    visitor.post(f"/people/{worker}/grids", action="unassign", grid=FAR_GRID)
    with app.app_context():
        rows = db.session.scalars(
            select(Assignment.to_at).where(Assignment.grid_code == FAR_GRID)
        ).all()
        assert len(rows) == 1 and rows[0] is not None
    wrong = visitor.post(f"/people/{worker}/grids", action="assign", grid="410103007999999")
    assert wrong.status_code == 422


def test_an_enrolment_code_is_shown_with_its_picture(app: Flask, scene: Scene) -> None:
    worker = scene.world.users["worker"]
    page = Visitor(app).sign_in("admin").post(f"/people/{worker}/code").text
    code = page.partition('class="code">')[2].partition("<")[0]
    assert len(code) == 9 and code[4] == "-" and "<svg" in page and "10 分钟" in page
    with app.app_context():
        stored = db.session.scalars(select(Enrolment.code_hash)).all()
    assert stored == [accounts.code_hash(code)]


def test_phones_tell_what_waits_and_are_revoked(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("admin")
    page = visitor.get("/phones").text
    for words in ("7 条记录，12 张照片", "2 天没有联系", "差 9 分钟"):
        assert words in page
    assert "红米 Note 12" not in visitor.get("/phones?only=waiting").text
    device = scene.world.devices["worker2"]
    assert "已停用" in visitor.post(f"/phones/{device}/revoke").text
    with app.app_context():
        found = db.session.get(Device, device)
        assert found is not None and found.revoked_at is not None


def test_a_supervisor_sees_phones_and_revokes_none(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    assert "2 天没有联系" in visitor.get("/phones").text
    assert visitor.post(f"/phones/{scene.world.devices['worker']}/revoke").status_code == 403
    assert "2 天没有联系" in visitor.get("/").text
    far = Visitor(app).sign_in("far_supervisor")
    assert "李敏" not in far.get("/phones").text


def test_the_auditor_reads_who_did_what(app: Flask, scene: Scene) -> None:
    admin = Visitor(app).sign_in("admin")
    admin.post(f"/people/{scene.world.users['worker']}/code")
    visitor = Visitor(app).sign_in("auditor")
    page = visitor.get("/audit").text
    assert "发登记码" in page and "陈向东" in page and "李敏" in page
    only = visitor.get("/audit?action=enrolment_code").text.partition('id="results"')[2]
    assert "发登记码" in only and "登录" not in only.partition("</thead>")[2]
    assert "没有符合条件" in visitor.get("/audit?until=2020-01-01").text


def test_the_home_page_counts(app: Flask, scene: Scene) -> None:
    page = Visitor(app).sign_in("supervisor").get("/").text

    def number(label: str) -> int:
        head = page.partition(f'<span class="label">{label}</span>')[0]
        return int(head.rpartition('<span class="number">')[2].partition("<")[0])

    assert number("等待审核") == 7
    assert number("等待裁定的冲突") == 2
    assert number("隔离区待处理") == 4
    assert number("未办结") == 7
    assert number("已超期") == 4, "what waits to be verified has its clock at rest"
    assert number("等待立案") == 1 and number("等待核查") == 1
    handler = Visitor(app).sign_in("handler").get("/")
    assert handler.status_code == 302 and handler.location == "/board"


def test_an_account_is_edited(app: Flask, scene: Scene) -> None:
    worker = scene.world.users["worker"]
    visitor = Visitor(app).sign_in("admin")
    assert 'value="李敏"' in visitor.get(f"/people/{worker}/edit").text
    wrong = visitor.post(f"/people/{worker}/edit", name="", area_code=STREET, body="", phone="")
    assert wrong.status_code == 422 and "姓名要 1 至 60 个字" in wrong.text
    page = visitor.post(
        f"/people/{worker}/edit", name="李敏敏", area_code=STREET, body="", phone="0371-66123456"
    ).text
    assert "李敏敏 的资料已保存" in page and "0371-66123456" in page
    with app.app_context():
        user = db.session.get(User, worker)
        assert user is not None and (user.name, user.area_code) == ("李敏敏", STREET)
    assert Visitor(app).sign_in("supervisor").get(f"/people/{worker}/edit").status_code == 403


def test_a_disabled_account_is_signed_out_and_back(app: Flask, scene: Scene) -> None:
    handler = scene.world.users["handler"]
    inside = Visitor(app).sign_in("handler")
    visitor = Visitor(app).sign_in("admin")
    assert "已停用" in visitor.post(f"/people/{handler}/active", active="0").text
    assert "/sign-in" in inside.get("/ledger").headers["Location"]
    answer = visitor.post(f"/people/{handler}/active", active="1")
    assert "已重新启用" in answer.text
    inside.sign_in("handler")
    me = scene.world.users["admin"]
    assert visitor.post(f"/people/{me}/active", active="0").status_code == 422
    assert "停用账号" not in visitor.get(f"/people/{me}").text
