"""The ledger's table: every (state, action, role), and what no sequence of actions can do."""

from __future__ import annotations

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
}  # fmt: skip
ROLES = ("grid_worker", "supervisor", "handler", "admin", "auditor", "schedule")


def problem(state: str = "reported", **values: Any) -> dict[str, Any]:
    return {
        "state": state, "step": 3, "round": 1, "extensions": 0, "body": "water",
        "suspend_requested": True, "category": "leak", **values,
    }  # fmt: skip


def needed(action: ledger.Action) -> dict[str, Any]:
    return {name: DATA[name] for name in action.needs}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("role", ROLES)
def test_every_state_action_and_role_does_what_the_table_says(
    state: str, name: str, role: str
) -> None:
    action = ACTIONS[name]
    actor = Actor("me", role, "water")
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


def test_a_handler_acts_for_its_own_body_alone() -> None:
    with pytest.raises(Refused, match="forbidden body"):
        act(problem("dispatched"), "accept", Actor("me", "handler", "gas"), {}, 5)
    act(problem("dispatched", co_bodies=["gas"]), "accept", Actor("me", "handler", "gas"), {}, 5)


def test_an_unsatisfied_call_back_opens_the_next_round() -> None:
    closed = problem("closed", closed_by="x", closed_at=3, closure_by="y")
    worker = Actor("me", "grid_worker")
    changes, progress = act(closed, "callback", worker, {"satisfaction": "unsatisfied"}, 5)
    assert (changes["state"], changes["round"], changes["closed_by"]) == ("reopened", 2, None)
    assert progress.to_state == "reopened"


def test_the_second_extension_is_the_admins() -> None:
    data = {"reason": "等配件", "due_at": 9}
    once = problem("in_progress", extensions=1)
    with pytest.raises(Refused, match="not_allowed extensions"):
        act(once, "extend", Actor("me", "supervisor"), data, 5)
    changes, _ = act(once, "extend", Actor("me", "admin"), data, 5)
    assert changes["extensions"] == 2


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


MOVES = st.lists(
    st.tuples(st.sampled_from(sorted(ACTIONS)), st.sampled_from(ROLES), st.sampled_from("abc"),
              st.booleans()),
    max_size=30,
)  # fmt: skip


@given(MOVES)
def test_no_sequence_of_actions_closes_without_another_persons_verification(
    moves: list[tuple[str, str, str, bool]],
) -> None:
    added, _ = start({}, "a", 0)
    state: dict[str, Any] = {"category": "leak", "body": None, **added}
    asked_by = ""
    for name, role, person, photo in moves:
        facts = Facts(needs_after=True, after_photos=int(photo))
        before = dict(state)
        try:
            changes, progress = act(
                state, name, Actor(person, role, "water"), needed(ACTIONS[name]), 1, facts
            )
        except Refused:
            assert state == before
            continue
        state |= changes
        assert state["state"] in STATES
        assert (state["step"] > before["step"]) == ("step" in changes)
        if progress.action == "request_closure":
            asked_by = person
        if progress.action == "close":
            assert person != asked_by and photo
