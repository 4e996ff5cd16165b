"""The ledger's table and a problem's page."""

from __future__ import annotations

import re

from flask import Flask

from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.models import Problem, Progress
from server.web import args
from tests.web.conftest import Visitor
from tests.web.scene import DAY, Scene


def _problem(app: Flask, problem_id: str) -> Problem:
    with app.app_context():
        return db.session.get(Problem, problem_id)


def _act(visitor: Visitor, problem_id: str, action: str, **data: object):  # type: ignore[no-untyped-def]
    visitor.get(f"/ledger/{problem_id}")
    return visitor.post(f"/ledger/{problem_id}/{action}", **{**_seen(visitor, problem_id), **data})


def _seen(visitor: Visitor, problem_id: str) -> dict[str, str]:
    """What the page's forms say of the problem as it was shown."""
    fields = r'name="state" value="(\w+)".*?name="step" value="(\d+)"'
    found = re.search(rf'action="/ledger/{problem_id}/\w+".*?{fields}', visitor.page, re.S)
    assert found
    return {"state": found[1], "step": found[2]}


def test_a_problem_goes_the_whole_road_through_the_pages(app: Flask, scene: Scene) -> None:
    supervisor, handler = Visitor(app).sign_in("supervisor"), Visitor(app).sign_in("handler")
    problem = scene.problems[0]
    assert _act(supervisor, problem, "register").status_code == 200
    due = now_ms() + 2 * DAY
    done = _act(
        supervisor, problem, "dispatch", body="water", measure="上门检修",
        due_at=args.moment_text(due), owner="孙师傅",
    )  # fmt: skip
    assert done.status_code == 200 and "派遣给自来水公司" in done.text
    assert _act(handler, problem, "accept").status_code == 200
    closure = {"result": "换了水管", "root_cause": "facility", "root_whys": "管子老\n没有更换过"}
    assert _act(handler, problem, "request_closure", **closure).status_code == 200
    assert _act(supervisor, problem, "close", reason="看过了").status_code == 200
    closed = _problem(app, problem)
    assert closed.state == "closed" and closed.result == "换了水管"
    assert abs(closed.due_at - due) < 60_000
    page = supervisor.get(f"/ledger/{problem}").text
    for sentence in ("上报了这个问题", "同意立案", "签收", "申请销号", "核查销号"):
        assert sentence in page
    with app.app_context():
        steps = db.session.scalars(
            db.select(Progress.action)
            .where(Progress.problem_id == problem)
            .order_by(Progress.step, Progress.id)
        ).all()
    assert steps == ["report", "register", "dispatch", "accept", "request_closure", "close"]


def test_a_page_offers_what_the_role_may_do_now(app: Flask, scene: Scene) -> None:
    supervisor, handler = Visitor(app).sign_in("supervisor"), Visitor(app).sign_in("handler")

    def offered(visitor: Visitor, problem: str) -> set[str]:
        page = visitor.get(f"/ledger/{problem}").text
        return set(re.findall(rf'action="/ledger/{problem}/([a-z_]+)"', page))

    assert offered(supervisor, scene.problems[0]) == {
        "register", "reject", "merge", "progress", "supervise", "remind", "whistle"
    }  # fmt: skip
    assert offered(handler, scene.problems[2]) == {
        "accept", "return", "progress", "request_extension"
    }  # fmt: skip
    assert "request_closure" in offered(handler, scene.problems[3])  # with an after-photo
    assert "close" in offered(supervisor, scene.problems[5])
    assert offered(Visitor(app).sign_in("admin"), scene.problems[6]) == set()  # too early
    assert offered(Visitor(app).sign_in("admin"), scene.problems[2]) == {"extend"}


def test_what_is_missing_is_marked_and_the_rest_is_kept(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    answer = _act(
        visitor, scene.problems[1], "dispatch", body="water", measure="", due_at="",
        owner="王师傅", co_bodies="water",
    )  # fmt: skip
    assert answer.status_code == 422
    assert answer.text.count("请填写这一项") == 1  # the time is the category's, if none is given
    assert 'value="王师傅"' in answer.text and 'value="water" selected' in answer.text
    assert _problem(app, scene.problems[1]).state == "registered"


def test_a_deadline_that_has_passed_is_refused(app: Flask, scene: Scene) -> None:
    answer = _act(
        Visitor(app).sign_in("supervisor"), scene.problems[1], "dispatch", body="water",
        measure="修", due_at="2020-01-01T08:00",
    )  # fmt: skip
    assert answer.status_code == 422 and "已经过去" in answer.text


def test_a_late_action_shows_what_happened_and_keeps_the_input(app: Flask, scene: Scene) -> None:
    one, other = Visitor(app).sign_in("supervisor"), Visitor(app).sign_in("supervisor")
    problem = scene.problems[0]
    one.get(f"/ledger/{problem}")
    seen = _seen(one, problem)
    _act(other, problem, "register")
    answer = one.post(f"/ledger/{problem}/reject", **seen, reason="不属于本社区，已电话告知。")
    assert answer.status_code == 409
    assert "刚刚有了新进展" in answer.text and "已电话告知" in answer.text
    assert _problem(app, problem).state == "registered"


def test_who_asked_for_closure_does_not_verify_it(app: Flask, scene: Scene) -> None:
    with app.app_context():
        problem = db.session.get(Problem, scene.problems[5])
        problem.closure_by = scene.world.users["supervisor"]
        db.session.commit()
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/ledger/{scene.problems[5]}").text
    assert "自己办的不能由自己核查" in page
    assert _act(visitor, scene.problems[5], "close").status_code == 422
    assert _problem(app, scene.problems[5]).state == "closure_requested"


def test_merging_names_the_other_problem(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    first, other = scene.problems[0], scene.problems[4]
    answer = _act(visitor, first, "merge", merged_into=other, reason="同一处漏水")
    assert answer.status_code == 200
    number = _problem(app, other).ledger_no
    assert f"并入 {number}" in answer.text and f'href="/ledger/{other}"' in answer.text


def test_filters_sorting_and_search(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")

    def shown(query: str) -> list[int]:
        page = visitor.get(f"/ledger?{query}").text
        places = {n: page.find(f'href="/ledger/{p}"') for n, p in enumerate(scene.problems)}
        return [n for n, at in sorted(places.items(), key=lambda pair: pair[1]) if at >= 0]

    assert sorted(shown("")) == [0, 1, 2, 3, 4, 5, 7]
    assert shown("state=closed") == [6]
    assert sorted(shown("state=all")) == list(range(8))
    # 4 to be handled, 2 to be accepted, 1 and 0 to be dispatched; 5 and 7 are past their day too,
    # but stand still.
    assert shown("flag=overdue") == [4, 2, 1, 0]
    assert shown("flag=overdue&state=closed") == shown("flag=overdue&state=suspended") == []
    assert shown("flag=supervised") == [4]
    assert shown("flag=hard") == [2]
    assert sorted(shown("category=lamp")) == [1, 3, 5]
    assert shown("sort=found&state=all") == list(range(8))
    assert shown("sort=oldest&state=all") == list(reversed(range(8)))
    assert shown("q=井盖") == [3]
    assert shown("q=%25") == [] and shown("q=_") == []
    assert sorted(shown("area=410103007901001")) == [0, 1, 2, 3, 4, 5, 7]
    assert shown("area=410103007901002") == []
    with app.app_context():
        ends = {n: db.session.get(Problem, p).deadline_at for n, p in enumerate(scene.problems)}
    running = [n for n in shown("sort=due") if ends[n] is not None]
    assert running == sorted(running, key=lambda n: ends[n]) and len(running) == 5


def test_deadlines_are_said_in_words(app: Flask, scene: Scene) -> None:
    page = Visitor(app).sign_in("supervisor").get("/ledger").text
    stands = ("等待核查，暂停计时", "挂账中，暂停计时")
    for words in ("处理：已超期 3 天", "签收：", "派遣：", *stands):
        assert words in page


def test_lists_hide_what_is_personal_in_descriptions(app: Flask, scene: Scene) -> None:
    with app.app_context():
        problem = db.session.get(Problem, scene.problems[0])
        problem.description = "张一（13800001234）家 1单元301 漏水"
        db.session.commit()
    visitor = Visitor(app).sign_in("supervisor")
    listed = re.sub(r"<[^>]*>", "", visitor.get("/ledger").text)  # ids in links may hold a 301
    assert "13800001234" not in listed and "张一" not in listed and "301" not in listed
    assert "13800001234" in visitor.get(f"/ledger/{scene.problems[0]}").text
