"""What phones hold and a restored server lacks: read, taken back, left."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select

from server.operations import offer
from server.storage.database import db
from server.storage.models import Household, Visit
from server.storage.tables import AuditEntry, Offered
from shared import ids
from tests.web.conftest import Visitor
from tests.web.scene import Scene

HOME, VISIT, BAD = (ids.new_id() for _ in range(3))


def _offer(app: Flask, scene: Scene) -> None:
    """Four rows: a home and a visit to it, a home that the server has older, one that is wrong."""
    world = scene.world
    worker = world.users["worker"]
    base = {"p": world.partition, "by": worker, "at": 1772332200000, "rev": 3}
    home = {"contact_name": "赵小川", "door": "909", "building": "3", "unit": "1"}
    seen = {
        "target_kind": "household", "target_id": HOME, "reason": "routine", "outcome": "met",
        "note": "备份之后写的走访", "visited_at": 1772332200000, "review_state": "approved",
    }  # fmt: skip
    rows: list[dict[str, Any]] = [
        {**base, "kind": "visit", "id": VISIT, "v": seen},
        {**base, "kind": "household", "id": HOME, "v": home},
        {**base, "kind": "household", "id": HOME, "rev": 2, "v": {**home, "door": "908"}},
        {**base, "kind": "household", "id": world.households[3], "v": {"contact_name": "新名字"}},
        {**base, "kind": "visit", "id": BAD, "v": {**seen, "outcome": "moved"}},
    ]
    with app.app_context():
        assert offer.take(world.devices["worker"], rows) == 5


def _states(app: Flask) -> dict[tuple[str, int], str]:
    with app.app_context():
        rows = db.session.scalars(select(Offered))
        return {(one.record_id, one.rev): one.state for one in rows}


def test_nothing_is_said_where_nothing_is_offered(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    assert "手机里找回的内容" not in visitor.get("/").text
    assert "没有等待收回的内容" in visitor.get("/offers").text


def test_offers_are_read_in_words_and_linked_from_home(app: Flask, scene: Scene) -> None:
    _offer(app, scene)
    visitor = Visitor(app).sign_in("supervisor")
    assert "手机里找回的内容" in visitor.get("/").text and 'href="/offers"' in visitor.page
    listed = visitor.get("/offers").text
    for words in ("备份之后写的走访", "赵*", "李敏的手机", "有较早的内容", "全部收回（5 条）"):
        assert words in listed, words
    assert "赵小川" not in listed
    page = visitor.get(f"/offers/{HOME}/3").text
    assert "赵小川" in page and "909" in page and "没有这条" in page
    page = visitor.get(f"/offers/{scene.world.households[3]}/3").text
    assert "收回会改什么" in page and "张四" in page and "新名字" in page
    far = Visitor(app).sign_in("far_supervisor")
    assert "手机里找回的内容" not in far.get("/").text
    assert far.get(f"/offers/{HOME}/3").status_code == 404
    assert far.post(f"/offers/{HOME}/3", action="take").status_code == 404
    assert Visitor(app).sign_in("handler").get("/offers").status_code == 403


def test_one_is_taken_back_or_left(app: Flask, scene: Scene) -> None:
    _offer(app, scene)
    visitor = Visitor(app).sign_in("admin")
    visitor.get("/offers")
    answer = visitor.post(f"/offers/{VISIT}/3", action="take")
    assert answer.status_code == 422 and "还收不回来" in answer.text  # its home comes first
    assert "已收回" in visitor.post(f"/offers/{HOME}/3", action="take").text
    assert "已收回" in visitor.post(f"/offers/{VISIT}/3", action="take").text
    assert "不要这一条" in visitor.post(f"/offers/{HOME}/2", action="leave").text
    assert "已经有人处理过了" in visitor.post(f"/offers/{HOME}/2", action="take").text
    with app.app_context():
        assert db.session.get(Household, HOME).door == "909"
        visit = db.session.get(Visit, VISIT)
        assert visit.created_by == scene.world.users["worker"]
        assert visit.review_state == "pending"  # what the server decides is decided anew
        query = select(AuditEntry.action).where(AuditEntry.action.startswith("offer."))
        logged = sorted(db.session.scalars(query))
    assert logged == ["offer.leave", "offer.take", "offer.take"]
    assert "陈向东" in visitor.get("/offers?state=taken").text


def test_all_are_taken_back_parents_first_and_the_rest_stays(app: Flask, scene: Scene) -> None:
    _offer(app, scene)
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get("/offers")
    page = visitor.post("/offers").text
    assert "已收回 3 条记录" in page and "有 1 条还收不回来" in page
    assert _states(app) == {
        (HOME, 3): "taken", (HOME, 2): "left", (VISIT, 3): "taken", (BAD, 3): "open",
        (scene.world.households[3], 3): "taken",
    }  # fmt: skip
    with app.app_context():
        assert db.session.get(Household, HOME).door == "909"
        assert db.session.get(Household, scene.world.households[3]).contact_name == "新名字"
        query = select(AuditEntry).where(AuditEntry.action == "offer.take_all")
        assert db.session.scalars(query).one().detail == {"records": 3, "stay": 1}
    answer = visitor.post(f"/offers/{BAD}/3", action="take")
    assert answer.status_code == 422 and "内容不合要求" in answer.text
    assert "已决定不要这一条" in visitor.post(f"/offers/{BAD}/3", action="leave").text


def test_a_far_supervisor_takes_nothing_of_others(app: Flask, scene: Scene) -> None:
    _offer(app, scene)
    far = Visitor(app).sign_in("far_supervisor")
    far.get("/offers")
    assert "没有等待收回的内容了" in far.post("/offers").text
    assert set(_states(app).values()) == {"open"}


def test_an_erasure_takes_the_offers_too(app: Flask, scene: Scene) -> None:
    from server.operations import erase

    world = scene.world
    base = {"p": world.partition, "by": world.users["worker"], "at": 1, "rev": 9}
    rows: list[dict[str, Any]] = [
        {**base, "kind": "household", "id": world.households[0], "v": {"contact_name": "张一"}},
        {**base, "kind": "visit", "id": VISIT,
         "v": {"target_kind": "household", "target_id": world.households[0], "note": "家事"}},
        {**base, "kind": "visit", "id": BAD, "v": {"note": "别家的"}},
    ]  # fmt: skip
    with app.app_context():
        assert offer.take(world.devices["worker"], rows) == 3
        erase.erase(world.users["admin"], world.households[0], "本人要求")
        kept = {one.record_id: one.values for one in db.session.scalars(select(Offered))}
    assert kept == {world.households[0]: {}, VISIT: {}, BAD: {"note": "别家的"}}
    assert set(_states(app).values()) == {"left", "open"}
