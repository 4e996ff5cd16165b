"""The three rates: the rule, and the same rule as one query over many problems."""

from __future__ import annotations

import random
from typing import Any

from flask import Flask

from server.core.access import Viewer
from server.operations.transact import Entry, submit_many
from server.storage.database import db, write
from server.storage.models import Problem
from server.storage.queries import rates as query
from server.storage.queries.rates import Period
from shared import ids, rates
from shared.ledger import STATES
from tests import builders
from tests.builders import COMMUNITY, FAR_GRID, GRID, STREET, World

NOW = 1_000_000_000_000


def _values(rolls: random.Random) -> dict[str, Any]:
    maybe = lambda: rolls.choice([None, NOW - 5, NOW + 5])  # noqa: E731
    return {
        "state": rolls.choice(STATES), "solved_on_spot": rolls.random() < 0.2,
        "registered_at": maybe(), "dispatched_at": maybe(), "accept_due_at": maybe(),
        "accepted_at": maybe(), "overdue_at": rolls.choice([None, None, NOW - 5]),
        "due_at": maybe(), "satisfaction": rolls.choice([None, "satisfied", "unsatisfied"]),
        "body": rolls.choice(["water", "gas", None]), "reported_at": NOW - rolls.randrange(100),
    }  # fmt: skip


def test_the_query_counts_as_the_rule_does_and_hides_nothing(app: Flask, world: World) -> None:
    rolls = random.Random(7)
    with app.app_context():
        operations = [
            builders.create(
                "problem", ids.grid_partition(rolls.choice([GRID, FAR_GRID])), category="lamp",
                description="x", place="y", source="worker", found_at=NOW - n * 10**9,
            )
            for n in range(300)
        ]  # fmt: skip
        list(submit_many([Entry(world.users["worker"], operations, NOW)]))
        made = {one.id: _values(rolls) for one in operations}
        with write() as session:
            for problem_id, values in made.items():
                row = session.get(Problem, problem_id)
                for name, value in values.items():
                    setattr(row, name, value)
        supervisor = Viewer(world.users["supervisor"], "supervisor", STREET)
        period = Period(NOW - 1000, NOW + 1)
        for by in query.GROUPS:
            groups = query.grouped(db.session(), supervisor, period, by, NOW)
            assert sum(group.total for group in groups) == len(made) == query.total(groups).total
            for rate in rates.RATES:
                judged = [rates.judge(rate, values, NOW) for values in made.values()]
                good = sum(group.rates[rate].good for group in groups)
                counted = sum(group.rates[rate].counted for group in groups)
                assert good == sum(one.good is True for one in judged)
                assert counted == sum(one.good is not None for one in judged)
                for group in groups:
                    assert set(group.left_out[rate]) <= set(rates.LEFT_OUT)
                left = sum(sum(group.left_out[rate].values()) for group in groups)
                assert left == len(made) - counted
        one = query.left_out(db.session(), supervisor, period, "response", "merged", NOW, size=1000)
        merged = {i for i, v in made.items() if v["state"] == "merged"}
        assert {row.id for row in one.rows} == merged
        bodies = {
            group.key for group in query.grouped(db.session(), supervisor, period, "body", NOW)
        }
        assert bodies == {"", "gas", "water"}
        months = query.grouped(db.session(), supervisor, period, "month", NOW)
        assert [group.key for group in months] == ["2001-09"]
        near = Viewer("x", "supervisor", COMMUNITY)
        (only,) = query.grouped(db.session(), near, period, "community", NOW)
        assert only.key == COMMUNITY and only.total < len(made)


def test_a_rate_of_nothing_is_no_rate() -> None:
    assert rates.Rate(0, 0).share is None and rates.Rate(1, 4).share == 0.25
    assert set(rates.FORMULAS) == set(rates.WORDS) == set(rates.RATES)
