"""A campaign's questions: when they are asked, what is demanded, how answers read."""

from __future__ import annotations

from typing import Any

import pytest

from mobile.core import drafts, prefill
from shared import campaigns

GRID = "410103007901001"
HOSE = {"code": "hose", "zh": "软管", "en": "Hose", "type": "choice", "required": True,
        "choices": [["metal", "金属", "Metal"], ["rubber", "橡胶", "Rubber"]]}  # fmt: skip
ALARM = {"code": "alarm", "zh": "报警器", "en": "Alarm", "type": "yes_no"}
COUNT = {"code": "count", "zh": "几个灶", "en": "Stoves", "type": "number"}


def campaign(**data: Any) -> dict[str, Any]:
    """A campaign's reference record."""
    return {
        "code": "gas", "name": "燃气安全", "name_en": "Gas safety",
        "data": {"questions": [HOSE, ALARM, COUNT], **data},
    }  # fmt: skip


def visit(**more: Any) -> dict[str, Any]:
    """A visit's values."""
    return {"target_kind": "shop", "target_name": "店", "reason": "campaign", "outcome": "met",
            "visited_at": 1, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "at", "runs"),
    [
        ({}, 5, True),
        ({"starts_at": 5, "ends_at": 9}, 5, True),
        ({"starts_at": 5}, 4, False),
        ({"ends_at": 9}, 9, False),
        ({"areas": ["410103007"]}, 5, True),
        ({"areas": ["410103008"]}, 5, False),
    ],
)
def test_it_is_asked_within_its_time_and_place(data: dict[str, Any], at: int, runs: bool) -> None:
    assert campaigns.is_running(campaigns.read(campaign(**data)), at, GRID) is runs


def test_what_is_required_is_demanded_only_of_whoever_was_met_and_was_asked() -> None:
    running = {"gas": campaigns.read(campaign())}
    asked = {"gas": {"alarm": False}}
    assert list(drafts.check_visit(visit(answers=asked), running)) == ["gas.hose"]
    assert drafts.check_visit(visit(answers=asked, outcome="not_met"), running) == {}
    assert drafts.check_visit(visit(), running) == {}
    assert drafts.check_visit(visit(answers={"gas": {"hose": "metal"}}), running) == {}


def test_answers_read_in_both_languages_and_unknown_ones_as_they_are() -> None:
    known = {"gas": campaigns.read(campaign())}
    answers = {"gas": {"alarm": True, "hose": "metal", "older": ["x"]}, "gone": {"q": 1}}
    assert campaigns.as_text(known, answers) == "燃气安全：软管=金属，报警器=是，older=x; gone：q=1"
    assert campaigns.as_text(known, answers, "en").startswith("Gas safety: Hose=Metal, Alarm=yes")
    assert campaigns.as_text(known, None) == ""


def test_what_a_door_answered_before_is_filled_in() -> None:
    running = [campaigns.read(campaign())]
    earlier = [{"note": "x"}, {"answers": {"gas": {"hose": "rubber", "old": 1}}},
               {"answers": {"gas": {"hose": "metal"}}}]  # fmt: skip
    assert prefill.answers(running, earlier) == {"gas": {"hose": "rubber"}}


def test_typed_answers_are_stored_as_what_they_are() -> None:
    found = campaigns.tidy(
        campaigns.read(campaign()), {"hose": "", "alarm": False, "count": " 2 ", "not_asked": 1}
    )
    assert found == {"alarm": False, "count": 2}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "Gas!"}, "code"),
        ({"name": " "}, "name"),
        ({"data": {}}, "questions"),
        ({"data": {"questions": [{**HOSE, "choices": []}]}}, "Question 1"),
        ({"data": {"questions": [ALARM, ALARM]}}, "same code"),
        ({"data": {"questions": [{**ALARM, "code": f"q{n}", "required": True} for n in range(4)]}},
         "At most 3"),
    ],
)  # fmt: skip
def test_a_campaign_that_cannot_be_asked_is_refused(change: dict[str, Any], said: str) -> None:
    assert campaigns.wrong(campaign()) == ""
    assert said in campaigns.wrong(campaign() | change)


def test_what_was_solved_on_the_spot_takes_its_words_from_the_visit() -> None:
    found = drafts.solved_values(
        "v", visit(note=" 灯泡换了 ", concern_tags=["worry"]), {"category": "street_lamp"}
    )
    assert found["description"] == "灯泡换了" and found["solved_on_spot"] is True
    assert (found["visit_id"], found["concern_tags"]) == ("v", ["worry"])
    own = {"category": "street_lamp", "description": "换了两个"}
    assert drafts.solved_values("v", visit(appeal="要灯"), own)["description"] == "换了两个"
