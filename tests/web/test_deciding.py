"""Conflicts and quarantine on the pages."""

from __future__ import annotations

from flask import Flask

from server.operations.transact import submit
from server.storage.database import db
from server.storage.models import Conflict, Household, Task, Visit
from server.storage.tables import Quarantined
from shared.operations import SET, Operation
from tests.web.conftest import Visitor
from tests.web.scene import Scene

UNREADABLE = (
    "{",
    "[]",
    '{"operations": 3}',
    '{"operations": [{"op": "create", "kind": "moon", "values": {"a": 1}}]}',
    '{"operations": [{"op": "set", "kind": "visit", "fields": {"visited_at": [1, "x"]}}]}',
)


def _conflict(app: Flask, field: str) -> Conflict:
    with app.app_context():
        return db.session.scalar(db.select(Conflict).where(Conflict.field == field))


def _kept(app: Flask, code: str) -> str:
    with app.app_context():
        found = db.session.scalar(db.select(Quarantined.id).where(Quarantined.code == code))
        assert found is not None
        return found


def test_both_values_stand_side_by_side(app: Flask, scene: Scene) -> None:
    conflict = _conflict(app, "contact_phone")
    page = Visitor(app).sign_in("supervisor").get(f"/conflicts/{conflict.id}").text
    assert "现用的值" in page and "另一个值" in page
    assert "李敏的手机" in page and "李敏的旧手机" in page
    assert page.count("写的时候看到的是：13800000001") == 2


def test_the_other_value_is_chosen(app: Flask, scene: Scene) -> None:
    conflict = _conflict(app, "contact_phone")
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get(f"/conflicts/{conflict.id}")
    visitor.post(f"/conflicts/{conflict.id}", choice="proposed", version=visitor.hidden("version"))
    with app.app_context():
        assert db.session.get(Household, conflict.about_id).contact_phone == "13700002222"
        decided = db.session.get(Conflict, conflict.id)
        assert (decided.state, decided.verdict) == ("decided", "13700002222")
        told = db.session.scalars(
            db.select(Task.user_id).where(Task.type == "conflict_verdict")
        ).all()
    assert told == [scene.world.users["worker"]]


def test_a_third_value_is_written(app: Flask, scene: Scene) -> None:
    conflict = _conflict(app, "note")
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get(f"/conflicts/{conflict.id}")
    answer = visitor.post(
        f"/conflicts/{conflict.id}", follow=False, choice="third",
        third="晚上八点后在家，灯已报修。", version=visitor.hidden("version"),
    )  # fmt: skip
    other = _conflict(app, "contact_phone")
    assert answer.headers["Location"] == f"/conflicts/{other.id}"  # the next one
    with app.app_context():
        visit = db.session.get(Visit, conflict.about_id)
        assert visit.note == "晚上八点后在家，灯已报修。" and visit.review_state == "pending"
    page = visitor.get(f"/conflicts/{conflict.id}").text
    assert "晚上八点后在家，灯已报修。" in page and "就用选中的值" not in page


def test_a_conflict_that_moved_on_is_shown_again(app: Flask, scene: Scene) -> None:
    conflict = _conflict(app, "note")
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get(f"/conflicts/{conflict.id}")
    version = visitor.hidden("version")
    with app.app_context():
        visit = db.session.get(Visit, conflict.about_id)
        submit(
            scene.world.users["supervisor"],
            [Operation(SET, "visit", visit.id, visit.partition_id, visit.seq, visit.rev,
                       fields={"note": (visit.note, "第三个人改的")})],
        )  # fmt: skip
    answer = visitor.post(
        f"/conflicts/{conflict.id}", choice="third", third="我写的", version=version
    )
    assert answer.status_code == 409
    assert "刚刚有变化" in answer.text and "第三个人改的" in answer.text
    assert "我写的" in answer.text


def test_nothing_chosen_and_a_value_that_does_not_fit(app: Flask, scene: Scene) -> None:
    conflict = _conflict(app, "contact_phone")
    visitor = Visitor(app).sign_in("supervisor")
    assert visitor.post(f"/conflicts/{conflict.id}", version="1").status_code == 422
    long = "1" * 31  # a telephone number has at most 30 characters
    answer = visitor.post(f"/conflicts/{conflict.id}", choice="third", third=long, version="1")
    assert answer.status_code == 422
    assert _conflict(app, "contact_phone").state == "open"


def test_an_empty_third_value_is_asked_for_at_its_box(app: Flask, scene: Scene) -> None:
    conflict = _conflict(app, "contact_phone")
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get(f"/conflicts/{conflict.id}")
    version = visitor.hidden("version")
    answer = visitor.post(f"/conflicts/{conflict.id}", choice="third", third=" ", version=version)
    assert answer.status_code == 422 and "请写出第三个值" in answer.text
    assert 'id="choice-third" checked' in answer.text and 'aria-invalid="true"' in answer.text
    assert _conflict(app, "contact_phone").state == "open"
    visitor.post(f"/conflicts/{conflict.id}", choice="third", third="", empty="1", version=version)
    decided = _conflict(app, "contact_phone")
    assert (decided.state, decided.verdict) == ("decided", None)


def test_an_admin_reads_conflicts_and_does_not_decide(app: Flask, scene: Scene) -> None:
    conflict = _conflict(app, "note")
    visitor = Visitor(app).sign_in("admin")
    assert "冲突由网格长裁定" in visitor.get(f"/conflicts/{conflict.id}").text
    answer = visitor.post(f"/conflicts/{conflict.id}", choice="accepted", version="1")
    assert answer.status_code == 403


def test_the_list_of_conflicts_hides_personal_values(app: Flask, scene: Scene) -> None:
    page = Visitor(app).sign_in("supervisor").get("/conflicts").text
    assert "139****1111" in page and "13900001111" not in page and "张二" not in page


def test_quarantine_says_why_and_what(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    listed = visitor.get("/quarantine").text
    assert "不在您负责的网格" in listed and "灭火器已到期，提醒更换。" in listed
    page = visitor.get(f"/quarantine/{_kept(app, 'out_of_scope')}").text
    for words in ("新建走访", "便民超市", "李敏", "航苑社区 第二网格"):
        assert words in page


def test_a_release_takes_effect(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    answer = visitor.post(f"/quarantine/{_kept(app, 'out_of_scope')}", action="release")
    assert "已放行" in answer.text
    with app.app_context():
        visit = db.session.scalar(db.select(Visit).where(Visit.target_name == "便民超市"))
        assert visit.created_by == scene.world.users["worker"]


def test_a_release_that_cannot_apply_says_so_and_keeps_it(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    entry = _kept(app, "late_action")
    answer = visitor.post(f"/quarantine/{entry}", action="release")
    assert answer.status_code == 422 and "还不能放行" in answer.text
    assert "待处理" in visitor.get(f"/quarantine/{entry}").text


def test_a_refusal_needs_a_reason(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    entry = _kept(app, "late_action")
    assert visitor.post(f"/quarantine/{entry}", action="refuse").status_code == 422
    answer = visitor.post(f"/quarantine/{entry}", action="refuse", reason="已由别人记录")
    assert "不予收下" in answer.text
    assert entry in visitor.get("/quarantine?state=refused").text


def test_unreadable_content_is_shown_as_it_came(app: Flask, scene: Scene) -> None:
    entry = _kept(app, "late_action")
    for text in UNREADABLE:
        with app.app_context():
            kept = db.session.get(Quarantined, entry)
            assert kept is not None
            kept.text = text
            db.session.commit()
        visitor = Visitor(app).sign_in("supervisor")
        assert visitor.get("/quarantine").status_code == 200
        assert visitor.get(f"/quarantine/{entry}").status_code == 200
