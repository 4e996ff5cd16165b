"""The ledger's rules with all that the server knows: clocks, people, places, other problems."""

from __future__ import annotations

import pytest
from flask import Flask

from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.models import Progress
from server.storage.queries import nearby, problems
from server.storage.tables import Change
from shared.operations import ACT, Operation
from shared.reconcile import Refused
from shared.work_calendar import DAY, HOUR
from tests.builders import World, push, transaction
from tests.server.ledger import (
    T0,
    act,
    assert_history_tells_the_state,
    closed,
    dispatched,
    found,
    history,
    report,
    tasks,
)


@pytest.fixture(autouse=True)
def _context(app: Flask):  # type: ignore[no-untyped-def]
    with app.app_context():
        yield


def test_the_clocks_run_from_the_report_to_the_closure(world: World) -> None:
    problem = report(world)
    assert found(problem).dispatch_due_at == T0 + DAY  # one working day
    one = act(world, "supervisor", problem, "register", T0 + HOUR)
    assert one.ledger_no == "410103007901-2025-00001" and one.registered_at == T0 + HOUR
    one = act(world, "supervisor", problem, "dispatch", T0 + HOUR, body="water", measure="修")
    assert (one.due_at, one.due_unit) == (T0 + HOUR + DAY, "natural_day")  # hours: 24
    assert one.accept_due_at == T0 + 7 * HOUR  # four working hours, over the noon rest
    one = act(world, "handler", problem, "accept", T0 + 2 * HOUR)
    assert (one.deadline_at, one.next_at) == (one.due_at, one.due_at)
    act(world, "handler", problem, "request_suspend", T0 + 3 * HOUR, reason="等料",
        suspended_until=T0 + 5 * DAY)  # fmt: skip
    assert [t.type for t in tasks(world.users["supervisor"])] == ["request"]
    act(world, "supervisor", problem, "approve_suspend", T0 + 4 * HOUR)
    assert tasks(world.users["supervisor"]) == [] and found(problem).next_at == T0 + 5 * DAY
    one = act(world, "supervisor", problem, "resume", T0 + 10 * HOUR)
    assert one.due_at == T0 + HOUR + DAY + 6 * HOUR  # as long as it stood
    act(world, "handler", problem, "request_closure", T0 + 12 * HOUR, result="已修好")
    one = act(world, "supervisor", problem, "redo", T0 + 14 * HOUR, reason="还在漏")
    assert one.due_at == T0 + HOUR + DAY + 8 * HOUR
    assert_history_tells_the_state(problem)


def test_what_is_solved_on_the_spot_has_no_number_until_it_comes_back(world: World) -> None:
    problem = report(world, solved_on_spot=True)
    assert (found(problem).state, found(problem).ledger_no) == ("closed", None)
    one = act(world, "worker", problem, "reopen", reopen_cause="recurrence", reason="又漏了")
    assert (one.state, one.round, one.ledger_no) == ("reopened", 2, "410103007901-2025-00001")
    assert_history_tells_the_state(problem)


def test_numbers_have_no_gap_even_if_a_registration_is_refused(world: World) -> None:
    first, other, third = (report(world, T0 + n) for n in range(3))
    act(world, "supervisor", first, "register")
    bad = Operation(
        ACT, "problem", other, world.partition, action="register",
        expect={"state": "reported", "step": 0},
    )  # fmt: skip
    late = Operation(
        ACT, "problem", first, world.partition, action="register",
        expect={"state": "reported", "step": 0},
    )  # fmt: skip
    from server.operations.transact import submit

    with pytest.raises(Refused, match="late_action"):
        submit(world.users["supervisor"], [bad, late], now=T0)
    assert found(other).state == "reported"
    assert act(world, "supervisor", third, "register").ledger_no.endswith("00002")


def test_a_supervisor_accepts_only_for_a_body_without_people_of_its_own(world: World) -> None:
    ours, alone = dispatched(world), dispatched(world, T0 + 1, body="gas")
    with pytest.raises(Refused, match="forbidden"):
        act(world, "supervisor", ours, "accept", T0 + 2 * HOUR)
    assert act(world, "supervisor", alone, "accept", T0 + 2 * HOUR).state == "in_progress"


def test_a_merged_problem_follows_and_can_be_taken_out_again(world: World) -> None:
    main = dispatched(world)
    twin = report(world, T0 + HOUR, source="resident", reporter_name="李四")
    act(world, "supervisor", twin, "merge", reason="同一处", merged_into=main)
    assert (found(twin).state, found(main).merged_count) == ("merged", 1)
    assert nearby.merged_into(db.session(), main) == [twin]
    act(world, "supervisor", twin, "unmerge", reason="不是同一处")
    assert (found(twin).state, found(main).merged_count) == ("registered", 0)
    assert found(twin).ledger_no == "410103007901-2025-00002"
    again = report(world, T0 + 2 * HOUR, source="resident")
    act(world, "supervisor", again, "merge", reason="同一处", merged_into=main)
    act(world, "handler", main, "accept", T0 + 3 * HOUR)
    act(
        world,
        "handler",
        main,
        "request_closure",
        T0 + 3 * HOUR,
        result="换了管",
        root_cause="facility",
    )
    act(world, "supervisor", main, "close", T0 + 4 * HOUR)
    told = tasks(world.users["worker"], "tell_reporter")
    assert [(one.about_id, one.reason) for one in told] == [(again, "换了管")]
    names = [one["action"] for one in history(main)]
    assert names.count("absorb") == 2 and names.count("part") == 1
    for one in (main, twin, again):
        assert_history_tells_the_state(one)


def test_the_reporter_is_told_by_the_worker_who_knows_the_door(world: World) -> None:
    problem = closed(world, source="hotline")
    (task,) = tasks(world.users["worker"], "tell_reporter")
    assert task.about_id == problem and task.detail["ledger_no"].endswith("00001")
    done = Operation(
        ACT, "task", task.id, task.partition_id, action="done", expect={"state": "open"}
    )
    from server.operations.transact import submit

    submit(world.users["worker"], [done], now=T0 + DAY)
    assert tasks(world.users["worker"], "tell_reporter") == []
    closed(world, T0 + DAY, target_id=world.households[1], source="worker")
    assert tasks(world.users["worker"], "tell_reporter") == []


def test_three_of_a_kind_at_one_place_are_flagged_and_ask_for_the_cause(world: World) -> None:
    homes = world.households
    first = dispatched(world, T0, target_id=homes[0])
    report(world, T0 + DAY, target_id=homes[1])
    assert not found(first).recurring
    third = report(world, T0 + 2 * DAY, target_id=homes[2])
    assert found(first).recurring and found(third).recurring
    assert found(third).compound_id == world.compound
    act(world, "handler", first, "accept", T0 + 2 * DAY)
    with pytest.raises(Refused, match="needs root_cause"):
        act(world, "handler", first, "request_closure", T0 + 2 * DAY, result="修好")
    act(world, "handler", first, "request_closure", T0 + 2 * DAY, result="修好",
        root_cause="facility", root_whys=["立管老化"])  # fmt: skip
    from server.core.access import Viewer

    viewer = Viewer(world.users["supervisor"], "supervisor", "410103007")
    (cluster,) = nearby.clusters(db.session(), viewer, T0 + 3 * DAY)
    assert (cluster.category, cluster.compound_id, cluster.count) == ("leak", world.compound, 3)
    for one in (first, third):
        assert_history_tells_the_state(one)


def test_a_whistle_calls_the_people_of_each_body(world: World) -> None:
    problem = dispatched(world, body="gas")
    act(world, "supervisor", problem, "whistle", reason="联合处置", co_bodies=["water"])
    assert [t.type for t in tasks(world.users["handler"])] == ["whistled"]
    one = act(world, "handler", problem, "join", T0 + 2 * HOUR)
    assert one.state == "dispatched"  # the lead's acceptance sets the state
    assert one.whistle["water"]["accepted_by"] == world.users["handler"]
    assert act(world, "supervisor", problem, "accept", T0 + 3 * HOUR).state == "in_progress"
    assert_history_tells_the_state(problem)


def test_a_late_action_stands_in_the_history_as_an_attempt(app: Flask, world: World) -> None:
    problem = closed(world, now_ms() - DAY)
    expect = {"state": "in_progress", "step": found(problem).step - 2}
    late = Operation(
        ACT, "problem", problem, world.partition, action="progress", expect=expect,
        data={"reason": "又去看了一次"},
    )  # fmt: skip
    answer = push(app.test_client(), world.tokens["worker"],
                  (1, transaction(world.users["worker"], late))).json  # fmt: skip
    assert [one["code"] for one in answer["answers"]] == ["late_action"]
    entry = history(problem)[-1]
    assert entry["attempt"] and entry["action"] == "progress"
    assert entry["reason"] == "又去看了一次" and entry["detail"]["expected"] == expect
    (task,) = tasks(world.users["worker"], "late_action")
    assert task.about_id == problem
    assert found(problem).state == "closed"
    assert_history_tells_the_state(problem)


def test_archiving_waits_for_its_time_and_leaves_no_person_behind(world: World) -> None:
    problem = closed(
        world, source="resident", reporter_name="张一山", reporter_phone="13812345678",
        description="张一山（13812345678）家漏水", place="航海花园1号楼1单元301",
        position={"lat": 34.75, "lng": 113.62, "accuracy": 5},
    )  # fmt: skip
    with pytest.raises(Refused, match="not_allowed"):
        act(world, "admin", problem, "archive", T0 + 300 * DAY)
    one = act(world, "admin", problem, "archive", T0 + 366 * DAY)
    assert one.state == "archived" and one.archived_at == T0 + 366 * DAY
    assert one.reporter_name is one.reporter_phone is one.position is one.cell is None
    assert one.category == "leak" and "漏水" in one.description
    texts = [one.description, one.place]
    changes = db.session.scalars(db.select(Change.changes).where(Change.record_id == problem))
    entries = db.session.execute(
        db.select(Progress.reason, Progress.detail).where(Progress.problem_id == problem)
    )
    everything = " ".join([*texts, *map(str, changes), *map(str, entries)])
    for secret in ("张一山", "13812345678", "301"):
        assert secret not in everything
    assert_history_tells_the_state(problem)


def test_the_handlers_list_knows_where_a_body_joins_in(world: World) -> None:
    from server.core.access import Viewer
    from server.storage.tables import ProblemBody

    problem = dispatched(world, body="gas")
    act(world, "supervisor", problem, "whistle", reason="x", co_bodies=["water", "power"])
    rows = db.session.execute(db.select(ProblemBody.body, ProblemBody.problem_id)).all()
    assert sorted(rows) == [("power", problem), ("water", problem)]
    viewer = Viewer(world.users["handler"], "handler", "410103007", "water")
    assert problems.visible(db.session(), viewer, problem) is not None
