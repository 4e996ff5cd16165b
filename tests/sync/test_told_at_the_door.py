"""What is told at one door, end to end: a campaign's answers, what was solved, what was known."""

from __future__ import annotations

from mobile.sync.phone import ProblemDraft, VisitDraft
from server.operations import campaigns
from server.storage.database import db
from server.storage.models import Problem, Visit
from tests.sync.conftest import Place

ASKED = {"code": "alarm", "zh": "装了报警器", "en": "Alarm fitted", "type": "yes_no"}


def test_answers_and_what_was_solved_go_up_together_and_the_next_phone_knows(
    place: Place,
) -> None:
    home = place.world.households[0]
    with place.app.app_context():
        campaigns.save({
            "type": "campaign", "code": "gas", "name": "燃气安全", "name_en": "Gas", "active": True,
            "data": {"starts_at": None, "ends_at": None, "areas": [], "questions": [ASKED]},
        })  # fmt: skip
    phone = place.phone()
    running, earlier = phone.campaigns(home)
    assert [one.code for one in running] == ["gas"] and earlier == {}
    answers = {"gas": {"alarm": False}}
    values = {**phone.new_visit(home).values, "outcome": "met", "answers": answers}
    solved = {"category": "lamp", "description": "楼道灯不亮，换了灯泡"}
    visit_id = phone.save_visit(VisitDraft(values, solved=solved))
    assert phone.sync().complete
    assert [one.place for one in phone.status().items] == ["applied"]
    with place.app.app_context():
        visit = db.session.get(Visit, visit_id)
        problem = db.session.query(Problem).filter_by(visit_id=visit_id).one()
        assert visit.answers == answers
        assert (problem.state, problem.solved_on_spot, problem.ledger_no) == ("closed", True, None)

    other = place.phone("two")
    assert other.campaigns(home)[1] == answers
    told = {
        "category": "leak", "description": "厨房水管漏水，滴到楼下", "place": "三单元",
        "target_kind": "household", "target_id": home,
    }  # fmt: skip
    known = other.report_problem(ProblemDraft(told))
    again = {**told, "description": "水管还在漏，滴到楼下厨房"}
    assert [one.id for one in other.alike(again)] == [known], "before anything was sent"
    assert other.sync().complete and phone.sync().complete
    assert [one.id for one in phone.alike(again)] == [known]
    assert phone.alike({**again, "category": "lamp"}) == [], "what is closed is another matter"
    phone.act(known, "progress", {"reason": again["description"]})
    assert phone.sync().complete and other.sync().complete
    assert other.problem(known).progress[-1].reason == again["description"]
