"""A pull that brings nothing new, of 3 grids and of 500, beside a bare view with the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data import build, fill
from bench.pulls import against_bare, ask, request, serving, unpacked
from bench.result import Result
from bench.server import PostgreSQL, site

GRIDS = 500


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Pulls per second, one phone after the other."""
    with site(database, postgresql) as found:
        district = build(found.app, workers=1, grids=GRIDS, each=3)
        fill(found, district, 20_000)
        with serving(found) as running:
            for grids, token in ((3, district.phones[0][1]), (GRIDS, district.supervisor)):
                lines = unpacked(ask(running, token, request({}, "")))
                assert len(lines[0]["scope"]["grids"]) == grids
                cursors = {
                    line["p"]: [line["seq"], line["view"]]
                    for line in lines
                    if line["t"] == "checkpoint"
                }
                body = request(cursors, lines[0]["epoch"])
                assert len(unpacked(ask(running, token, body))) == 2  # header and end
                unit = f"pulls/s, {grids} grids"
                yield against_bare(found, running, "idle_pull", unit, token, body)
