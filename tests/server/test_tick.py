"""What is due by itself is done once, by whoever ticks, and nothing else is touched."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import update

from gridledger.commands.ticking import keep_ticking
from server.operations import tick as tick_module
from server.operations.tick import tick
from server.storage.database import db
from server.storage.models import Problem
from shared.work_calendar import DAY, HOUR
from tests.builders import World, pull
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


def done(at: int) -> dict[str, int]:
    return dict(tick(at) or {})


def test_reminders_come_the_day_before_at_and_after_and_overdue_is_kept(world: World) -> None:
    problem = dispatched(world, category="lamp")  # seven days
    act(world, "handler", problem, "accept", T0 + 2 * HOUR)
    due = found(problem).due_at
    before = found(problem).rev
    assert done(due - DAY) == {}
    assert done(due - DAY + 1)["reminders"] == 1
    assert [t.type for t in tasks(world.users["handler"])] == ["due_soon"]
    assert done(due - DAY + 2) == {}  # once
    assert done(due + 5) == {"problems": 1, "overdue": 1, "reminders": 2}
    assert [t.type for t in tasks(world.users["handler"])] == ["due_now"]  # the first is moot
    assert [t.type for t in tasks(world.users["supervisor"])] == ["due_now"]
    one = found(problem)
    assert (one.overdue_at, one.next_at) == (due, due + DAY)
    assert history(problem)[-1]["action"] == "overdue" and history(problem)[-1]["actor"] is None
    assert done(due + DAY + 1)["reminders"] == 2 and found(problem).next_at is None
    assert done(due + 90 * DAY) == {}
    assert found(problem).rev == before + 4  # near, overdue and its next look, after
    assert_history_tells_the_state(problem)


def test_a_tick_that_comes_late_reminds_once(world: World) -> None:
    problem = dispatched(world)
    assert done(T0 + 30 * DAY) == {"problems": 1, "overdue": 1, "reminders": 2}
    one = found(problem)
    assert (one.overdue_at, one.accept_overdue_at) == (one.due_at, one.accept_due_at)
    assert len(tasks(world.users["handler"])) == 1


def test_nobody_leaves_a_report_lying(world: World) -> None:
    problem = report(world)
    done(T0 + DAY + 1)
    assert found(problem).dispatch_overdue_at == T0 + DAY
    assert [t.type for t in tasks(world.users["supervisor"])] == ["due_now"]
    act(world, "supervisor", problem, "reject", T0 + 2 * DAY, reason="重复")
    assert tasks(world.users["supervisor"]) == []  # moot


def test_a_suspension_ends_and_the_clock_runs_on(world: World) -> None:
    problem = dispatched(world)
    act(world, "handler", problem, "accept", T0 + 2 * HOUR)
    until, due = T0 + 20 * DAY, found(problem).due_at
    act(world, "handler", problem, "request_suspend", T0 + 3 * HOUR, reason="x",
        suspended_until=until)  # fmt: skip
    act(world, "supervisor", problem, "approve_suspend", T0 + 4 * HOUR)
    assert done(until - 1) == {}  # its deadline passed, but the clock stood
    assert done(until + 1)["resumed"] == 1
    one = found(problem)
    assert (one.state, one.overdue_at) == ("in_progress", None)
    assert one.due_at == due + until + 1 - T0 - 4 * HOUR
    assert [t.type for t in tasks(world.users["handler"])] == ["suspension_ended"]
    assert_history_tells_the_state(problem)


def test_what_was_closed_long_ago_is_archived(world: World) -> None:
    problem = closed(world, reporter_name="李四")
    assert done(T0 + 300 * DAY) == {}
    assert done(T0 + 366 * DAY)["archived"] == 1
    assert (found(problem).state, found(problem).reporter_name) == ("archived", None)


def test_only_what_is_due_is_touched_and_phones_hear_of_it(app: Flask, world: World) -> None:
    early, late = dispatched(world), dispatched(world, T0 + 10 * DAY, category="lamp")
    rev = found(late).rev
    done(T0 + 3 * DAY)
    assert (found(late).rev, found(late).overdue_at) == (rev, None)
    rows = {x["id"]: x["v"] for x in pull(app.test_client(), world.tokens["worker"])
            if x["t"] == "row" and x["kind"] == "problem"}  # fmt: skip
    assert rows[early]["overdue_at"] == found(early).overdue_at


def test_several_machines_at_once_do_everything_once(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [dispatched(world, T0 + n) for n in range(6)]
    now = found(many[-1]).due_at + 10
    db.session.remove()
    totals: Counter[str] = Counter()
    errors: list[BaseException] = []
    monkeypatch.setattr(tick_module, "BATCH", 2)
    together = threading.Barrier(3)

    def machine() -> None:
        with app.app_context():
            try:
                together.wait(10)
                totals.update(tick(now, batch=2) or {})
            except BaseException as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=machine) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    totals.update(tick(now) or {})  # what was left because another one worked
    assert totals["overdue"] == 6
    for problem in many:
        names = [one["action"] for one in history(problem)]
        assert names.count("overdue") == 1
        assert_history_tells_the_state(problem)


def test_the_embedded_server_ticks_by_itself(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = dispatched(world)
    db.session.remove()
    ticked, stop = threading.Event(), threading.Event()

    def watched() -> None:
        tick()
        ticked.set()

    monkeypatch.setattr(tick_module, "tick", watched)
    thread = keep_ticking(app, 0.001, stop)
    assert ticked.wait(30)
    stop.set()
    thread.join(30)
    assert found(problem).overdue_at == found(problem).due_at


def test_the_tick_looks_at_what_is_due_by_an_index(app: Flask, world: World) -> None:
    from bench.plans import captured, scans

    dispatched(world)
    with captured() as statements:
        done(T0 + 3 * DAY)
    assert scans(app, statements, forced=True) == []
    db.session.execute(update(Problem).values(next_at=None))
    db.session.commit()
    assert done(T0 + 400 * DAY) == {}
