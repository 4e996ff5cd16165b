"""The ledger's table: every (state, action, role), and what no sequence of actions can do."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import ledger, vocabulary
from shared.ledger import ACTIONS, STATES, Actor, Facts, act, offered, start, why_not
from shared.reconcile import Refused

DATA: dict[str, Any] = {
    "reason": "因为", "merged_into": "x", "body": "water", "measure": "维修", "due_at": 99,
    "suspended_until": 99, "result": "已修好", "satisfaction": "satisfied", "co_bodies": ["gas"],
    "return_cause": "not_ours", "reopen_cause": "recurrence", "extension_until": 99,
    "stage": "handle",
}  # fmt: skip
ENDS = {"dispatch": 20, "accept": 30, "handle": 90}
ROLES = ("grid_worker", "supervisor", "handler", "admin", "auditor", "schedule")


def problem(state: str = "reported", **values: Any) -> dict[str, Any]:
    return {
        "state": state, "step": 3, "round": 1, "extensions": 0, "body": "water",
        "suspend_requested": True, "category": "leak", "due_at": 50, "co_bodies": ["power"],
        **values,
    }  # fmt: skip


def needed(action: ledger.Action) -> dict[str, Any]:
    """What an action needs; where a body answers a whistle for another, also which."""
    found = {name: DATA[name] for name in action.needs}
    if action.name == "dispatch":
        found["due_at"] = 99
    return found | ({"co_body": "power"} if action.name == "join" else {})


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("role", ROLES)
def test_every_state_action_and_role_does_what_the_table_says(
    state: str, name: str, role: str
) -> None:
    action = ACTIONS[name]
    actor = Actor("me", role, "power" if name == "join" else "water")
    allowed = role in action.roles and state in action.sources
    try:
        changes, progress = act(problem(state), name, actor, needed(action), 5)
    except Refused as refused:
        assert not allowed
        assert refused.code == ("forbidden" if role not in action.roles else "not_allowed")
        return
    assert allowed
    assert (progress.from_state, progress.to_state) == (state, changes.get("state", state))
    assert progress.to_state == (action.target or state)
    assert progress.step == (4 if action.target else 3)


@pytest.mark.parametrize("name", [n for n, a in ACTIONS.items() if a.needs])
def test_what_an_action_needs_is_asked_for_by_name(name: str) -> None:
    action = ACTIONS[name]
    actor = Actor("me", action.roles[0], "water")
    for missing in action.needs:
        data = {k: v for k, v in needed(action).items() if k != missing}
        with pytest.raises(Refused) as refused:
            act(problem(action.sources[0]), name, actor, data, 5)
        assert (refused.value.code, refused.value.field) == ("needs", missing)


def test_the_one_who_asked_for_closure_never_verifies_it() -> None:
    asked = problem("closure_requested", closure_by="me")
    with pytest.raises(Refused, match="same_person"):
        act(asked, "close", Actor("me", "supervisor"), {}, 5)
    changes, _ = act(asked, "close", Actor("you", "supervisor"), {}, 5)
    assert (changes["state"], changes["closed_by"], changes["closed_at"]) == ("closed", "you", 5)


def test_a_closure_waits_for_its_photo() -> None:
    asked = problem("closure_requested", closure_by="me")
    you = Actor("you", "supervisor")
    for facts in (Facts(needs_after=True), Facts(photos_pending=1), Facts(True, 1, 1)):
        with pytest.raises(Refused, match="photo_not_verified"):
            act(asked, "close", you, {}, 5, facts)
    act(asked, "close", you, {}, 5, Facts(True, 1))


def test_an_action_that_came_too_late_is_never_taken_for_the_earlier_round() -> None:
    again = problem("reopened", step=9)
    with pytest.raises(Refused, match="late_action"):
        act(
            again, "dispatch", Actor("me", "supervisor"),
            {"body": "water", "measure": "x", "due_at": 9}, 5,
            expect={"state": "reopened", "step": 3},
        )  # fmt: skip


def test_the_lead_body_acts_and_those_beside_it_answer_for_themselves() -> None:
    for other in ("gas", "power"):  # a stranger, and one that only joins in
        with pytest.raises(Refused, match="forbidden body"):
            act(problem("dispatched"), "accept", Actor("me", "handler", other), {}, 5)
    act(problem("in_progress"), "progress", Actor("me", "handler", "power"), {"reason": "到场"}, 5)
    changes, entry = act(problem("dispatched"), "join", Actor("me", "handler", "power"), {}, 5)
    assert changes["whistle"]["power"]["accepted_at"] == 5 and "state" not in changes
    assert entry.detail["co_body"] == "power"
    with pytest.raises(Refused, match="not_allowed whistle"):
        act(problem("dispatched", **changes), "join", Actor("me", "handler", "power"), {}, 6)
    with pytest.raises(Refused, match="forbidden body"):
        act(problem("dispatched"), "join", Actor("me", "handler", "gas"), {}, 5)


def test_a_whistle_calls_several_bodies_never_the_lead() -> None:
    you = Actor("you", "supervisor")
    data = {"reason": "联合整治", "co_bodies": ["gas", "water", "police"]}
    changes, _ = act(problem("in_progress"), "whistle", you, data, 5)
    assert changes["co_bodies"] == ["gas", "police", "power"]
    assert sorted(changes["whistle"]) == ["gas", "police"]
    with pytest.raises(Refused, match="invalid co_bodies"):
        act(problem("in_progress"), "whistle", you, {"reason": "x", "co_bodies": ["water"]}, 5)


def test_a_dispatch_says_who_joins_in_and_that_may_be_nobody() -> None:
    you = Actor("you", "supervisor")
    data = {"body": "water", "measure": "x", "due_at": 9}
    for chosen, joining in ((["gas", "water"], ["gas"]), ([], []), (None, ["power"])):
        asked = data if chosen is None else {**data, "co_bodies": chosen}
        changes, entry = act(problem("reopened"), "dispatch", you, asked, 5)
        assert changes["co_bodies"] == joining
        assert entry.detail.get("co_bodies", []) == joining


def test_a_supervisor_stands_in_only_for_a_body_without_an_account() -> None:
    you, asked = Actor("you", "supervisor"), {"reason": "x", "suspended_until": 9}
    act(problem("dispatched"), "accept", you, {}, 5)
    with pytest.raises(Refused, match="forbidden body"):
        act(problem("dispatched"), "accept", you, {}, 5, Facts(has_login=True))
    with pytest.raises(Refused, match="forbidden body"):
        act(problem("in_progress"), "request_suspend", you, asked, 5, Facts(has_login=True))


def test_a_return_says_why_it_is_not_theirs_and_the_dispatch_clock_begins_anew() -> None:
    water = Actor("me", "handler", "water")
    with pytest.raises(Refused, match="invalid return_cause"):
        act(problem("dispatched"), "return", water, {"reason": "忙", "return_cause": "busy"}, 5)
    changes, _ = act(
        problem("dispatched"), "return", water, {"reason": "不归我们", "return_cause": "not_ours"},
        5, Facts(deadlines=ENDS),
    )  # fmt: skip
    assert (changes["body"], changes["due_at"], changes["dispatch_due_at"]) == (None, None, 20)


def test_a_problem_is_suspended_once_in_a_round_and_its_clock_stands() -> None:
    water, you = Actor("me", "handler", "water"), Actor("you", "supervisor")
    now = problem("in_progress", suspend_requested=False)
    asked, _ = act(now, "request_suspend", water, {"reason": "等料", "suspended_until": 40}, 5)
    now |= asked
    granted, _ = act(now, "approve_suspend", you, {}, 6)
    now |= granted
    assert (now["state"], now["paused_at"], now["deadline_at"]) == ("suspended", 6, None)
    resumed, _ = act(now, "resume", you, {}, 16, Facts(resumed_due_at=60))
    now |= resumed
    assert (now["paused_at"], now["due_at"], now["deadline_at"]) == (None, 60, 60)
    with pytest.raises(Refused, match="not_allowed suspended_until"):
        act(now, "request_suspend", water, {"reason": "又等料", "suspended_until": 70}, 17)


def test_a_declined_request_may_be_made_again() -> None:
    water, you = Actor("me", "handler", "water"), Actor("you", "supervisor")
    now = problem("in_progress", suspend_requested=False)
    with pytest.raises(Refused, match="not_allowed"):
        act(now, "decline", you, {"reason": "无申请"}, 5)
    asked, _ = act(now, "request_suspend", water, {"reason": "等料", "suspended_until": 40}, 5)
    declined, _ = act(now | asked, "decline", you, {"reason": "材料已到"}, 6)
    now |= asked | declined
    assert now["state"] == "in_progress" and not now["suspend_requested"]
    act(now, "request_suspend", water, {"reason": "再申请", "suspended_until": 41}, 7)


def test_reopening_needs_a_cause_the_rules_know() -> None:
    closed, worker = problem("closed", closed_at=3), Actor("me", "grid_worker")
    with pytest.raises(Refused, match="invalid reopen_cause"):
        act(closed, "reopen", worker, {"reason": "x", "reopen_cause": "mood"}, 5)
    data = {"reason": "又堵了", "reopen_cause": "recurrence"}
    changes, _ = act(closed, "reopen", worker, data, 5, Facts(deadlines=ENDS, ledger_no="7"))
    assert (changes["round"], changes["state"], changes["dispatch_due_at"]) == (2, "reopened", 20)
    assert changes["ledger_no"] == "7"  # solved on the spot the first time: it enters the ledger


def test_an_unsatisfied_call_back_opens_the_next_round() -> None:
    closed = problem("closed", closed_by="x", closed_at=3, closure_by="y")
    worker = Actor("me", "grid_worker")
    changes, progress = act(closed, "callback", worker, {"satisfaction": "unsatisfied"}, 5)
    assert (changes["state"], changes["round"], changes["closed_by"]) == ("reopened", 2, None)
    assert (progress.to_state, progress.round) == ("reopened", 2)


def test_a_call_back_is_of_the_round_that_it_closed() -> None:
    assert ledger.called_back(problem("closed", closed_at=3, callback_at=5))
    assert not ledger.called_back(problem("reopened", round=2, callback_at=5))
    assert not ledger.called_back(problem("closed", round=2, callback_at=5, closed_at=9))
    assert ledger.called_back(problem("closed", round=2, callback_at=11, closed_at=9))


def test_what_is_supervised_is_not_supervised_again() -> None:
    asked = problem("in_progress", supervised=True)
    supervise, actor = ACTIONS["supervise"], Actor("me", "supervisor")
    assert why_not(asked, supervise, actor) == ("not_allowed", "supervised")


def test_one_extension_before_the_deadline_and_a_second_by_the_admin() -> None:
    data = {"reason": "等配件", "due_at": 90}
    you, admin = Actor("me", "supervisor"), Actor("me", "admin")
    changes, _ = act(problem("in_progress"), "extend", you, data, 5)
    assert (changes["extensions"], changes["due_at"]) == (1, 90)
    with pytest.raises(Refused, match="not_allowed overdue_at"):
        act(problem("in_progress"), "extend", you, data, 51)
    with pytest.raises(Refused, match="invalid due_at"):
        act(problem("in_progress"), "extend", you, data | {"due_at": 40}, 5)
    with pytest.raises(Refused, match="not_allowed due_at"):
        act(problem("registered", due_at=None), "extend", you, data, 5)
    once = problem("in_progress", extensions=1)
    with pytest.raises(Refused, match="not_allowed extensions"):
        act(once, "extend", you, data, 5)
    changes, _ = act(once, "extend", admin, data, 5)
    with pytest.raises(Refused, match="not_allowed extensions"):
        act(once | changes, "extend", admin, data | {"due_at": 95}, 5)


def test_a_root_cause_is_asked_for_only_where_it_is_hard_or_comes_back() -> None:
    worker, done = Actor("me", "grid_worker"), {"result": "已疏通"}
    act(problem("in_progress"), "request_closure", worker, done, 5)
    for deep in ({"hard": True}, {"recurring": True}):
        with pytest.raises(Refused, match="needs root_cause"):
            act(problem("in_progress", **deep), "request_closure", worker, done, 5)
    with pytest.raises(Refused, match="needs root_cause"):
        act(problem("in_progress"), "request_closure", worker, done, 5, Facts(recurring=True))
    whole = done | {"root_cause": "facility", "root_whys": ["管径小", "老楼没有改造"]}
    changes, _ = act(problem("in_progress", hard=True), "request_closure", worker, whole, 5)
    assert changes["root_whys"] == ["管径小", "老楼没有改造"]
    with pytest.raises(Refused, match="invalid root_whys"):
        act(problem("in_progress"), "request_closure", worker, done | {"root_whys": ["x"] * 6}, 5)


def test_archiving_waits_for_its_time() -> None:
    with pytest.raises(Refused, match="not_allowed closed_at"):
        act(problem("closed"), "archive", Actor("me", "admin"), {}, 5, Facts(retained=False))


def test_what_fell_overdue_keeps_the_moment_it_fell_however_late_it_is_noticed() -> None:
    late = problem("in_progress", due_at=50)
    changes, _ = act(late, "progress", Actor("me", "handler", "water"), {"reason": "在修"}, 70)
    assert changes["overdue_at"] == 50
    dispatched = problem("dispatched", accept_due_at=10)
    changes, _ = act(dispatched, "accept", Actor("me", "handler", "water"), {}, 12)
    assert (changes["accept_overdue_at"], changes["accepted_at"]) == (10, 12)


def test_a_dispatch_takes_the_categorys_limit_unless_told_another() -> None:
    you, data = Actor("you", "supervisor"), {"body": "water", "measure": "修"}
    with pytest.raises(Refused, match="needs due_at"):
        act(problem("registered"), "dispatch", you, data, 5)
    facts = Facts(deadlines=ENDS, due_unit="work_day")
    changes, entry = act(problem("registered"), "dispatch", you, data, 5, facts)
    assert (changes["due_at"], changes["accept_due_at"], changes["deadline_at"]) == (90, 30, 30)
    assert entry.detail["due_at"] == 90 and changes["due_unit"] == "work_day"
    changes, _ = act(problem("registered"), "dispatch", you, data | {"due_at": 25}, 5, facts)
    assert (changes["due_at"], changes["deadline_at"]) == (25, 25)


def test_solved_on_the_spot_is_closed_at_once() -> None:
    added, progress = start({"solved_on_spot": True}, "me", 5)
    assert (added["state"], progress.action) == ("closed", "resolve_on_spot")
    assert start({}, "me", 5)[0]["state"] == "reported"


def test_every_state_has_its_word() -> None:
    assert {c.code for c in vocabulary.PROBLEM_STATES} == set(STATES)


def test_what_is_offered_is_what_may_be_done() -> None:
    actor = Actor("me", "supervisor")
    for action, code in offered(problem("reported"), actor):
        assert code == why_not(problem("reported"), action, actor)[0]


STEPS = 40


def _chosen(rolls: random.Random, state: str) -> tuple[ledger.Action, str]:
    """Mostly something that the state and the role allow, so that walks get far; or anything."""
    fitting = [one for one in ACTIONS.values() if state in one.sources]
    if not fitting or rolls.random() < 0.2:
        return rolls.choice(list(ACTIONS.values())), rolls.choice(ROLES)
    moving = [one for one in fitting if one.target and one.target not in ledger.CLOSED_STATES[1:]]
    action = rolls.choice(fitting + 9 * moving)
    return action, rolls.choice(action.roles)


@given(st.integers(0, 2**32))
def test_no_sequence_of_actions_closes_without_another_persons_verification(seed: int) -> None:
    rolls = random.Random(seed)
    added, entry = start({}, "a", 0, Facts(deadlines=ENDS))
    state: dict[str, Any] = {"category": "leak", "body": None, **added}
    history = [_entry(entry)]
    asked_by = ""
    for at in range(STEPS):
        action, role = _chosen(rolls, state["state"])
        name, person, photo = action.name, rolls.choice("ab"), rolls.random() < 0.7
        facts = Facts(needs_after=True, after_photos=int(photo), deadlines=ENDS, ledger_no="1")
        before = dict(state)
        actor = Actor(person, role, "power" if name == "join" else "water")
        cause = {"root_cause": "facility"} if name == "request_closure" else {}
        try:
            changes, progress = act(state, name, actor, needed(action) | cause, at, facts)
        except Refused:
            assert state == before
            continue
        state |= changes
        history.append(_entry(progress))
        assert before["state"] in action.sources and role in action.roles
        after = "reopened" if name == "callback" and "state" in changes else action.target
        assert state["state"] == (after or before["state"])
        assert (state["step"] > before["step"]) == ("step" in changes)
        assert ledger.derived(history) == (state["state"], state["step"], state["round"])
        if progress.action == "request_closure":
            asked_by = person
        if progress.action == "close":
            assert person != asked_by and photo
        if state["state"] in ("closed", "archived"):
            assert before["state"] in ("closure_requested", "closed")


def _entry(progress: ledger.Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in ("action", "from_state", "to_state", "step")}
