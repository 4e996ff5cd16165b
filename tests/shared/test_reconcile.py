"""What two devices do to one record, in every order: nothing is lost, nothing is invented."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import ids
from shared.operations import Operation
from shared.reconcile import (
    Conflict,
    Knowledge,
    Outcome,
    Record,
    Refused,
    create,
    last_other,
    overlay,
    reconcile,
)

GRID = "grid:410103007901001"
HOME = ids.uuid7(1, b"0123456789")


def home(**values: Any) -> Record:
    base = {"contact_name": "张三", "note": "旧", "care_groups": ["elder"]}
    return create(Operation("create", "household", HOME, GRID, values=base | values), "A")


def edit(name: str, was: Any, new: Any, rev: int = 1, **more: Any) -> Operation:
    return Operation("set", "household", HOME, GRID, 1, rev, fields={name: (was, new)}, **more)


def members(op: str, *elements: str, rev: int = 1) -> Operation:
    return Operation(
        op, "household", HOME, GRID, 1, rev, name="care_groups", elements=tuple(elements)
    )


def by(device: str, record: Record, operation: Operation, *known: Conflict) -> Outcome:
    return reconcile(record, operation, Knowledge(device), known)


def test_an_edit_that_changes_nothing_is_no_edit() -> None:
    record = home()
    outcome = by("B", record, edit("note", "新", "新"))
    assert (outcome.record is record, outcome.result) == (True, "applied")


def test_the_same_value_from_two_people_is_agreement() -> None:
    first = by("B", home(), edit("note", "旧", "新")).record
    second = by("C", first, edit("note", "旧", "新"))
    assert (second.record.rev, second.conflicts) == (2, ())


def test_other_fields_of_one_record_do_not_disturb_each_other() -> None:
    first = by("B", home(), edit("note", "旧", "新")).record
    second = by("C", first, edit("contact_name", "张三", "李四"))
    assert second.result == "merged"
    assert (second.record.values["note"], second.record.values["contact_name"]) == ("新", "李四")


def test_a_review_field_keeps_both_values() -> None:
    first = by("B", home(), edit("note", "旧", "乙")).record
    second = by("C", first, edit("note", "旧", "丙"))
    assert second.result == "conflict"
    assert second.record.values["note"] == "乙"
    (conflict,) = second.conflicts
    assert (conflict.accepted, conflict.proposed, conflict.seen_rev) == ("乙", "丙", 1)


def test_a_latest_field_takes_the_later_arrival_and_keeps_the_earlier_in_history() -> None:
    first = by("B", home(), edit("residents_count", None, 2)).record
    second = by("C", first, edit("residents_count", None, 3))
    assert (second.result, second.record.values["residents_count"]) == ("merged", 3)
    assert second.changes["residents_count"] == (2, 3)


def test_additions_to_a_set_win_over_a_removal_that_did_not_see_them() -> None:
    first = by("B", home(), members("add", "elder", "disabled")).record
    second = by("C", first, members("remove", "elder"))
    assert second.record.values["care_groups"] == ["disabled", "elder"]
    seen = by("C", first, members("remove", "elder", rev=2))
    assert seen.record.values["care_groups"] == ["disabled"]


def test_a_chain_of_one_device_never_conflicts_with_itself() -> None:
    record = home()
    for was, new in itertools.pairwise(["旧", "一", "二", "三"]):
        outcome = by("B", record, edit("note", was, new))
        assert outcome.conflicts == ()
        record = outcome.record
    assert (record.values["note"], record.rev) == ("三", 4)


def test_the_trunk_of_a_chain_is_judged_not_its_last_step() -> None:
    """An edit made after a pull, on top of one the pull did not cover, keeps the older base."""
    theirs = by("B", home(), edit("note", "旧", "乙")).record
    mine = by("C", theirs, edit("note", "甲", "丙", rev=2, base={"note": 1}))
    assert mine.result == "conflict"


def test_an_edit_that_had_not_seen_the_delete_restores_and_tells() -> None:
    gone = by("B", home(), Operation("delete", "household", HOME, GRID, 1, 1)).record
    assert gone.deleted
    outcome = by("C", gone, edit("note", "旧", "新"))
    assert not outcome.record.deleted
    assert (outcome.result, outcome.conflicts[0].field) == ("conflict", "deleted")


def test_a_delete_that_had_not_seen_the_edit_becomes_a_conflict() -> None:
    edited = by("B", home(), edit("note", "旧", "新")).record
    outcome = by("C", edited, Operation("delete", "household", HOME, GRID, 1, 1))
    assert not outcome.record.deleted
    assert (outcome.result, outcome.conflicts[0].proposed) == ("conflict", True)


def test_in_a_new_epoch_only_was_decides() -> None:
    record = by("B", home(), edit("note", "旧", "乙")).record
    old = Knowledge("C", same_epoch=False)
    assert reconcile(record, edit("note", "乙", "丙", rev=99), old).record.values["note"] == "丙"
    assert reconcile(record, edit("note", "旧", "丙", rev=99), old).result == "conflict"


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (edit("nothing", 1, 2), "invalid"),
        (edit("care_groups", [], ["elder"]), "invalid"),
        (Operation("add", "household", HOME, GRID, 1, 1, name="note", elements=("x",)), "invalid"),
    ],
)
def test_what_cannot_be_changed_is_refused(operation: Operation, code: str) -> None:
    with pytest.raises(Refused) as refused:
        by("B", home(), operation)
    assert refused.value.code == code


VALUES = ["旧", "一", "二", "三"]
STEPS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(VALUES), st.sampled_from(VALUES)), max_size=12
)


@given(STEPS)
def test_no_value_is_ever_lost(steps: list[tuple[str, str, str]]) -> None:
    """Whatever three offline devices send: each real edit ends accepted, agreed or in a conflict,
    and the stamps say who changed the field last, and when anyone else did."""
    record = home()
    conflicts: dict[str, Conflict] = {}
    changed_by: list[tuple[int, str]] = [(1, "A")]
    for device, was, new in steps:
        outcome = by(device, record, edit("note", was, new), *conflicts.values())
        for conflict in outcome.conflicts:
            if conflict.state == "open":
                conflicts[conflict.device] = conflict
            else:
                conflicts.pop(conflict.device, None)
        if outcome.record.rev > record.rev:
            changed_by.append((outcome.record.rev, device))
        before, record = record, outcome.record
        if new != was:
            held = {record.values["note"]} | {c.proposed for c in conflicts.values()}
            assert new in held
            assert record.values["note"] in (before.values["note"], new)
    for device in "ABC":
        others = [rev for rev, who in changed_by if who != device]
        assert last_other(record, "note", device) == max(others, default=0)
    assert all(c.accepted == record.values["note"] for c in conflicts.values())


@given(st.lists(st.sampled_from(VALUES), max_size=6))
def test_what_the_phone_shows_is_what_the_server_makes_of_it_alone(values: list[str]) -> None:
    server, shown = home(), home()
    was = "旧"
    for new in values:
        operation = edit("note", was, new)
        server = by("A", server, operation).record
        shown = overlay(shown, operation) or shown
        was = new
    assert shown.values == server.values
