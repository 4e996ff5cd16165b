"""A phone that holds 50,000 records pulls 100 new ones, beside a bare view with the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data import build, fill
from bench.pulls import against_bare, ask, request, serving, unpacked
from bench.result import Result
from bench.server import PostgreSQL, site

RECORDS, NEW = 50_000, 100


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Pulls per second, one phone after the other."""
    with site(database, postgresql) as found:
        district = build(found.app, workers=1, grids=1)
        fill(found, district, RECORDS)
        token = district.phones[0][1]
        with serving(found) as running:
            lines = unpacked(ask(running, token, request({}, "")))
            cursors = {
                line["p"]: [line["seq"], line["view"]]
                for line in lines
                if line["t"] == "checkpoint"
            }
            grid = next(p for p in cursors if p.startswith("grid:"))
            cursors[grid][0] -= NEW
            body = request(cursors, lines[0]["epoch"])
            rows = sum(line["t"] == "row" for line in unpacked(ask(running, token, body)))
            assert rows == NEW, rows
            unit = f"pulls/s of {NEW} new"
            yield against_bare(found, running, "small_pull", unit, token, body)
