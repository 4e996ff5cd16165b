"""The review of visits."""

from __future__ import annotations

from flask import Flask

from server.operations.transact import submit
from server.storage.database import db
from server.storage.models import Task, Visit
from shared.operations import SET, Operation
from tests.web.conftest import Visitor
from tests.web.scene import Scene


def _state(app: Flask, visit_id: str) -> tuple[str, str | None]:
    with app.app_context():
        visit = db.session.get(Visit, visit_id)
        return visit.review_state, visit.review_note


def _edit(app: Flask, scene: Scene, visit_id: str, note: str) -> None:
    with app.app_context():
        visit = db.session.get(Visit, visit_id)
        change = Operation(
            SET, "visit", visit_id, visit.partition_id, visit.seq, visit.rev,
            fields={"note": (visit.note, note)},
        )  # fmt: skip
        submit(scene.world.users["supervisor"], [change])


def test_approving_goes_on_to_the_next(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    first, second = scene.visits[0], scene.visits[1]
    visitor.get(f"/visits/{first}")
    answer = visitor.post(
        f"/visits/{first}", follow=False, action="approve", rev=visitor.hidden("rev"), then="next"
    )
    assert answer.headers["Location"] == f"/visits/{second}"
    assert _state(app, first) == ("approved", None)
    assert first not in visitor.get("/visits").text
    assert first in visitor.get("/visits?state=approved").text


def test_the_filter_stays_on_the_way_through_the_queue(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    met = [v for n, v in enumerate(scene.visits[:7]) if n % 5 in (0, 1, 4)]
    visitor.get("/visits?outcome=met")
    assert all((v in visitor.page) == (v in met) for v in scene.visits)
    visitor.get(f"/visits/{met[1]}?outcome=met")
    answer = visitor.post(
        f"/visits/{met[1]}?outcome=met", follow=False, action="approve",
        rev=visitor.hidden("rev"), then="next",
    )  # fmt: skip
    assert answer.headers["Location"] == f"/visits/{met[2]}?outcome=met"


def test_returning_needs_a_reason_and_tells_the_worker(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visit = scene.visits[0]
    visitor.get(f"/visits/{visit}")
    rev = visitor.hidden("rev")
    answer = visitor.post(f"/visits/{visit}", action="return", rev=rev, reason="  ")
    assert answer.status_code == 422 and "退回要写明原因" in answer.text
    assert _state(app, visit)[0] == "pending"
    visitor.post(f"/visits/{visit}", action="return", rev=rev, reason="请补充用药情况。")
    assert _state(app, visit) == ("returned", "请补充用药情况。")
    with app.app_context():
        tasks = db.session.scalars(db.select(Task).where(Task.about_id == visit)).all()
    assert [(t.user_id, t.type, t.reason) for t in tasks] == [
        (scene.world.users["worker"], "returned_visit", "请补充用药情况。")
    ]


def test_a_visit_that_changed_meanwhile_is_shown_again(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visit = scene.visits[2]
    visitor.get(f"/visits/{visit}")
    rev = visitor.hidden("rev")
    _edit(app, scene, visit, "门口新装了扶手。")
    answer = visitor.post(
        f"/visits/{visit}", action="return", rev=rev, reason="已写好的原因", then="next"
    )
    assert answer.status_code == 409
    assert "刚刚有改动" in answer.text and "门口新装了扶手。" in answer.text
    assert "已写好的原因" in answer.text  # what was written is kept
    assert _state(app, visit)[0] == "pending"
    visitor.post(f"/visits/{visit}", action="approve", rev=visitor.hidden("rev"))
    assert _state(app, visit)[0] == "approved"


def test_the_history_shows_old_and_new(app: Flask, scene: Scene) -> None:
    _edit(app, scene, scene.visits[2], "门口新装了扶手。")
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/visits/{scene.visits[2]}").text
    assert "<del>无变化。</del>" in page and "<ins>门口新装了扶手。</ins>" in page


def test_an_admin_reads_and_does_not_review(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("admin")
    visitor.get(f"/visits/{scene.visits[0]}")
    assert "审核由网格长进行" in visitor.page
    answer = visitor.post(f"/visits/{scene.visits[0]}", action="approve", rev="1")
    assert answer.status_code == 403
    assert _state(app, scene.visits[0])[0] == "pending"


def test_lists_hide_names_and_doors_pages_show_them(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    listed = visitor.get("/visits").text
    assert "张*" in listed and "张一" not in listed and "001" not in _text(listed)
    page = visitor.get(f"/visits/{scene.visits[0]}").text
    assert "张一" in page and "13800000000" in page


def test_a_photo_that_has_not_arrived_says_where_it_is(app: Flask, scene: Scene) -> None:
    page = Visitor(app).sign_in("supervisor").get(f"/visits/{scene.visits[0]}").text
    assert "李敏的手机" in page and page.count(" data-photo=") == 2


def test_pages_follow_each_other_without_gap_or_repeat(
    app: Flask, scene: Scene, monkeypatch: object
) -> None:
    from server.storage.queries import paging

    page_of = paging.page_of
    from server.storage.queries import visits

    visits.page_of = lambda session, query, number, size=5: page_of(session, query, number, size)
    try:
        visitor = Visitor(app).sign_in("supervisor")
        seen: list[str] = []
        for number in (1, 2, 3):
            page = visitor.get(f"/visits?state=all&page={number}").text
            seen += [v for v in scene.visits if f"/visits/{v}" in page]
        assert sorted(seen) == sorted(scene.visits)
        assert "第 11 至 14 条" in page
    finally:
        visits.page_of = page_of


def _text(page: str) -> str:
    import re

    return re.sub(r"<[^>]+>|href=\S+", " ", page)
