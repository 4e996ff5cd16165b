"""Homes that move to another grid while work on them is pending; content erased by law."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.errors import Trouble
from server.operations import erase, move
from server.storage import blobs
from server.storage.database import db
from server.storage.models import MODELS, Household, Visit
from server.storage.tables import Change, Partition, Quarantined
from shared import checksum, ids
from shared.operations import Operation
from tests.builders import OTHER_GRID, World, create, pull, push, transaction, visit

TARGET = ids.grid_partition(OTHER_GRID)


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def heads_add_up(app: Flask) -> None:
    with app.app_context():
        for head in db.session.scalars(select(Partition)):
            live = [
                (row[0], row[1])
                for model in MODELS.values()
                for row in db.session.execute(
                    select(model.id, model.rev).where(
                        model.partition_id == head.id, model.deleted_at.is_(None)
                    )
                )
            ]
            assert head.count == len(live), head.id
            assert checksum.from_signed(head.sum64) == checksum.sum64(live), head.id


def test_a_visit_pending_while_its_home_moves_follows_the_home(
    app: Flask, client: Any, world: World
) -> None:
    first = pull(client, world.tokens["worker"])
    home = world.households[0]
    with app.app_context():
        assert move.move_household(world.users["supervisor"], home, OTHER_GRID) == 1
    seq = next(c["seq"] for c in first if c["t"] == "checkpoint" and c["p"] == world.partition)
    edit = Operation(
        "set", "household", home, world.partition, seq, 1, fields={"note": (None, "门口有狗")}
    )
    tx = transaction(world.users["worker"], visit(world), edit, epoch=first[0]["epoch"])
    answer = push(client, world.tokens["worker"], (1, tx)).json["answers"][0]
    assert answer["result"] in ("applied", "merged")
    with app.app_context():
        assert db.session.scalars(select(Visit.partition_id)).one() == TARGET
        assert db.session.get(Household, home).note == "门口有狗"
    rows = pull(client, world.tokens["other"])
    assert {r["kind"] for r in rows if r.get("p") == TARGET and r["t"] == "row"} >= {
        "visit",
        "household",
    }
    heads_add_up(app)


def test_work_made_after_the_phone_saw_the_move_is_out_of_scope(
    app: Flask, client: Any, world: World
) -> None:
    home = world.households[0]
    with app.app_context():
        move.move_household(world.users["supervisor"], home, OTHER_GRID)
        seq = db.session.get(Partition, world.partition).seq
    edit = Operation("set", "household", home, world.partition, seq, 1, fields={"note": ("", "x")})
    tx = transaction(world.users["worker"], edit)
    assert push(client, world.tokens["worker"], (1, tx)).json["answers"][0]["code"] == (
        "out_of_scope"
    )


def test_a_home_moves_with_all_that_belongs_to_it(app: Flask, client: Any, world: World) -> None:
    op = visit(world)
    photo = create(
        "photo", world.partition, owner_kind="visit", owner_id=op.id, sha256="a" * 64, size=1,
        phase="scene",
    )  # fmt: skip
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], op, photo)))
    with app.app_context():
        assert move.move_household(world.users["supervisor"], world.households[0], OTHER_GRID) == 3
        with pytest.raises(Trouble, match="not_found"):
            move.move_household(
                world.users["far_supervisor"], world.households[1], "410103007902001"
            )
    heads_add_up(app)


def test_erasure_leaves_a_tombstone_and_no_content_anywhere(
    app: Flask, client: Any, world: World
) -> None:
    import hashlib

    secret = "绝密的家事"
    data = b"not really a photo"
    sha = hashlib.sha256(data).hexdigest()
    first = pull(client, world.tokens["worker"])
    op = visit(world, note=secret)
    photo = create(
        "photo", world.partition, owner_kind="visit", owner_id=op.id, sha256=sha, size=1,
        phase="scene",
    )  # fmt: skip
    edit = Operation(
        "set", "visit", op.id, world.partition, 1, 1, fields={"note": (secret, secret + "2")}
    )
    lost = Operation(
        "set", "visit", op.id, world.partition, 1, 1, fields={"reviewed_at": (None, 5)}
    )
    author = world.users["worker"]
    push(
        client, world.tokens["worker"],
        (1, transaction(author, op, photo)), (2, transaction(author, edit)),
        (3, transaction(author, edit, lost)),
    )  # fmt: skip
    with app.app_context():
        blobs.current().write(sha, data)
        with pytest.raises(Trouble, match="forbidden"):
            erase.erase(world.users["supervisor"], world.households[0], "本人要求")
        assert erase.erase(world.users["admin"], world.households[0], "本人要求") == 3
        assert not blobs.current().exists(sha)
        for model in (Visit, Household, Change, Quarantined):
            for row in db.session.scalars(select(model)):
                text = str({c.name: getattr(row, c.name) for c in model.__table__.columns})
                assert secret not in text
        assert db.session.get(Household, world.households[0]).contact_name is None
    later = transaction(author, Operation(
        "set", "visit", op.id, world.partition, 1, 1, fields={"note": ("", "又写")}
    ))  # fmt: skip
    answer = push(client, world.tokens["worker"], (4, later)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("rejected", "erased")
    with app.app_context():
        kept = db.session.scalars(select(Quarantined).where(Quarantined.code == "erased")).one()
        assert kept.text is None
    held = {c["p"]: [c["seq"], c["view"]] for c in first if c["t"] == "checkpoint"}
    rows = pull(
        client, world.tokens["worker"], epoch=first[0]["epoch"], scope_rev=1, partitions=held
    )
    assert {r["id"] for r in rows if r["t"] == "gone"} >= {op.id, photo.id, world.households[0]}
    heads_add_up(app)


def test_what_was_erased_does_not_come_back_with_a_restore(
    app: Flask, client: Any, world: World
) -> None:
    with app.app_context():
        erase.erase(world.users["admin"], world.households[0], "本人要求")
        assert erase.list_path().read_text().count(world.households[0]) == 1
        erase.replay()
        assert erase.list_path().read_text().count(world.households[0]) == 1
        assert db.session.get(Household, world.households[0]).contact_name is None
