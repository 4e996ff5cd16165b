"""Every query of the ledger's pages can use an index, whatever the tables hold."""

from __future__ import annotations

from flask import Flask

from bench.plans import captured, scans
from tests.web.conftest import Visitor
from tests.web.scene import Scene

BIG = {"problem", "progress", "problem_search", "problem_body", "photo", "change", "visit"}
FILTERS = (
    "", "state=all", "state=closed&category=lamp", "flag=overdue", "state=all&flag=hard",
    "state=all&category=leak&flag=overdue",
    "flag=supervised", "flag=recurring", "state=all&area=410103007901001", "q=灯", "q=楼道",
    "state=all&q=没有这句话", "state=all&since=2020-01-01", "since=2020-01-01&category=lamp",
)  # fmt: skip
PAGES = (
    "/rates?period=year&by=community", "/rates?period=year&by=body&area=410103007901001",
    "/rates?period=year&by=month&category=lamp&rate=resolution&why=running", "/recurrences",
    "/recurrences?area=410103007901001", "/recurrences?category=leak",
)  # fmt: skip


def test_no_page_of_the_ledger_reads_a_table_from_end_to_end(app: Flask, scene: Scene) -> None:
    problem = scene.problems[4]
    with captured() as statements:
        for role in ("supervisor", "handler"):
            visitor = Visitor(app).sign_in(role)
            for given in FILTERS if role == "supervisor" else FILTERS[::3]:
                for sort in ("due", "found", "number") if given in FILTERS[:2] else ("oldest",):
                    page = visitor.get(f"/ledger?{given}&sort={sort}")
                    assert page.status_code == 200
            for path in (f"/ledger/{problem}", *(PAGES if role == "supervisor" else ())):
                assert visitor.get(path).status_code == 200, path
    found = [one for one in scans(app, statements, forced=True) if one[0] in BIG]
    assert found == []
