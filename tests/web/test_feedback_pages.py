"""Complaints and suggestions: taken once from a phone, read by administrators alone, answered."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from server import web
from server.operations import feedback
from server.storage.database import db
from server.storage.tables import Feedback
from shared import ids
from tests.web.conftest import Visitor
from tests.web.scene import Scene


def item(text: str, anonymous: bool = False) -> dict[str, object]:
    return {
        "id": ids.new_id(),
        "kind": "complaint",
        "text": text,
        "made_at": 1,
        "anonymous": anonymous,
    }


def test_it_is_taken_once_read_and_answered_and_the_phone_hears_it(
    app: Flask, scene: Scene
) -> None:
    device = scene.world.devices["worker"]
    named, hidden = item("晚上的走访系统点不开"), item("考核压力太大", anonymous=True)
    with app.app_context():
        for _ in range(2):
            answer = feedback.take(device, [named, hidden], [])
        assert answer == {"taken": sorted([named["id"], hidden["id"]]), "answers": []}
        kept = db.session.get(Feedback, hidden["id"])
        assert kept.user_id is None and len(kept.area_code) <= 6
    admin = Visitor(app).sign_in("admin")
    page = admin.get("/feedback").text
    assert "晚上的走访系统点不开" in page and "考核压力太大" in page and "不署名" in page
    assert page.count("<article") == 2
    assert "已答复" in admin.post(f"/feedback/{named['id']}", answer=" 今晚修好 ").text
    assert "晚上的走访系统点不开" not in admin.get("/feedback").text
    assert "今晚修好" in admin.get("/feedback?state=answered").text
    with app.app_context():
        told = feedback.take(device, [], [named["id"], hidden["id"]])["answers"]
    assert [(one["id"], one["text"]) for one in told] == [(named["id"], "今晚修好")]


def test_nobody_else_reads_or_answers(app: Flask, scene: Scene) -> None:
    one = item("网格长常不在")
    with app.app_context():
        feedback.take(scene.world.devices["worker"], [one], [])
    supervisor = Visitor(app).sign_in("supervisor")
    assert supervisor.get("/feedback").status_code == 403
    assert supervisor.post(f"/feedback/{one['id']}", answer="看到了").status_code == 403


def test_no_page_asks_for_a_style_that_its_own_policy_blocks() -> None:
    folder = Path(web.__file__).parent / "templates"
    pages = list(folder.rglob("*.html"))
    assert len(pages) > 30
    assert [page.name for page in pages if " style=" in page.read_text("utf-8")] == []
