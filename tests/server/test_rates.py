"""The three rates: the rule, and the same rule as one query over many problems."""

from __future__ import annotations

import itertools
import random
from collections import Counter
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
        assert {values["state"] for values in made.values()} == set(STATES)
        home = {one.id: ids.area_of(one.partition) or "" for one in operations}
        told = {
            "area": home.__getitem__, "body": lambda i: made[i]["body"] or "",
            "category": lambda _: "lamp", "street": lambda i: home[i][: ids.STREET_DIGITS],
        }  # fmt: skip
        spans = [period, Period(0, NOW + 1), Period(NOW - 50, NOW + 1, body="gas")]
        for span, moment in itertools.product(spans, (NOW - 10, NOW, NOW + 10)):
            within = [
                i for i, v in made.items()
                if span.start <= v["reported_at"] < span.end and span.body in ("", v["body"])
            ]  # fmt: skip
            for by, key_of in told.items():
                true = Counter(
                    (key_of(i), rate, rates.judge(rate, made[i], moment))
                    for i in within for rate in rates.RATES
                )  # fmt: skip
                assert _counted(query.grouped(db.session(), supervisor, span, by, moment)) == true
        for rate, why in itertools.product(rates.RATES, rates.LEFT_OUT):
            page = query.left_out(db.session(), supervisor, period, rate, why, NOW, size=1000)
            fitting = [i for i, v in made.items() if rates.judge(rate, v, NOW).why == why]
            assert {row.id for row in page.rows} == set(fitting) and page.total == len(fitting)
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


def _counted(groups: list[query.Group]) -> Counter[tuple[str, str, rates.Counted]]:
    """How many entries of each group each verdict has."""
    found: Counter[tuple[str, str, rates.Counted]] = Counter()
    for group in groups:
        for rate, told in group.rates.items():
            found[group.key, rate, rates.Counted(True, "")] += told.good
            found[group.key, rate, rates.Counted(False, "")] += told.counted - told.good
            for why, number in group.left_out[rate].items():
                found[group.key, rate, rates.Counted(None, why)] += number
    return +found


def test_a_rate_of_nothing_is_no_rate() -> None:
    assert rates.Rate(0, 0).share is None and rates.Rate(1, 4).share == 0.25
    assert set(rates.FORMULAS) == set(rates.WORDS) == set(rates.RATES)
