"""Backups, restores, silent rewinds, and what is forgotten after a while."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.config import Config
from server.errors import Trouble
from server.operations import backup, compact, enrol
from server.storage.database import db
from server.storage.models import Household, Visit
from server.storage.tables import ChainLink, Device, Partition
from shared import checksum, ids
from shared.operations import Operation
from tests.builders import World, pull, push, transaction, visit


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def heads_of(lines: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {c["p"]: [c["seq"], c["chain"]] for c in lines if c["t"] == "checkpoint"}


def test_a_restored_backup_opens_a_new_epoch_and_takes_back_what_the_phone_kept(
    app: Flask, client: Any, world: World, tmp_path: Path
) -> None:
    epoch = pull(client, world.tokens["worker"])[0]["epoch"]
    with app.app_context():
        assert backup.backup(tmp_path / "yesterday") > 0
        with pytest.raises(Trouble, match="already exists"):
            backup.backup(tmp_path / "yesterday")
    txs = [transaction(world.users["worker"], visit(world), epoch=epoch) for _ in range(2)]
    push(client, world.tokens["worker"], (1, txs[0]), (2, txs[1]))
    with app.app_context():
        backup.restore(tmp_path / "yesterday")
        assert db.session.scalar(select(func.count()).select_from(Visit)) == 0
    header = pull(client, world.tokens["worker"], epoch=epoch)[0]
    assert header["epoch"] != epoch
    assert header["last_dseq"] == 0
    again = push(client, world.tokens["worker"], (1, txs[0]), (2, txs[1]), epoch=header["epoch"])
    assert [a["result"] for a in again.json["answers"]] == ["applied", "applied"]


def test_an_edit_of_an_old_epoch_merges_by_what_it_replaced(
    app: Flask, client: Any, world: World, tmp_path: Path
) -> None:
    epoch = pull(client, world.tokens["worker"])[0]["epoch"]
    with app.app_context():
        backup.backup(tmp_path / "b")
        backup.restore(tmp_path / "b")
    home = world.households[0]

    def edit(was: str, new: str) -> Any:
        one = Operation(
            "set", "household", home, world.partition, 9, 99, fields={"contact_name": (was, new)}
        )
        return transaction(world.users["worker"], one, epoch=epoch)

    answers = push(
        client, world.tokens["worker"], (1, edit("张一", "李一")), (2, edit("张一", "王一"))
    ).json["answers"]
    assert [a["result"] for a in answers] == ["applied", "conflict"]
    with app.app_context():
        assert db.session.get(Household, home).contact_name == "李一"


def test_a_database_copied_back_is_found_out_before_anything_applies(
    app: Flask, client: Any, world: World
) -> None:
    first = pull(client, world.tokens["worker"])
    heads = heads_of(first)
    tx = transaction(world.users["worker"], visit(world), epoch=first[0]["epoch"])
    ahead = {**heads, world.partition: [heads[world.partition][0] + 5, "f" * 32]}
    answer = push(client, world.tokens["worker"], (1, tx), epoch=first[0]["epoch"], heads=ahead)
    assert (answer.status_code, answer.json["code"]) == (409, "epoch_changed")
    now = pull(client, world.tokens["worker"])[0]["epoch"]
    assert now != first[0]["epoch"]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Visit)) == 0


def test_another_past_at_the_same_number_is_found_out_too(client: Any, world: World) -> None:
    first = pull(client, world.tokens["worker"])
    heads = heads_of(first)
    good = push(client, world.tokens["worker"], epoch=first[0]["epoch"], heads=heads)
    assert good.status_code == 200
    heads[world.partition][1] = "e" * 32
    bad = push(client, world.tokens["worker"], epoch=first[0]["epoch"], heads=heads)
    assert bad.json["code"] == "epoch_changed"


def test_a_phone_that_the_restored_server_does_not_know_keeps_its_identity(
    app: Flask, world: World
) -> None:
    from server.operations import accounts

    lost = ids.new_id()
    with app.app_context():
        code = accounts.make_enrolment_code(world.users["worker"])
        answer = enrol.enrol(code.text, "我的手机", device_id=lost)
        assert answer["device_id"] == lost
        with pytest.raises(Trouble, match="code_invalid"):
            enrol.enrol(code.text, "我的手机")
        other = accounts.make_enrolment_code(world.users["other"])
        assert enrol.enrol(other.text, "x", device_id=lost)["device_id"] != lost
        assert db.session.get(Device, lost) is not None


def test_what_was_deleted_long_ago_is_forgotten_and_old_phones_start_afresh(
    app: Flask, client: Any, world: World
) -> None:
    first = pull(client, world.tokens["worker"])
    held = {c["p"]: [c["seq"], c["view"]] for c in first if c["t"] == "checkpoint"}
    gone = Operation("delete", "household", world.households[0], world.partition, 9, 1)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], gone)))
    push(client, world.tokens["worker"], (2, transaction(world.users["worker"], visit(world, 1))))
    with app.app_context():
        floors = compact.compact(keep_ms=-1000)
        assert world.partition in floors
        assert db.session.get(Household, world.households[0]) is None
        head = db.session.get(Partition, world.partition)
        links = db.session.scalars(
            select(ChainLink.seq).where(ChainLink.partition_id == world.partition)
        ).all()
        assert links == [head.floor] == [head.seq]
        assert compact.compact(keep_ms=-1000) == {}
    lines = pull(
        client, world.tokens["worker"], epoch=first[0]["epoch"], scope_rev=1, partitions=held
    )
    assert world.partition in {line["p"] for line in lines if line["t"] == "reset"}
    homes = [r["id"] for r in lines if r.get("kind") == "household"]
    assert sorted(homes) == sorted(world.households[1:])


def test_a_damaged_store_repairs_only_the_buckets_that_differ(client: Any, world: World) -> None:
    first = pull(client, world.tokens["worker"])
    held = {c["p"]: [c["seq"], c["view"]] for c in first if c["t"] == "checkpoint"}
    epoch = first[0]["epoch"]
    asked = pull(
        client, world.tokens["worker"], epoch=epoch, partitions=held, repair={world.partition: []}
    )
    (sums,) = [line["sums"] for line in asked if line["t"] == "buckets"]
    rows = [r for r in first if r["t"] == "row" and r["p"] == world.partition]
    bucket = int(rows[0]["id"][-2:], 16)
    inside = [r for r in rows if int(r["id"][-2:], 16) == bucket]
    assert sums[bucket] == str(checksum.sum64((r["id"], r["rev"]) for r in inside))
    repaired = pull(
        client, world.tokens["worker"], epoch=epoch, partitions=held,
        repair={world.partition: [bucket]},
    )  # fmt: skip
    assert [r["id"] for r in repaired if r["t"] == "row"] == [r["id"] for r in inside]
    assert [line["t"] for line in repaired if line["t"].startswith(("buck", "rep"))] == [
        "bucket", "repaired",
    ]  # fmt: skip


def test_a_backup_of_the_other_sort_is_refused(
    app: Flask, config: Config, world: World, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"PGDMP..." if not config.database_url else b"SQLite format 3\x00")
    with app.app_context():
        with pytest.raises(Trouble, match="invalid"):
            backup.restore(wrong)
        assert db.session.scalar(select(func.count()).select_from(Household)) == 4


def test_rows_that_only_a_phone_still_holds_are_offered_and_taken_back(
    app: Flask, client: Any, world: World
) -> None:
    from server.operations import offer
    from server.storage.tables import Offered

    lost, foreign = ids.new_id(), ids.new_id()
    home = world.households[0]
    base = {"by": world.users["other"], "at": 5, "rev": 3, "kind": "household"}
    rows = [
        {**base, "p": world.partition, "id": lost, "v": {"contact_name": "丢了的", "door": "9"}},
        {**base, "p": world.partition, "id": home, "v": {"contact_name": "新名字"}},
        {**base, "p": world.partition, "id": world.households[1], "rev": 1, "v": {}},
        {**base, "p": "grid:410103007901002", "id": foreign, "v": {"door": "1"}},
        {**base, "p": world.partition, "kind": "progress", "id": ids.new_id(), "v": {}},
    ]
    answer = client.post(
        "/api/v1/offer",
        json={"rows": rows},
        headers={"Authorization": f"Bearer {world.tokens['worker']}"},
    )
    assert answer.json == {"kept": 2}
    with app.app_context():
        assert {o.record_id for o in db.session.scalars(select(Offered))} == {lost, home}
        assert offer.take_back(world.users["supervisor"], lost, 3) == "applied"
        made = db.session.get(Household, lost)
        assert (made.contact_name, made.created_by) == ("丢了的", world.users["other"])
        assert offer.take_back(world.users["supervisor"], home, 3) == "applied"
        assert db.session.get(Household, home, populate_existing=True).contact_name == "新名字"
        with pytest.raises(Trouble, match="stale"):
            offer.leave(world.users["supervisor"], lost, 3)
