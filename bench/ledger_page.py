"""Any page and any filter of the ledger with 1,000,000 problems, against the same with 10,000.

What is measured is the whole page, as a person gets it: who looks, the rows, their names, HTML.
The line tells the worst of all.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

from flask.testing import FlaskClient

from bench.problems import BODIES, CATEGORIES, COUNTY, RARE, fill, people
from bench.result import Result, peak_rss, tell
from bench.server import PostgreSQL, Site, site
from shared import ids

SIZES = (10_000, 1_000_000)
RUNS = 5
FILTERS = [
    "", "state=all", "state=closed", "state=suspended", "state=rejected", "flag=overdue",
    "flag=supervised", "state=all&flag=hard", "state=closed&flag=recurring",
    f"state=all&category={CATEGORIES[7]}", f"category={CATEGORIES[7]}&flag=overdue",
    f"state=all&body={BODIES[5]}", f"body={BODIES[5]}", f"state=all&area={COUNTY}001003002",
    f"state=closed&category={CATEGORIES[7]}&body={BODIES[5]}",
    f"state=closed&category={CATEGORIES[7]}&body={BODIES[5]}&flag=supervised",
    "q=照明", "state=all&q=照明", f"state=all&q={RARE[1]}", "state=all&q=楼道照明",
    "state=all&q=没有这句话", "state=closed&q=电梯&flag=hard", "q=18号楼",
]  # fmt: skip
SORTS = ("due", "found", "oldest", "number")
WHO = ("district", "street", "community", "body")


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Pages per second at both sizes, of the page for which the ratio is worst."""
    with ExitStack() as stack:
        times: list[dict[str, float]] = []
        places = []
        for size in SIZES:
            found = stack.enter_context(site(database, postgresql))
            tell(f"filling {size:,}")
            accounts = people(found)
            fill(found, size, accounts["district"])
            places.append((found, accounts))
        with peak_rss(os.getpid()) as peak:
            for found, accounts in places:
                times.append(_times(found, accounts))
        few, many = times
        tell(f"{len(few)} pages")
        for found, accounts in places:
            _figures(found, accounts["district"])
        worst = sorted(few, key=lambda name: few[name] / many[name])
        for name in worst[:8]:
            tell(f"{few[name] / many[name]:.2f}  {few[name] * 1000:.0f} -> "
                 f"{many[name] * 1000:.0f} ms  {name}")  # fmt: skip
        slowest = max(many, key=lambda name: many[name])
        tell(f"slowest: {many[slowest] * 1000:.0f} ms  {slowest}; median "
             f"{statistics.median(few.values()) * 1000:.0f} -> "
             f"{statistics.median(many.values()) * 1000:.0f} ms")  # fmt: skip
        name = worst[0]
        yield Result("ledger_page", database, 1 / many[name], f"pages/s ({name})", 1 / few[name],
                     peak())  # fmt: skip


def _times(found: Site, accounts: dict[str, str]) -> dict[str, float]:
    """Seconds for each page, the median of some runs."""
    times = {}
    for who in WHO:
        client = signed_in(found, accounts[who])
        for given, sort in itertools.product(FILTERS, SORTS):
            times[f"{who} {given} {sort}"] = _median(client, f"/ledger?{given}&sort={sort}")
        for name, path in _others(found, who).items():
            times[f"{who} {name}"] = _median(client, path)
        tell(f"{found.name}: {who} seen")
    return times


def _figures(found: Site, user_id: str) -> None:
    """Tell what the rates and what comes back take, of all there is."""
    client = signed_in(found, user_id)
    for by in ("street", "area", "body", "category", "month"):
        took = _median(client, f"/rates?period=range&since=2015-01-01&by={by}")
        tell(f"{found.name}: {took * 1000:.0f} ms  the rates of everything by {by}")
    tell(f"{found.name}: {_median(client, '/recurrences') * 1000:.0f} ms  what comes back")


def _others(found: Site, who: str) -> dict[str, str]:
    """The pages of one problem, and a body's board: name -> address."""
    from server.storage.database import db
    from server.storage.models import Problem

    pages = {"board": "/board"} if who == "body" else {}
    with found.app.app_context():
        for state in ("reported", "in_progress", "closed"):
            query = db.select(Problem.id).where(Problem.state == state)
            if who == "body":
                query = query.where(Problem.body == BODIES[3])
            elif who != "district":
                grid = f"{COUNTY}001001001"
                query = query.where(Problem.partition_id == ids.grid_partition(grid))
            problem_id = db.session.scalar(query.order_by(Problem.found_at.desc()).limit(1))
            if problem_id is not None:
                pages[f"problem {state}"] = f"/ledger/{problem_id}"
    return pages


def _median(client: FlaskClient, path: str) -> float:
    """Seconds that a page takes, the median of some runs."""
    runs = []
    for n in range(RUNS + 1):
        start = time.perf_counter()
        answer = client.get(path)
        if n:  # the first warms up
            runs.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise RuntimeError(answer.text[:500])
    return statistics.median(runs)


def signed_in(found: Site, user_id: str) -> FlaskClient:
    """A browser in which somebody is signed in."""
    from server.operations.clock import now_ms
    from server.storage.database import db
    from server.storage.tables import User
    from server.web.session import stamp

    client = found.app.test_client()
    with found.app.app_context():
        user = db.session.get(User, user_id)
        assert user is not None
        mark = stamp(user)
    now = now_ms()
    with client.session_transaction() as cookie:
        cookie.update(_user_id=user_id, _fresh=True, stamp=mark, began=now, seen=now)
    return client
