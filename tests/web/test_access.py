"""Who may open what, and what every page must have."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from server.storage.database import db
from server.storage.models import Conflict
from server.storage.tables import Quarantined
from tests.web.conftest import Visitor
from tests.web.scene import Scene

LISTS = ("/", "/visits", "/homes", "/ledger", "/conflicts", "/quarantine", "/offers", "/phones",
         "/people", "/people/grids", "/people/new", "/audit", "/rates", "/recurrences",
         "/categories", "/board", "/import-ledger")  # fmt: skip
MAY = {
    "supervisor": {
        "/",
        "/visits",
        "/homes",
        "/ledger",
        "/conflicts",
        "/quarantine",
        "/offers",
        "/phones",
        "/rates",
        "/recurrences",
    },
    "admin": set(LISTS) - {"/audit", "/board"},
    "handler": {"/", "/ledger", "/board"},
    "auditor": {"/audit"},
    "worker": {"/"},
}
ROLES = list(MAY)


def _pages(app: Flask, scene: Scene) -> list[str]:
    """A page of each kind about a record."""
    with app.app_context():
        conflict = db.session.scalar(select(Conflict.id))
        kept = db.session.scalar(select(Quarantined.id))
    return [
        f"/visits/{scene.visits[0]}", f"/ledger/{scene.problems[2]}", f"/conflicts/{conflict}",
        f"/quarantine/{kept}", f"/homes/{scene.world.households[0]}", f"/photos/{scene.photos[-2]}",
        f"/photos/{scene.photos[-2]}?size=320",
    ]  # fmt: skip


def test_each_role_opens_its_own_pages_and_no_other(app: Flask, scene: Scene) -> None:
    for role in ROLES:
        visitor = Visitor(app).sign_in(role)
        for path in LISTS:
            status = visitor.get(path).status_code
            if role in ("auditor", "handler") and path == "/":
                assert status == 302
            else:
                assert status == (200 if path in MAY[role] else 403), (role, path)


def test_records_of_other_areas_do_not_exist(app: Flask, scene: Scene) -> None:
    near, far = Visitor(app).sign_in("supervisor"), Visitor(app).sign_in("far_supervisor")
    for path in _pages(app, scene):
        assert near.get(path).status_code == 200, path
        assert far.get(path).status_code == 404, path
    assert "没有等待审核的走访" in far.get("/visits").text
    assert "没有未办结的问题" in far.get("/ledger").text
    # Naming the other area in the filter opens nothing.
    assert "没有符合条件的问题" in far.get("/ledger?area=410103007901").text


def test_forms_about_records_of_other_areas_change_nothing(app: Flask, scene: Scene) -> None:
    far = Visitor(app).sign_in("far_supervisor")
    visit, problem = scene.visits[0], scene.problems[0]
    assert far.post(f"/visits/{visit}", action="approve", rev="1").status_code == 404
    taken = far.post(f"/ledger/{problem}/register", state="reported", step="0")
    assert taken.status_code == 404
    near = Visitor(app).sign_in("supervisor")
    assert "待审核" in near.get(f"/visits/{visit}").text
    assert "待立案" in near.get(f"/ledger/{problem}").text


def test_a_handler_sees_what_was_dispatched_to_their_body_alone(app: Flask, scene: Scene) -> None:
    handler = Visitor(app).sign_in("handler")
    shown = handler.get("/ledger?state=all").text
    dispatched = scene.problems[2:]
    for problem in scene.problems:
        assert (problem in shown) == (problem in dispatched)
        status = handler.get(f"/ledger/{problem}").status_code
        assert status == (200 if problem in dispatched else 404)
    assert handler.get(f"/visits/{scene.visits[0]}").status_code == 403
    visit_photo, problem_photo = scene.photos[-3], scene.photos[-2]
    assert handler.get(f"/photos/{problem_photo}").status_code == 200
    assert handler.get(f"/photos/{scene.photos[2]}").status_code == 404
    assert handler.get(f"/photos/{visit_photo}").status_code == 404
    assert "/visits/" not in handler.get(f"/ledger/{problem}").text


def test_nobody_enters_without_signing_in(app: Flask, scene: Scene) -> None:
    stranger = Visitor(app)
    for path in (*LISTS, *_pages(app, scene)):
        answer = stranger.get(path)
        assert answer.status_code == 302 and "/sign-in" in answer.headers["Location"]


def test_every_form_needs_its_token(app: Flask, scene: Scene) -> None:
    checked = 0
    visitor = Visitor(app).sign_in("admin")
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.rule.startswith("/api/"):
            continue
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        answer = visitor.post(path, follow=False, csrf_token="")
        assert answer.status_code == 400 and "页面已过期" in answer.text, path
        checked += 1
    assert checked >= 12


def test_no_page_has_code_or_style_of_its_own(app: Flask, scene: Scene) -> None:
    """The content security policy forbids both; this finds what it would silently drop."""
    for role, paths in MAY.items():
        visitor = Visitor(app).sign_in(role)
        more = _pages(app, scene)[:5] if role == "supervisor" else []
        for path in (*sorted(paths), *more, "/nowhere"):
            answer = visitor.get(path)
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", answer.text)
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"
            hosts = re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]+', answer.text)
            assert not hosts


def test_a_page_that_does_not_exist_says_what_to_do(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    answer = visitor.get(f"/visits/{scene.problems[0]}")
    assert answer.status_code == 404 and "回首页" in answer.text
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize("path", ["/ledger?q=%00", "/visits/%00", "/photos/%00", "/conflicts/%00"])
def test_an_address_with_a_nul_is_no_fault_of_the_server(
    app: Flask, scene: Scene, path: str
) -> None:
    assert Visitor(app).sign_in("supervisor").get(path).status_code == 400


def test_a_sign_in_with_a_nul_is_no_fault_of_the_server(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app)
    visitor.get("/sign-in")
    assert visitor.post("/sign-in", username="a\x00", password="b\x00").status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/ledger?_scheme=javascript&_external=1",
        "/visits?kind=x",
        "/ledger?page=999999&sort=x&state=x",
        "/ledger?q=%25_%5C",
        "/visits?since=soon&until=9999-99-99&worker=me",
        "/audit?page=-1",
    ],
)
def test_strange_addresses_do_no_harm(app: Flask, scene: Scene, path: str) -> None:
    visitor = Visitor(app).sign_in("auditor" if path.startswith("/audit") else "supervisor")
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert "javascript:" not in answer.text
