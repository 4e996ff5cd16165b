"""The phone's pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile.core import doors, drafts, due, edits, overlay, place, prefill, retry
from shared import ids, masking, reconcile
from shared.ledger import Actor
from shared.operations import ADD, CREATE, REMOVE, SET, Operation

ME = Actor("u1", "grid_worker")
GRID = "grid:410103007901001"


def test_doors_stand_in_the_order_they_are_walked() -> None:
    stairs = [
        {"building": "10", "unit": "1", "door": "101"},
        {"building": "2号楼", "unit": "三单元", "door": "1002"},
        {"building": "2", "unit": "二单元", "door": "302"},
        {"building": "２", "unit": "2", "door": "1001"},
        {"building": "2", "unit": "2", "door": "301"},
        {"building": "2", "unit": "十二单元", "door": "101"},
    ]
    ordered = sorted(stairs, key=doors.stair_key)
    assert [s["door"] for s in ordered if s["building"] in ("2", "２")] == [
        "301",
        "1001",
        "302",
        "101",
    ]
    assert ordered[-1]["building"] == "10"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"building": "3", "unit": "2", "door": "501"}, "幸福里 3号楼2单元501"),
        ({"building": "3号楼", "unit": "", "door": "501"}, "幸福里 3号楼501"),
        ({"address": "大学路1号"}, "大学路1号"),
        ({}, "幸福里"),
    ],
)
def test_an_address_is_one_line(values: dict[str, str], line: str) -> None:
    assert doors.address_line(values, "幸福里") == line


def test_what_is_typed_in_full_width_finds_the_same_door() -> None:
    text = doors.search_text("household", {"contact_name": "张三", "contact_phone": "138１２３４"})
    assert doors.plain("１３８1234") in text


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("13812341234", "138****1234"), ("138 1234 1234", "138****1234"), ("110", "***"), (None, "")],
)
def test_phones_in_lists_are_masked(phone: str | None, masked: str) -> None:
    assert masking.mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("days_ago", "care", "state"),
    [(None, False, "never"), (10, False, "ok"), (80, False, "due"), (90, False, "overdue"),
     (26, True, "due"), (30, True, "overdue"), (24, True, "ok")],
)  # fmt: skip
def test_a_door_is_due_by_its_last_counted_visit(
    days_ago: int | None, care: bool, state: str
) -> None:
    now = 1_000 * due.DAY_MS
    last = None if days_ago is None else now - days_ago * due.DAY_MS
    days = due.period_days(["elder_alone"] if care else [], "normal")
    assert due.due_state(last, now, days) == state


@given(st.integers(1, 60), st.floats(0, 0.999), st.integers(0, 3_600_000))
def test_waits_grow_are_spread_and_heed_the_server(
    failures: int, jitter: float, asked: int
) -> None:
    wait = retry.delay_ms(failures, jitter, asked)
    assert wait >= asked
    assert retry.FIRST_MS // 2 <= wait <= max(retry.LONGEST_MS, asked)


@pytest.mark.parametrize(
    ("result", "sent", "conflict_open", "settled", "expected"),
    [
        (None, False, True, False, "waiting"),
        (None, True, True, False, "sent"),
        ("applied", True, True, False, "applied"),
        ("merged", True, True, False, "applied"),
        ("conflict", True, True, False, "conflict"),
        ("conflict", True, False, False, "applied"),
        ("held", True, True, False, "held"),
        ("rejected", True, True, False, "returned"),
        ("rejected", True, True, True, "settled"),
    ],
)
def test_a_transaction_is_in_exactly_one_place(
    result: str | None, sent: bool, conflict_open: bool, settled: bool, expected: str
) -> None:
    found = place.place_of(result, was_sent=sent, conflict_open=conflict_open, settled=settled)
    assert found == expected


def household(**values: object) -> edits.Held:
    return edits.Held("household", ids.new_id(), GRID, 7, 3, values)


def test_an_edit_names_what_was_seen_and_only_what_differs() -> None:
    held = household(note="旧", contact_name="张三", care_groups=["elder", "disabled"])
    operations = edits.edit_operations(
        held, {"note": "新", "contact_name": "张三", "care_groups": ["disabled", "veteran"]}
    )
    assert [(o.op, dict(o.fields), o.name, o.elements) for o in operations] == [
        (SET, {"note": ("旧", "新")}, "", ()),
        (ADD, {}, "care_groups", ("veteran",)),
        (REMOVE, {}, "care_groups", ("elder",)),
    ]
    assert {(o.seq, o.rev) for o in operations} == {(7, 3)}
    assert edits.edit_operations(held, {"note": "旧"}) == ()


def test_the_base_of_a_chain_is_that_of_its_trunk() -> None:
    """An offline chain across a pull keeps the rev its first step had seen."""
    held = household(note="二")
    trunk = Operation(SET, "household", held.id, GRID, rev=1, fields={"note": ("零", "一")})
    again = Operation(
        SET, "household", held.id, GRID, rev=2, fields={"note": ("一", "二")}, base={"note": 1}
    )
    (last,) = edits.edit_operations(held, {"note": "三", "address": "x"}, [trunk, again])
    assert (last.rev, dict(last.base)) == (3, {"note": 1})


def test_a_problem_shows_the_state_that_its_report_gives_it() -> None:
    values = {
        "category": "leak",
        "description": "漏",
        "place": "1",
        "source": "worker",
        "found_at": 1,
    }
    made = Operation(CREATE, "problem", ids.new_id(), GRID, values=values)
    shown = overlay.shown(None, [overlay.Pending(made, 5)], ME)
    assert shown is not None and (shown.values["state"], shown.values["step"]) == ("reported", 0)


def test_an_action_that_the_server_has_applied_is_not_shown_twice() -> None:
    values = {"state": "in_progress", "step": 3, "category": "leak"}
    agreed = reconcile.Record("problem", ids.new_id(), GRID, 4, values)
    act = Operation(
        "act", "problem", agreed.id, GRID, action="request_closure",
        expect={"state": "in_progress", "step": 3}, data={"result": "修好了"},
    )  # fmt: skip
    pending = [overlay.Pending(act, 5)]
    once = overlay.shown(agreed, pending, ME)
    assert once is not None and once.values["state"] == "closure_requested"
    assert overlay.shown(once, pending, ME) == once


def test_every_form_asks_for_six_things_at_most() -> None:
    assert all(len(names) <= drafts.MOST_ASKED for names in drafts.ASKED.values())


@pytest.mark.parametrize(
    ("kind", "values", "field", "says"),
    [
        ("visit", {"outcome": "met"}, "reason", "请填写走访事由"),
        ("visit", {"target_kind": "household"}, "target_id", "请填写走访对象"),
        ("visit", {"target_kind": "shop"}, "target_name", "请填写对象名称"),
        ("problem", {"description": ""}, "description", "请填写问题描述"),
        ("problem", {"description": "x" * 4001}, "description", "问题描述太长，最多4000个字"),
        ("problem", {"description": "a\x00b"}, "description", "问题描述里有无法保存的字符"),
        ("visit", {"outcome": "nonsense"}, "outcome", "走访结果填得不对"),
        ("visit", {"review_state": "approved"}, "review_state", "走访"),
    ],
)
def test_each_missing_field_is_told_in_chinese(
    kind: str, values: dict[str, object], field: str, says: str
) -> None:
    error = drafts.check(kind, values)[field]
    assert error.zh.startswith(says) or field == "review_state"
    assert error.en


def test_a_field_that_the_server_alone_writes_cannot_be_edited() -> None:
    assert set(drafts.check_changes("problem", {"state": "closed", "found_at": 1})) == {
        "state", "found_at",
    }  # fmt: skip


def test_a_new_visit_takes_over_what_still_holds() -> None:
    last = {"reason": "routine", "concern_tags": ["worry"], "note": "上次的话", "outcome": "met"}
    values = prefill.visit_values("h", {"contact_name": "张三"}, last)
    assert values["concern_tags"] == ["worry"] and "note" not in values
    asked_once = prefill.visit_values("h", {"care_groups": ["elder"]}, {"reason": "recheck"})
    assert asked_once["reason"] == "care"
