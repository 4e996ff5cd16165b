"""A problem's page: clocks, duplicates, reasons, late attempts, paper, and who sees what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from flask import Flask

from server.operations.clock import now_ms
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.models import Problem
from server.storage.tables import User
from shared.work_calendar import DAY, HOUR
from tests import builders
from tests.web.conftest import Visitor
from tests.web.scene import Scene, _photo, act


def _run(*entries: Entry) -> None:
    for _ in submit_many(entries):
        pass


def _report(app: Flask, scene: Scene, ago: int = HOUR, **values: Any) -> str:
    made = builders.problem(scene.world, found_at=now_ms() - ago, **values)
    with app.app_context():
        _run(Entry(scene.world.users["worker"], [made], now_ms() - ago))
    return made.id


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_each_clock_is_a_bar_with_its_words(app: Flask, scene: Scene) -> None:
    page = Visitor(app).sign_in("supervisor").get(f"/ledger/{scene.problems[3]}").text
    bars = re.findall(
        r'role="progressbar"[^>]*aria-valuenow="(\d+)" aria-valuetext="([^"]*)"', page
    )
    assert len(bars) == 3
    assert "完成" in bars[0][1] and "完成" in bars[1][1]
    assert 0 < int(bars[2][0]) < 100 and bars[2][1].startswith("还剩 3 天 23 小时，")
    page = Visitor(app).sign_in("supervisor").get(f"/ledger/{scene.problems[7]}").text
    assert "挂账中，暂停计时" in page and 'class="meter bar-mute standing"' in page


def test_a_likely_duplicate_is_merged_and_taken_out_with_one_click(
    app: Flask, scene: Scene
) -> None:
    first = _report(app, scene, DAY, description="三楼楼道水管漏水结冰")
    again = _report(
        app, scene, description="三楼楼道水管漏水结冰了", source="resident", reporter_name="赵六",
        visit_id=scene.visits[4],
    )  # fmt: skip
    with app.app_context():
        _photo(replace(scene, photos=[]), "problem", again, "before", (90, 80, 70), now_ms(), True)
    visitor = Visitor(app).sign_in("supervisor")
    page = visitor.get(f"/ledger/{again}").text
    assert "可能重复" in page and "同一户，说的很像" in page
    form = next(f for f in page.split("<form")[1:] if f'value="{first}"' in f and "并入这一条" in f)
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    merged = visitor.post(f"/ledger/{again}/merge", **sent)
    assert merged.request.path == f"/ledger/{again}" and "这个问题已并入" in merged.text
    page = visitor.get(f"/ledger/{first}").text
    assert "赵六" in page and f'href="/visits/{scene.visits[4]}"' in page and "<img" in page
    form = next(f for f in page.split("<form")[1:] if f"/ledger/{again}/unmerge" in f)
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    apart = visitor.post(f"/ledger/{again}/unmerge", **sent)
    assert apart.request.path == f"/ledger/{first}"
    assert "赵六" not in apart.text and "从这里撤出，单独办理" in apart.text
    with app.app_context():
        assert db.session.get(Problem, again).state == "registered"


def test_a_later_round_does_not_pass_an_earlier_ones_words_for_its_own(
    app: Flask, scene: Scene
) -> None:
    """Round 1's result and call-back stand in the history; round 2's own among its facts."""
    world, mine = scene.world, _report(app, scene)
    supervisor = Visitor(app).sign_in("supervisor")

    def does(*steps: tuple[str, str, dict[str, Any]]) -> str:
        with app.app_context():
            _run(*(Entry(world.users[who], [act("problem", mine, name, **data)])
                   for who, name, data in steps))  # fmt: skip
        page = supervisor.get(f"/ledger/{mine}").text
        return re.split('<section class="box place-facts"', page)[1].split("</section>")[0]

    def closed(result: str) -> list[tuple[str, str, dict[str, Any]]]:
        return [
            ("supervisor", "dispatch", {"body": "water", "measure": "换阀门"}),
            ("handler", "accept", {}),
            ("handler", "request_closure", {"result": result, "root_cause": "facility"}),
            ("supervisor", "close", {}),
        ]

    no = {"satisfaction": "unsatisfied", "callback_note": "还在漏"}
    facts = does(
        ("supervisor", "register", {}),
        ("supervisor", "supervise", {"reason": "急"}),
        *closed("堵上了"),
        ("worker", "callback", no),
    )
    assert not {"堵上了", "还在漏", "不满意"} & set(re.findall(r"[\u4e00-\u9fff]+", facts))
    page = supervisor.get(f"/ledger/{mine}").text
    assert "还在漏" in page and "挂牌督办 已经挂牌督办" in _text(page)
    assert "不满意" not in (facts := does(*closed("换了新管"))) and "换了新管" in facts
    assert "满意" in does(("worker", "callback", {"satisfaction": "satisfied"}))


def test_what_stands_against_an_action_is_said(app: Flask, scene: Scene) -> None:
    supervisor = Visitor(app).sign_in("supervisor")
    text = _text(supervisor.get(f"/ledger/{scene.problems[4]}").text)
    assert "签收 要在“已派遣”时办" in text  # a word of its table's row
    assert "延期 已经超期，不能再延" in text
    assert "同意挂账 没有等待答复的申请" in text
    assert "申请挂账 责任单位有自己的账号，由它来办" in text
    assert "等自来水公司办理。" in text
    handler = Visitor(app).sign_in("handler")
    assert "到场签收 没有吹哨在等您的单位签收" in _text(
        handler.get(f"/ledger/{scene.problems[4]}").text
    )


def test_there_is_one_first_action_and_the_address_may_open_another(
    app: Flask, scene: Scene
) -> None:
    handler = Visitor(app).sign_in("handler")
    page = handler.get(f"/ledger/{scene.problems[2]}").text
    assert re.findall(r'class="action first" id="do-(\w+)" open', page) == ["accept"]
    page = handler.get(f"/ledger/{scene.problems[2]}?do=return").text
    assert re.findall(r'id="do-(\w+)" open', page) == ["return"]
    with app.app_context():
        problem = db.session.get(Problem, scene.problems[3])
        problem.suspend_requested = True
        db.session.commit()
    page = Visitor(app).sign_in("supervisor").get(f"/ledger/{scene.problems[3]}").text
    assert 'class="action first" id="do-approve_suspend" open' in page


def test_a_late_attempt_is_told_in_the_history(app: Flask, scene: Scene) -> None:
    text = _text(Visitor(app).sign_in("supervisor").get(f"/ledger/{scene.problems[1]}").text)
    assert "没有生效 想办“记录进展”，没有办成：手机上看到的还是“待立案”，这里已是“已立案”" in text
    assert "物业说下周来修" in text


def test_a_whistle_names_each_body_and_its_answer(app: Flask, scene: Scene) -> None:
    problem = scene.problems[3]
    with app.app_context():
        supervisor = scene.world.users["supervisor"]
        three = {"co_bodies": ["power", "gas"], "reason": "三方到场"}
        _run(
            Entry(supervisor, [act("problem", problem, "whistle", **three)], now_ms()),
            Entry(supervisor, [act("problem", problem, "join", co_body="gas")], now_ms()),
        )
    text = _text(Visitor(app).sign_in("supervisor").get(f"/ledger/{problem}").text)
    assert "gas 已到场" in text and "power 还没有到场" in text
    assert "吹哨，请power、gas协办" in text and "gas到场签收" in text


def test_a_supervisor_answers_a_whistle_for_bodies_without_an_account_alone(
    app: Flask, scene: Scene
) -> None:
    """The lead's own account says nothing of those beside it."""
    problem, world = scene.problems[3], scene.world
    with app.app_context():
        three = {"co_bodies": ["power", "gas"], "reason": "三方到场"}
        _run(Entry(world.users["supervisor"], [act("problem", problem, "whistle", **three)]))

    def offered() -> list[str]:
        page = Visitor(app).sign_in("supervisor").get(f"/ledger/{problem}").text
        form = page.partition('id="do-join"')[2].partition("</form>")[0]
        return re.findall(r'<option value="(\w+)"', form)

    assert offered() == ["gas", "power"]
    with app.app_context():
        person = db.session.get(User, world.users["handler"])
        assert person is not None
        person.body = "power"
        db.session.commit()
    assert offered() == ["gas"]
    with app.app_context():
        _run(Entry(world.users["supervisor"], [act("problem", problem, "join", co_body="gas")]))
    text = _text(Visitor(app).sign_in("supervisor").get(f"/ledger/{problem}").text)
    assert not offered() and "到场签收 责任单位有自己的账号，由它来办" in text


def test_a_handler_sees_what_is_its_own_and_no_reporter(app: Flask, scene: Scene) -> None:
    hidden = _report(app, scene, description="楼道水管漏水结冰", reporter_name="赵六")
    with app.app_context():
        merging = {"merged_into": scene.problems[3], "reason": "同一处"}
        made = act("problem", hidden, "merge", **merging)
        _photo(replace(scene, photos=[]), "problem", hidden, "before", (70, 80, 70), now_ms(), True)
        _run(Entry(scene.world.users["supervisor"], [made], now_ms()))
    visitor = Visitor(app).sign_in("handler")
    assert visitor.get(f"/ledger/{hidden}").status_code == 404
    page = visitor.get(f"/ledger/{scene.problems[3]}").text
    assert "13800001234" not in page and "张一" not in page and "赵六" not in page
    assert f'href="/ledger/{hidden}"' not in page and "可能重复" not in page
    picture = re.search(r'src="(/photos/[^"]*)"', page)  # of the merged one, which goes on here
    assert picture and visitor.get(picture[1].replace("&amp;", "&")).status_code == 200
    for other in re.findall(r'href="/ledger/([0-9a-f-]{36})"', page):
        assert visitor.get(f"/ledger/{other}").status_code == 200


def test_what_a_body_returned_leads_back_to_its_board(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("handler")
    one = scene.problems[2]
    visitor.get(f"/ledger/{one}")
    seen = {"state": visitor.hidden("state"), "step": visitor.hidden("step")}
    answer = visitor.post(
        f"/ledger/{one}/return", follow=False, **seen, return_cause="not_ours", reason="不归我们管"
    )
    assert answer.headers["Location"] == "/board"


def test_on_paper_there_is_nothing_to_click_and_reporters_are_masked(
    app: Flask, scene: Scene
) -> None:
    page = Visitor(app).sign_in("supervisor").get(f"/ledger/{scene.problems[3]}/print").text
    assert "<nav" not in page and "<form" not in page and "138****1234" in page
    assert "13800001234" not in page and "今天" not in page and "打印于" in page
    assert Visitor(app).sign_in("far_supervisor").get(
        f"/ledger/{scene.problems[3]}/print"
    ).status_code in (403, 404)
