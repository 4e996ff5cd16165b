"""The board of a body: its own problems by deadline, each with the next step at hand."""

from __future__ import annotations

import re

from flask import Flask

from server.operations.clock import now_ms
from server.operations.transact import Entry, submit_many
from server.storage.database import db, write
from server.storage.models import Problem
from server.storage.tables import User
from tests.web.conftest import Visitor
from tests.web.scene import Scene, act


def _groups(page: str) -> dict[str, list[str]]:
    parts = re.split(r'<h2 class="board-head" id="(\w+)"', page)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {name: re.findall(r'class="main-link" href="/ledger/([^"]+)"', p) for name, p in pairs}


def test_a_handler_begins_at_its_board_grouped_by_deadline(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("handler")
    answer = visitor.get("/", follow_redirects=True)
    assert answer.request.path == "/board"
    found = _groups(answer.text)
    problems = scene.problems
    assert set(found["overdue"]) == {problems[2], problems[4]}  # one to accept, one to handle
    assert found["verify"] == [problems[5]] and found["suspended"] == [problems[7]]
    coming = [*found.get("today", []), *found.get("week", []), *found.get("later", [])]
    assert coming == [problems[3]]
    assert f'action="/ledger/{problems[2]}/accept"' in answer.text
    assert f'href="/ledger/{problems[3]}?do=request_closure#do-request_closure"' in answer.text


def test_one_click_accepts_and_comes_back(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("handler")
    page = visitor.get("/board").text
    form = next(f for f in page.split("<form") if f"/ledger/{scene.problems[2]}/accept" in f)
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    answer = visitor.post(f"/ledger/{scene.problems[2]}/accept", **sent)
    assert answer.request.path == "/board" and "已办：签收" in answer.text
    with app.app_context():
        assert db.session.get(Problem, scene.problems[2]).state == "in_progress"


def test_a_whistle_stands_on_the_board_of_each_body_until_it_answers(
    app: Flask, scene: Scene
) -> None:
    with app.app_context(), write() as session:
        session.get(User, scene.world.users["handler"]).body = "gas"
    with app.app_context():
        whistle = act("problem", scene.problems[3], "whistle", co_bodies=["gas"], reason="到场")
        for _ in submit_many([Entry(scene.world.users["supervisor"], [whistle], now_ms())]):
            pass
    visitor = Visitor(app).sign_in("handler")
    page = visitor.get("/board").text
    assert _groups(page) == {"whistle": [scene.problems[3]]}
    form = next(f for f in page.split("<form") if "/join" in f)
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    answer = visitor.post(f"/ledger/{scene.problems[3]}/join", **sent)
    assert answer.status_code == 200 and _groups(answer.text) == {}
    assert "没有要办的问题" in answer.text


def test_nobody_else_has_a_board(app: Flask, scene: Scene) -> None:
    for name in ("supervisor", "admin"):
        assert Visitor(app).sign_in(name).get("/board").status_code == 403
