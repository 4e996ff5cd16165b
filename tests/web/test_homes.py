"""Households: found, read with what is hidden hidden, moved, erased."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from server.operations import look
from server.storage.database import db
from server.storage.models import Conflict, Household
from server.storage.tables import AuditEntry
from tests.builders import FAR_GRID, GRID, OTHER_GRID
from tests.web.conftest import Visitor
from tests.web.scene import Scene

CARE = "独居老人"


def _rows(app: Flask, action: str) -> list[AuditEntry]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def _results(visitor: Visitor, query: str) -> str:
    return visitor.get(f"/homes?{query}").text.partition('id="results"')[2]


def test_a_home_is_found_by_what_a_person_knows_of_it(app: Flask, scene: Scene) -> None:
    homes = scene.world.households
    visitor = Visitor(app).sign_in("supervisor")
    every = _results(visitor, "")
    assert [home in every for home in homes] == [True] * 4
    assert "张*" in every and "张一" not in every and "1380000" not in every and CARE not in every
    for query in ("q=张二", "q=13900001111", "q=1-1-101", "q=1号楼1单元101", "q=航海 张二"):
        shown = _results(visitor, query)
        assert [home in shown for home in homes] == [False, True, False, False], query
    assert "没有符合条件的住户" in _results(visitor, "q=%25_")
    assert homes[0] in _results(visitor, f"area={GRID}&compound={scene.world.compound}")
    assert homes[0] not in _results(visitor, f"area={OTHER_GRID}")
    assert homes[0] not in _results(Visitor(app).sign_in("far_supervisor"), "")


def test_a_home_shows_what_stands_about_it(app: Flask, scene: Scene) -> None:
    home = scene.world.households[1]
    page = Visitor(app).sign_in("supervisor").get(f"/homes/{home}").text
    for words in (
        "张二",
        "航海花园",
        "航苑社区 第一网格",
        "最近的走访",
        "“联系电话”有两个不同的值",
    ):
        assert words in page, words
    assert page.count("/visits/") >= 3
    first = Visitor(app).sign_in("supervisor").get(f"/homes/{scene.world.households[0]}").text
    assert scene.problems[1] in first and scene.problems[6] not in first  # closed


def test_what_is_hidden_is_shown_when_tapped_and_the_look_logged(app: Flask, scene: Scene) -> None:
    home = scene.world.households[0]
    with app.app_context():
        db.session.get(Household, home).note = "儿子在外地"
        db.session.commit()
    visitor = Visitor(app).sign_in("supervisor")
    closed = visitor.get(f"/homes/{home}").text
    assert CARE not in closed and "儿子在外地" not in closed
    opened = visitor.post(f"/homes/{home}/reveal").text
    assert CARE in opened and "儿子在外地" in opened
    (row,) = _rows(app, "home.reveal")
    assert (row.actor, row.target, row.area_code) == (scene.world.users["supervisor"], home, GRID)
    assert row.detail == {"page": "home"}
    visitor.post(f"/homes/{home}/reveal")
    assert len(_rows(app, "home.reveal")) == 2
    far = Visitor(app).sign_in("far_supervisor")
    assert far.post(f"/homes/{home}/reveal").status_code == 404
    assert len(_rows(app, "home.reveal")) == 2


def test_a_visits_page_hides_them_too(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visit = scene.visits[0]
    assert CARE not in visitor.get(f"/visits/{visit}").text
    page = visitor.post(f"/visits/{visit}/reveal?state=all").text
    assert CARE in page
    (row,) = _rows(app, "home.reveal")
    assert (row.target, row.detail) == (scene.world.households[0], {"page": "visit"})


def test_a_list_of_people_is_logged_once_an_hour(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    for path in ("/visits", "/visits?page=2", "/homes", "/homes?q=x", "/visits"):
        visitor.get(path)
    assert len(_rows(app, "look.visits")) == len(_rows(app, "look.homes")) == 1
    Visitor(app).sign_in("admin").get("/homes")
    actors = {row.actor for row in _rows(app, "look.homes")}
    assert actors == {scene.world.users["supervisor"], scene.world.users["admin"]}


def test_the_next_hour_is_logged_again(app: Flask, scene: Scene, monkeypatch: object) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get("/homes")
    now = look.now_ms()
    monkeypatch.setattr(look, "now_ms", lambda: now + look.HOUR_MS)  # type: ignore[attr-defined]
    visitor.get("/homes")
    assert len(_rows(app, "look.homes")) == 2


def test_a_home_is_moved_with_what_belongs_to_it(app: Flask, scene: Scene) -> None:
    home = scene.world.households[3]
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get(f"/homes/{home}")
    assert visitor.post(f"/homes/{home}/move", grid="410103007901999").status_code == 422
    page = visitor.post(f"/homes/{home}/move", grid=OTHER_GRID).text
    assert "已移到 航苑社区 第二网格" in page
    with app.app_context():
        assert db.session.get(Household, home).partition_id == f"grid:{OTHER_GRID}"
    far = Visitor(app).sign_in("far_supervisor")
    far.get("/homes")
    assert far.post(f"/homes/{home}/move", grid=FAR_GRID).status_code == 404


def test_an_erasure_warns_and_needs_a_reason_and_a_tick(app: Flask, scene: Scene) -> None:
    home = scene.world.households[1]
    visitor = Visitor(app).sign_in("admin")
    page = visitor.get(f"/homes/{home}/erase").text
    assert "谁也找不回来" in page and "会删去什么" in page and "冲突" in page
    answer = visitor.post(f"/homes/{home}/erase", reason="")
    assert answer.status_code == 422 and "请写明依据" in answer.text and "请先勾选" in answer.text
    answer = visitor.post(f"/homes/{home}/erase", reason="本人要求")
    assert answer.status_code == 422 and "本人要求" in answer.text
    assert "已删除" in visitor.post(f"/homes/{home}/erase", reason="本人要求", sure="1").text
    assert visitor.get(f"/homes/{home}").status_code == 404
    with app.app_context():
        assert db.session.get(Household, home).contact_name is None
    (row,) = _rows(app, "erase")
    assert (row.target, row.area_code) == (home, GRID)


def test_a_supervisor_erases_nothing(app: Flask, scene: Scene) -> None:
    home = scene.world.households[0]
    visitor = Visitor(app).sign_in("supervisor")
    assert "依法删除" not in visitor.get(f"/homes/{home}").text
    assert visitor.get(f"/homes/{home}/erase").status_code == 403
    answer = visitor.post(f"/homes/{home}/erase", reason="x", sure="1")
    assert answer.status_code == 403


def test_a_conflict_leads_to_its_home(app: Flask, scene: Scene) -> None:
    with app.app_context():
        query = select(Conflict.id).where(Conflict.field == "contact_phone")
        conflict = db.session.scalar(query)
    page = Visitor(app).sign_in("supervisor").get(f"/conflicts/{conflict}").text
    assert f"/homes/{scene.world.households[1]}" in page
