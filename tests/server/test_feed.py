"""The feed's lines, which each database makes itself, say exactly what was sent."""

from __future__ import annotations

from flask import Flask

from tests.builders import World, pull, push, transaction, visit

ODD = "引号\" 反斜\\ 换行\n制表\t 斜/ 控制\x01 表情😀 :冒号 'x' 100%"


def test_odd_text_and_every_type_come_back_as_they_were_sent(app: Flask, world: World) -> None:
    client = app.test_client()
    sent = {
        "note": ODD, "concern_tags": [], "resolved_on_spot": False, "answers": {ODD: [1.5, None]},
        "position": {"lat": 34.5, "lng": 113.25, "accuracy": None}, "visited_at": 2**45,
    }  # fmt: skip
    made = visit(world, **sent)
    one = transaction(world.users["worker"], made)
    assert push(client, world.tokens["worker"], (1, one)).json["answers"][0]["result"] == "applied"
    lines = pull(client, world.tokens["worker"])
    row = next(line for line in lines if line.get("id") == made.id)
    assert {name: row["v"][name] for name in sent} == sent
    assert row["v"]["early_sign"] is None
    assert row["by"] == world.users["worker"]
