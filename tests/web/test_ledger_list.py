"""The ledger's table: pages from where the last ended, kept filters, chosen columns."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from server.core.access import Viewer
from server.operations.clock import now_ms
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.models import Problem
from server.storage.queries import ledger_page, problems
from server.storage.queries.ledger_page import Place
from server.storage.queries.problems import ProblemFilter
from server.web import args
from shared.work_calendar import DAY
from tests.builders import World, problem
from tests.web.conftest import Visitor
from tests.web.scene import Scene

FILTERS = [
    {}, {"state": "open"}, {"state": "closed"}, {"state": "registered"}, {"category": "lamp"},
    {"state": "open", "flag": "overdue"}, {"flag": "supervised"}, {"flag": "hard"},
    {"flag": "asking", "state": "open"},
    {"body": "water"}, {"area": "410103007901001"}, {"text": "楼"}, {"text": "灯", "state": "open"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("sort", "walking"), [("due", True), ("found", False), ("number", True), ("oldest", False)]
)
def test_every_filter_pages_through_the_same_rows_there_and_back(
    app: Flask, scene: Scene, sort: str, walking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if walking:
        monkeypatch.setattr(ledger_page, "LITTLE", -1)
    world = scene.world
    with app.app_context():
        reading, now = db.session(), now_ms()
        for viewer in (
            Viewer(world.users["supervisor"], "supervisor", "410103007"),
            Viewer(world.users["handler"], "handler", "410103", "water"),
            Viewer(world.users["admin"], "admin", "0"),
        ):
            for given in FILTERS:
                chosen = ProblemFilter(**{**given, "sort": sort})
                matching = problems.matching(reading, viewer, chosen, now)
                order = problems.SORTS[sort] if sort != "due" else (Problem.due_key, Problem.id)
                expected = list(reading.scalars(matching.order_by(*order)))
                whole = ledger_page.listed(reading, viewer, chosen, None, now)
                assert {p.id for p in whole.rows} == {p.id for p in expected}, given
                assert whole.total == len(expected) and not whole.more_than
                keys = [ledger_page.key_of(p, sort) for p in whole.rows]
                assert keys == sorted(keys, reverse=ledger_page.SORTS[sort][1])
                pages, place = [], None
                while True:
                    page = ledger_page.listed(reading, viewer, chosen, place, now, size=3)
                    pages.append([p.id for p in page.rows])
                    if not page.has_next:
                        break
                    place = Place(ledger_page.key_of(page.rows[-1], sort), page.rows[-1].id)
                assert [key for part in pages for key in part] == [p.id for p in whole.rows]
                if len(pages) > 1:
                    head = page.rows[0]
                    place = Place(ledger_page.key_of(head, sort), head.id, before=True)
                    back = ledger_page.listed(reading, viewer, chosen, place, now, size=3)
                    assert [p.id for p in back.rows] == pages[-2]
                    assert back.has_next and back.has_previous == (len(pages) > 2)


def test_pages_follow_each_other_in_the_browser(app: Flask, scene: Scene, world: World) -> None:
    with app.app_context():
        made = [problem(world, description=f"第{n}处青苔", found_at=1000 + n) for n in range(60)]
        list(submit_many([Entry(world.users["worker"], [one]) for one in made]))
    visitor = Visitor(app).sign_in("supervisor")
    first = visitor.get("/ledger?q=青苔&sort=oldest").text
    assert "共 60 条" in first and "第 1 至 50 条" in first and 'rel="prev"' not in first
    following = re.search(r'href="([^"]+)" ?>?', first.partition('rel="next"')[2])
    assert following
    second = visitor.get(following[1].replace("&amp;", "&")).text
    assert "第 51 至 60 条" in second and "第59处青苔" in second and 'rel="next"' not in second
    before = re.search(r'href="([^"]+)"', second.partition('rel="prev"')[2])
    assert before and "第0处青苔" in visitor.get(before[1].replace("&amp;", "&")).text


def test_a_wild_place_is_the_first_page(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    for place in ("after=x", f"after=x~{scene.problems[0]}", "before=9~9", "after=~", "n=0&after="):
        answer = visitor.get(f"/ledger?state=all&{place}")
        assert answer.status_code == 200 and scene.problems[0] in answer.text


def test_what_a_body_asks_for_waits_on_the_first_page_until_it_is_answered(
    app: Flask, scene: Scene
) -> None:
    one = scene.problems[3]
    with app.app_context():
        due = db.session.get_one(Problem, one).due_at or 0
    handler = Visitor(app).sign_in("handler")
    handler.get(f"/ledger/{one}")
    seen = {"state": handler.hidden("state"), "step": handler.hidden("step"), "reason": "缺配件"}
    early = args.moment_text(due - 60_000)
    handler.post(f"/ledger/{one}/request_extension", **seen, extension_until=early)
    assert "要晚于现在的时限" in handler.page and "请看标红的地方" in handler.page
    later = args.moment_text(due + DAY)
    handler.post(f"/ledger/{one}/request_extension", **seen, extension_until=later)
    supervisor = Visitor(app).sign_in("supervisor")
    assert "等待答复申请" in supervisor.get("/").text
    assert f"/ledger/{one}" in supervisor.get("/ledger?flag=asking").text
    assert "申请延期，等答复" in supervisor.page
    supervisor.post(f"/ledger/{one}/decline", **seen)
    assert f"/ledger/{one}" not in supervisor.get("/ledger?flag=asking").text
    assert "等待答复申请" not in supervisor.get("/").text


def test_a_filter_is_kept_for_its_person_alone(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get("/ledger")
    shown = visitor.post("/ledger/views?state=closed&category=lamp&bad=1", name="已办的灯").text
    assert "已保存筛选" in shown
    plain = visitor.get("/ledger").text
    link = re.search(r'<li class="view">\s*<a href="([^"]+)"', plain)
    assert link and "state=closed" in link[1] and "bad" not in link[1]
    there = visitor.get(link[1].replace("&amp;", "&")).text
    assert (
        scene.problems[6] in there
        and scene.problems[5] not in there
        and 'class="view here"' in there
    )
    assert "已办的灯" not in Visitor(app).sign_in("admin").get("/ledger").text
    assert "要有 1 至" in visitor.post("/ledger/views", name=" ").text
    gone = visitor.post("/ledger/views?state=closed", forget="已办的灯").text
    assert "已办的灯</a>" not in gone


def test_columns_are_chosen_and_come_back(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get("/ledger")
    page = visitor.post("/ledger/columns", column=["owner", "source"]).text
    assert page.count("<th ") == 3 and 'data-label="责任人"' in page
    assert 'data-label="责任人"' in Visitor(app).sign_in("supervisor").get("/ledger").text
    assert visitor.post("/ledger/columns", usual="1").text.count("<th ") == 6


def test_a_handler_has_no_choice_of_another_body(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("handler")
    own, other = (visitor.get(f"/ledger?state=all&body={b}").text for b in ("water", "nobody"))
    assert own.count("main-link") == other.count("main-link") > 0 and "f-body" not in other
