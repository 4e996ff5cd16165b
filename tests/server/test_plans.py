"""Every query of push and pull can use an index, whatever the tables hold."""

from __future__ import annotations

from typing import Any

from flask import Flask

from bench.plans import captured, scans
from tests.builders import World, pull, push, transaction, visit
from tests.builders import problem as report


def test_push_and_pull_read_no_table_from_end_to_end(app: Flask, world: World) -> None:
    client = app.test_client()
    token = world.tokens["worker"]
    with captured() as statements:
        first = transaction(world.users["worker"], visit(world), report(world))
        unknown = visit(world, target_id=world.users["worker"])
        waits = transaction(world.users["worker"], unknown)
        answer = push(client, token, (1, first), (2, waits)).json
        assert [one["result"] for one in answer["answers"]] == ["applied", "held"]
        again = push(client, token, (2, waits)).json
        assert again["answers"][0]["result"] == "held"
        lines = pull(client, token)
        cursors = {x["p"]: [x["seq"], x["view"]] for x in lines if x["t"] == "checkpoint"}
        epoch, grid = lines[0]["epoch"], world.partition
        behind = {p: [max(0, seq - 1), view] for p, (seq, view) in cursors.items()}
        more: list[dict[str, Any]] = [
            {"confirmed": 2},
            {"partitions": behind},
            {"repair": {grid: []}, "photos": ["0" * 64]},
            {"repair": {grid: [7]}},
        ]
        for one in more:
            pull(client, token, **({"epoch": epoch, "partitions": cursors} | one))
    assert len(statements) > 20
    assert scans(app, statements, forced=True) == []
