"""Pull: one snapshot, rows in order, a checkpoint per partition that adds up, and an end."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from server.operations import transact
from server.storage.database import db
from server.storage.models import MODELS
from server.storage.tables import Partition
from shared import checksum, ids, records
from shared.operations import Operation
from shared.reconcile import settle_many
from tests.builders import OTHER_GRID, World, create, pull, push, transaction, visit


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def by_type(lines: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["t"], []).append(line)
    return found


def held(lines: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The partitions a phone would name in its next pull."""
    return {c["p"]: [c["seq"], c["view"]] for c in lines if c["t"] == "checkpoint"}


def again(client: Any, token: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    head = lines[0]
    return pull(
        client, token, epoch=head["epoch"], scope_rev=head["scope"]["rev"], partitions=held(lines)
    )


def test_a_first_pull_brings_the_scope_and_nothing_else(client: Any, world: World) -> None:
    lines = pull(client, world.tokens["worker"])
    found = by_type(lines)
    header = found["header"][0]
    assert header["scope"]["grids"] == [{"code": "410103007901001", "name": "第一网格"}]
    assert header["gained"] == header["partitions"]
    assert world.partition in header["partitions"]
    assert ids.grid_partition(OTHER_GRID) not in header["partitions"]
    assert {row["p"] for row in found["row"]} <= set(header["partitions"])
    homes = [row for row in found["row"] if row["kind"] == "household"]
    assert [row["id"] for row in homes] == world.households
    assert homes[0]["v"]["care_groups"] == ["elder_alone"]
    assert set(homes[0]["v"]) == set(records.FIELDS["household"])
    assert found["end"] == [{"t": "end", "rows": len(found["row"])}]
    assert lines[-1]["t"] == "end"


def test_checkpoints_add_up_to_the_rows_they_close(client: Any, world: World) -> None:
    found = by_type(pull(client, world.tokens["worker"]))
    for point in found["checkpoint"]:
        rows = [row for row in found["row"] if row["p"] == point["p"]]
        assert point["count"] == len(rows)
        assert point["sum64"] == str(checksum.sum64((r["id"], r["rev"]) for r in rows))
        assert [r["seq"] for r in rows] == sorted(r["seq"] for r in rows)


def test_nothing_new_is_a_header_and_an_end(client: Any, world: World) -> None:
    first = pull(client, world.tokens["worker"])
    assert [line["t"] for line in again(client, world.tokens["worker"], first)] == ["header", "end"]


def test_only_what_is_new_comes_with_what_was_applied(client: Any, world: World) -> None:
    first = pull(client, world.tokens["worker"])
    op = visit(world, note="新的", concern_tags=["hard", "urgent"], resolved_on_spot=True)
    tx = transaction(world.users["worker"], op)
    push(client, world.tokens["worker"], (1, tx))
    found = by_type(again(client, world.tokens["worker"], first))
    header = found["header"][0]
    assert header["last_dseq"] == 1
    assert [a["id"] for a in header["answers"]] == [tx.id]
    (row,) = found["row"]
    assert (row["kind"], row["id"], row["rev"], row["by"]) == (
        "visit", op.id, 1, world.users["worker"],
    )  # fmt: skip
    assert row["at"] == tx.made_at
    assert row["v"]["resolved_on_spot"] is True
    assert row["v"]["concern_tags"] == ["hard", "urgent"]
    assert row["v"]["position"] is None
    assert [c["p"] for c in found["checkpoint"]] == [world.partition]


def test_a_deleted_record_comes_as_gone(client: Any, world: World) -> None:
    first = pull(client, world.tokens["worker"])
    gone = Operation("delete", "household", world.households[2], world.partition, 9, 1)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], gone)))
    found = by_type(again(client, world.tokens["worker"], first))
    assert [(g["id"], g["rev"]) for g in found["gone"]] == [(world.households[2], 2)]


def test_a_moved_record_leaves_one_feed_and_enters_the_other(
    app: Flask, client: Any, world: World
) -> None:
    first = pull(client, world.tokens["worker"])
    other = pull(client, world.tokens["other"])
    target = ids.grid_partition(OTHER_GRID)
    with app.app_context():
        _move(world, world.households[1], target)
    left = by_type(again(client, world.tokens["worker"], first))["left"]
    assert [(x["id"], x["to"], x["rev"]) for x in left] == [(world.households[1], target, 2)]
    entered = by_type(again(client, world.tokens["other"], other))["row"]
    assert [(x["id"], x["p"], x["rev"]) for x in entered] == [(world.households[1], target, 2)]
    with app.app_context():
        for partition in (world.partition, target):
            head = db.session.get(Partition, partition)
            live = [
                (row.id, row.rev)
                for model in MODELS.values()
                for row in db.session.query(model).filter_by(partition_id=partition)
            ]
            assert (head.count, checksum.from_signed(head.sum64)) == (
                len(live),
                checksum.sum64(live),
            )


def _move(world: World, record_id: str, target: str) -> None:
    """Move a household, as the use case of a hand-over of homes will."""
    from dataclasses import replace

    from server.operations.batch import Batch
    from server.operations.clock import now_ms
    from server.storage.settings import epoch
    from server.storage.tables import User

    def once(session: Any, extra: frozenset[str]) -> None:
        user = session.get(User, world.users["supervisor"])
        sender = transact.sender_of(session, user, world.devices["worker"])
        batch = Batch(session, sender, now_ms(), epoch(session))
        batch.begin(ids.new_id(), user.id, now_ms())
        batch.prepare({"household": [record_id]}, {target, *extra})
        record = batch.get("household", record_id).record  # type: ignore[union-attr]
        batch.put(replace(settle_many(record, {}, "x"), partition=target))
        batch.flush()

    transact.locking(once)


def test_a_lost_grid_is_named_and_a_gained_one_comes_whole(
    app: Flask, client: Any, world: World
) -> None:
    from server.operations import accounts

    first = pull(client, world.tokens["worker"])
    with app.app_context():
        accounts.unassign(world.users["worker"], "410103007901001")
        accounts.assign(world.users["worker"], OTHER_GRID)
    found = by_type(again(client, world.tokens["worker"], first))
    header = found["header"][0]
    assert header["lost"] == [world.partition]
    assert header["gained"] == [ids.grid_partition(OTHER_GRID)]
    assert header["scope"]["rev"] > first[0]["scope"]["rev"]
    assert {row["kind"] for row in found["row"]} == {"area"}


def test_work_done_before_the_phone_heard_of_a_handover_counts(
    app: Flask, client: Any, world: World
) -> None:
    from server.operations import accounts

    epoch = pull(client, world.tokens["worker"])[0]["epoch"]
    with app.app_context():
        accounts.unassign(world.users["worker"], "410103007901001")
    before = transaction(world.users["worker"], visit(world), epoch=epoch, scope=1)
    after = transaction(world.users["worker"], visit(world), epoch=epoch, scope=2)
    answers = push(client, world.tokens["worker"], (1, before), (2, after)).json["answers"]
    assert [(a["result"], a["code"]) for a in answers] == [
        ("applied", None),
        ("held", "late_handover"),
    ]


def test_a_restored_database_sends_everything_again(client: Any, world: World) -> None:
    first = pull(client, world.tokens["worker"])
    lines = pull(client, world.tokens["worker"], epoch="another", partitions=held(first))
    assert {line["p"] for line in lines if line["t"] == "reset"} == set(held(first))
    assert sum(line["t"] == "row" for line in lines) == sum(line["t"] == "row" for line in first)


def test_a_phone_ahead_of_the_server_is_sent_everything_again(client: Any, world: World) -> None:
    first = pull(client, world.tokens["worker"])
    ahead = held(first)
    ahead[world.partition][0] += 1000
    lines = pull(client, world.tokens["worker"], epoch=first[0]["epoch"], partitions=ahead)
    assert [line["p"] for line in lines if line["t"] == "reset"] == [world.partition]


def test_the_answer_is_gzipped_where_the_phone_takes_it(client: Any, world: World) -> None:
    import gzip

    response = client.post(
        "/api/v1/pull",
        json={
            "v": 1, "epoch": "", "scope_rev": 0, "partitions": {},
            "clock": {"wall": 1, "mono": 1, "boot": "b"},
            "waiting": {"transactions": 0, "photos": 0, "bytes": 0},
        },
        headers={
            "Authorization": f"Bearer {world.tokens['worker']}", "Accept-Encoding": "gzip",
        },
    )  # fmt: skip
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.data).splitlines()[-1].startswith(b'{"t":"end"')


def test_a_record_made_in_the_area_of_reference_data_reaches_the_phone(
    client: Any, world: World
) -> None:
    rows = by_type(pull(client, world.tokens["worker"]))["row"]
    categories = {r["v"]["code"]: r["v"] for r in rows if r["kind"] == "reference"}
    assert categories["lamp"]["data"] == {"hours": 168, "needs_after": True}
    assert create("area", "area:41").kind == "area"
