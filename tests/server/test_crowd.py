"""Fifty people act on two hundred problems at once: every history is legal, every number once."""

from __future__ import annotations

import random
import threading
from collections import Counter

from flask import Flask
from sqlalchemy import select

from server.core.access import Viewer
from server.operations.clock import now_ms
from server.operations.ledger import take_action
from server.operations.transact import Entry, submit_many
from server.storage.database import db, write
from server.storage.models import Problem
from server.storage.tables import User
from shared import ids, ledger
from shared.reconcile import Refused
from shared.work_calendar import DAY
from tests import builders
from tests.builders import COMMUNITY, FAR_GRID, GRID, OTHER_GRID, STREET, World
from tests.server.ledger import assert_history_tells_the_state, history

CLIENTS, PROBLEMS, ACTIONS = 50, 200, 9
GRIDS = (GRID, OTHER_GRID, FAR_GRID)


def _people() -> list[Viewer]:
    roles = ["supervisor"] * 24 + ["handler"] * 20 + ["admin"] * 6
    found = []
    with write() as session:
        for n, role in enumerate(roles):
            body = "water" if role == "handler" else None
            user = User(
                id=ids.new_id(), username=f"p{n}", name=f"第{n}人", role=role, area_code=STREET,
                body=body, active=True, failures=0, language="zh", scope_rev=1, created_at=now_ms(),
            )  # fmt: skip
            session.add(user)
            found.append(Viewer(user.id, role, STREET, body or ""))
    return found


def _problems(world: World) -> list[str]:
    now = now_ms()
    operations = [
        builders.create(
            "problem", ids.grid_partition(GRIDS[n % 3]), category="leak",
            description=f"第{n}处漏水", place=f"{n}号", source="worker", found_at=now - n,
        )
        for n in range(PROBLEMS)
    ]  # fmt: skip
    list(submit_many([Entry(world.users["worker"], [one], now) for one in operations]))
    return [one.id for one in operations]


def _data(action: ledger.Action, others: list[str], rolls: random.Random) -> dict[str, object]:
    later = now_ms() + rolls.randint(9, 30) * DAY
    given = {
        "reason": "原因", "merged_into": rolls.choice(others), "body": "water", "measure": "修",
        "due_at": later, "suspended_until": later, "extension_until": later, "result": "好了",
        "satisfaction": rolls.choice(["satisfied", "unsatisfied"]), "co_bodies": ["gas"],
        "return_cause": "not_ours", "reopen_cause": "recurrence",
    }  # fmt: skip
    wanted = {name: given[name] for name in action.needs}
    return wanted | ({"co_body": "gas"} if action.name == "join" else {})


def test_a_crowd_leaves_only_legal_histories_and_every_number_once(
    app: Flask, world: World
) -> None:
    with app.app_context():
        people, problems = _people(), _problems(world)
        db.session.remove()
    outcomes: Counter[str] = Counter()
    errors: list[BaseException] = []
    together = threading.Barrier(CLIENTS)

    def client(number: int) -> None:
        rolls, viewer = random.Random(number), people[number]
        actor = ledger.Actor(viewer.user_id, viewer.role, viewer.body)
        try:
            together.wait(60)
            for _ in range(ACTIONS):
                with app.app_context():
                    outcomes[_act(viewer, actor, problems, rolls)] += 1
                    db.session.remove()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors, errors[:1]
    assert outcomes["applied"] > 100 and outcomes["late_action"] > 0, outcomes
    with app.app_context():
        _check(problems)


def _act(viewer: Viewer, actor: ledger.Actor, problems: list[str], rolls: random.Random) -> str:
    """One person opens a problem that is asked for by many, and does something about it."""
    problem = db.session.get(Problem, problems[min(rolls.randrange(PROBLEMS), rolls.randrange(60))])
    assert problem is not None
    values = {column.name: getattr(problem, column.name) for column in Problem.__table__.columns}
    possible = [action for action, why in ledger.offered(values, actor) if not why]
    moving = [action for action in possible if action.target]
    if not possible:
        return "nothing"
    action = rolls.choice(possible + 5 * moving)
    try:
        take_action(
            viewer, problem.id, action.name, _data(action, problems, rolls),
            problem.state, problem.step,
        )  # fmt: skip
        return "applied"
    except Refused as refused:
        return refused.code


def _check(problems: list[str]) -> None:
    for problem_id in problems:
        assert_history_tells_the_state(problem_id)
        state = ""
        for entry in sorted(history(problem_id), key=lambda one: one["step"]):
            known = ledger.ACTIONS.get(entry["action"])
            if known is None or entry["from_state"] == entry["to_state"]:
                continue
            assert entry["from_state"] in known.sources
            assert entry["from_state"] == (state or "reported")
            state = entry["to_state"]
    rows = db.session.execute(
        select(Problem.ledger_no, Problem.partition_id).where(Problem.ledger_no.is_not(None))
    ).all()
    serials: dict[str, list[int]] = {}
    for number, partition in rows:
        community, _, serial = number.split("-")
        assert partition.startswith(f"grid:{community}")
        serials.setdefault(community, []).append(int(serial))
    assert COMMUNITY in serials
    for found in serials.values():
        assert sorted(found) == list(range(1, len(found) + 1))
    same = select(Problem.id).where(
        Problem.state == "closed", Problem.closed_by == Problem.closure_by
    )
    assert db.session.scalars(same).all() == []
