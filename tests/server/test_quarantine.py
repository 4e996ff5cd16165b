"""Quarantine: released as it is or corrected, refused, or applied when its parent comes."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.errors import Trouble
from server.operations import accounts, release
from server.storage.database import db
from server.storage.models import Household, Task, Visit
from server.storage.tables import Quarantined
from shared import ids
from shared.operations import Operation
from shared.reconcile import Refused
from tests.builders import World, create, pull, push, transaction, visit


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def quarantined(app: Flask) -> list[str]:
    with app.app_context():
        rows = db.session.scalars(select(Quarantined).order_by(Quarantined.received_at))
        return [row.id for row in rows]


def states(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        query = select(Quarantined.code, Quarantined.state).order_by(Quarantined.dseq)
        return [(row[0], row[1]) for row in db.session.execute(query)]


def test_a_visit_that_came_before_its_household_applies_when_that_arrives(
    app: Flask, client: Any, world: World
) -> None:
    home = ids.new_id()
    early = transaction(world.users["worker"], visit(world, target_id=home))
    answer = push(client, world.tokens["worker"], (1, early)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("held", "parent_unknown")
    late = transaction(
        world.users["worker"],
        create("household", world.partition, home, compound_id=world.compound, door="909"),
    )
    assert push(client, world.tokens["worker2"], (1, late)).json["answers"][0]["result"] == (
        "applied"
    )
    assert states(app) == [("parent_unknown", "released")]
    with app.app_context():
        assert db.session.scalars(select(Visit.target_id)).one() == home
        assert db.session.scalars(select(Task.state)).one() == "done"


def test_what_needs_a_held_record_is_held_and_released_with_it(
    app: Flask, client: Any, world: World
) -> None:
    epoch = pull(client, world.tokens["worker"])[0]["epoch"]
    with app.app_context():
        accounts.unassign(world.users["worker"], "410103007901001")
    home = create("household", world.partition, compound_id=world.compound, door="909")
    first = transaction(world.users["worker"], home, epoch=epoch, scope=2)
    second = transaction(
        world.users["worker"], visit(world, target_id=home.id), epoch=epoch, scope=1
    )
    answers = push(client, world.tokens["worker"], (1, first), (2, second)).json["answers"]
    assert [a["code"] for a in answers] == ["late_handover", "parent_held"]
    with app.app_context():
        held = db.session.scalars(select(Quarantined.id).order_by(Quarantined.dseq)).first()
        assert release.release(world.users["supervisor"], held or "") == "applied"
        made = db.session.get(Household, home.id)
        assert made.created_by == world.users["worker"]
        assert db.session.scalars(select(Visit.created_by)).one() == world.users["worker"]
    assert {state for _, state in states(app)} == {"released"}


def test_a_rejected_one_is_applied_once_corrected(app: Flask, client: Any, world: World) -> None:
    bad = transaction(world.users["worker"], visit(world, outcome="nonsense"))
    push(client, world.tokens["worker"], (1, bad))
    (kept,) = quarantined(app)
    with app.app_context():
        release.release(world.users["supervisor"], kept, {0: {"outcome": "met"}})
        stored = db.session.scalars(select(Visit)).one()
        assert (stored.outcome, stored.created_by) == ("met", world.users["worker"])
        with pytest.raises(Trouble, match="stale"):
            release.release(world.users["supervisor"], kept, {0: {"outcome": "met"}})


def test_a_refused_one_is_kept_and_its_author_told_why(
    app: Flask, client: Any, world: World
) -> None:
    push(client, world.tokens["worker"], [1, ids.new_id(), "{"])
    (kept,) = quarantined(app)
    with app.app_context():
        with pytest.raises(Refused, match="needs"):
            release.refuse(world.users["supervisor"], kept, " ")
        release.refuse(world.users["supervisor"], kept, "重复了")
        assert db.session.get(Quarantined, kept).text == "{"  # type: ignore[union-attr]
        assert db.session.scalars(select(Task.detail)).one()["refused"] == "重复了"


def test_a_supervisor_of_another_area_cannot_touch_it(
    app: Flask, client: Any, world: World
) -> None:
    push(client, world.tokens["worker"], [1, ids.new_id(), "{"])
    (kept,) = quarantined(app)
    with app.app_context(), pytest.raises(Trouble, match="not_found"):
        release.refuse(world.users["far_supervisor"], kept, "不行")


def test_what_the_same_phone_changed_later_stays_and_is_shown(
    app: Flask, client: Any, world: World
) -> None:
    epoch = pull(client, world.tokens["worker"])[0]["epoch"]
    op = visit(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], op, epoch=epoch)))
    edits = [
        Operation("set", "visit", op.id, world.partition, 9, 1, fields={"note": (was, new)})
        for was, new in (("一切正常", "先写的"), ("先写的", "后写的"))
    ]
    held = transaction(
        world.users["worker"], edits[0],
        Operation("set", "visit", ids.new_id(), world.partition, 9, 1, fields={"note": ("", "x")}),
        epoch=epoch,
    )  # fmt: skip
    later = transaction(world.users["worker"], edits[1], epoch=epoch)
    push(client, world.tokens["worker"], (2, held), (3, later))
    (kept,) = quarantined(app)
    with app.app_context():
        assert db.session.get(Visit, op.id).note == "后写的"
        with pytest.raises(Refused, match="unknown_record"):
            release.release(world.users["supervisor"], kept)
        assert db.session.get(Quarantined, kept).state == "open"  # type: ignore[union-attr]


def test_a_revoked_phone_hands_in_what_it_holds_and_may_do_nothing_else(
    app: Flask, client: Any, world: World
) -> None:
    with app.app_context():
        accounts.revoke_device(world.devices["worker"])
    tx = transaction(world.users["worker"], visit(world))
    answer = push(client, world.tokens["worker"], (1, tx)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("held", "revoked")
    refused = client.post(
        "/api/v1/pull", json={}, headers={"Authorization": f"Bearer {world.tokens['worker']}"}
    )
    assert (refused.status_code, refused.json["code"]) == (401, "token_revoked")
    (kept,) = quarantined(app)
    with app.app_context():
        assert release.release(world.users["supervisor"], kept) == "applied"
        assert db.session.scalars(select(Visit.created_by)).one() == world.users["worker"]
