"""What a hostile, a broken or a cloned phone may send: nothing lost, nothing leaked, no 500."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.operations import accounts, release
from server.operations.transact import submit
from server.storage.database import db, write
from server.storage.models import Household, Photo, Problem, Reference, Visit
from server.storage.tables import Blob, Partition, Quarantined
from shared import checksum, ids
from shared.operations import DELETE, Operation
from shared.reconcile import Refused
from tests.builders import (
    FAR_GRID,
    OTHER_GRID,
    World,
    create,
    problem,
    pull,
    push,
    transaction,
    visit,
)
from tests.server.hostile import count, current_epoch, phone_of, step


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


# Order: never lost, never twice


def test_a_new_one_before_one_that_is_known_is_not_lost(
    app: Flask, client: Any, world: World
) -> None:
    known = transaction(world.users["worker"], visit(world))
    push(client, world.tokens["worker2"], (1, known))
    fresh = transaction(world.users["worker"], visit(world))
    answer = push(client, world.tokens["worker"], (1, fresh), (2, known)).json
    assert [one["result"] for one in answer["answers"]] == ["applied", "applied"]
    assert count(app, Visit) == 2
    running = ""
    for one in (fresh, known):
        running = checksum.next_running(running, checksum.text_hash(one.to_text()))
    assert (answer["last_dseq"], answer["running"]) == (2, running)


def test_one_that_comes_twice_in_a_push_is_done_once(app: Flask, client: Any, world: World) -> None:
    one = transaction(world.users["worker"], visit(world))
    answer = push(client, world.tokens["worker"], (1, one), (2, one))
    assert answer.status_code == 200
    assert [a["result"] for a in answer.json["answers"]] == ["applied", "applied"]
    assert answer.json["last_dseq"] == 2
    assert push(client, world.tokens["worker2"], (1, one), (1, one)).status_code == 200
    assert count(app, Visit) == 1


def test_every_other_content_of_a_known_id_is_kept(app: Flask, client: Any, world: World) -> None:
    first = transaction(world.users["worker"], visit(world))
    push(client, world.tokens["worker"], (1, first))
    for dseq in (2, 3):
        other = replace(first, operations=(visit(world, note=f"别的内容 {dseq}"),))
        answer = push(client, world.tokens["worker"], (dseq, other)).json["answers"][0]
        assert answer["code"] == "hash_mismatch"
    assert count(app, Quarantined, code="hash_mismatch") == 2


def test_what_a_gap_covers_and_comes_after_all_is_not_lost(
    app: Flask, client: Any, world: World
) -> None:
    one, two = (transaction(world.users["worker"], visit(world)) for _ in range(2))
    push(client, world.tokens["worker"], (1, one))
    answer = push(client, world.tokens["worker"], [1, None, {"to": 4, "reason": "?"}], (2, two))
    assert (answer.status_code, answer.json["code"]) == (409, "identity_needed")


def test_what_waits_for_two_records_applies_when_both_have_come(
    app: Flask, client: Any, world: World
) -> None:
    homes = [ids.new_id(), ids.new_id()]
    both = transaction(world.users["worker"], *(visit(world, target_id=one) for one in homes))
    push(client, world.tokens["worker"], (1, both))
    for dseq, home in enumerate(homes, 2):
        made = transaction(
            world.users["worker"], create("household", world.partition, home, door="9")
        )
        push(client, world.tokens["worker"], (dseq, made))
    assert count(app, Visit) == 2


def test_a_refused_transaction_leaves_no_gap_in_the_ledger_numbers(
    app: Flask, client: Any, world: World
) -> None:
    token = phone_of(app, world, "supervisor")
    one, two = problem(world), problem(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], one, two)))
    half = transaction(world.users["supervisor"], step(one, "register"), step(two, "reject"))
    assert push(client, token, (1, half)).json["answers"][0]["code"] == "needs"
    push(client, token, (2, transaction(world.users["supervisor"], step(one, "register"))))
    with app.app_context():
        assert db.session.get_one(Problem, one.id).ledger_no.endswith("-00001")


def test_a_delete_that_had_not_seen_a_new_child_becomes_a_conflict(
    app: Flask, client: Any, world: World
) -> None:
    home = world.households[0]
    with app.app_context():
        seen = db.session.get_one(Partition, world.partition).seq
    gone = Operation(DELETE, "household", home, world.partition, seen, 1)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], visit(world))))
    tx = transaction(world.users["worker"], gone, epoch=current_epoch(app))
    assert push(client, world.tokens["worker2"], (1, tx)).json["answers"][0]["result"] == "conflict"
    other = Operation(DELETE, "household", world.households[1], world.partition, seen, 1)
    tx = transaction(world.users["worker"], other, epoch=current_epoch(app))
    assert push(client, world.tokens["worker2"], (2, tx)).json["answers"][0]["result"] == "applied"
    with app.app_context():
        assert db.session.get_one(Household, home).deleted_at is None


# Access


def test_a_release_reaches_no_farther_than_the_supervisor_who_gives_it(
    app: Flask, client: Any, world: World
) -> None:
    token = phone_of(app, world, "far_supervisor")
    smuggled = transaction(
        world.users["far_supervisor"],
        create("household", ids.grid_partition(FAR_GRID), door="1"),
        create("household", world.partition, door="666"),
    )
    reference = transaction(
        world.users["far_supervisor"],
        create("household", ids.grid_partition(FAR_GRID), door="2"),
        create("reference", ids.area_partition("0"), type="category", code="x", name="x"),
    )
    push(client, token, (1, smuggled), (2, reference))
    with app.app_context():
        kept = db.session.scalars(select(Quarantined.id)).all()
        assert len(kept) == 2
        for one in kept:
            with pytest.raises(Refused):
                release.release(world.users["far_supervisor"], one)
    assert count(app, Household, door="666") == count(app, Reference, code="x") == 0


@pytest.mark.parametrize("who", ["handler", "auditor"])
def test_who_may_not_see_records_gets_none_on_a_phone(
    app: Flask, client: Any, world: World, who: str
) -> None:
    lines = pull(client, phone_of(app, world, who))
    assert not [one for one in lines if one.get("p", "").startswith("grid:")]
    assert lines[0]["scope"]["grids"] == []


def test_a_phone_asks_in_vain_after_photos_of_others(app: Flask, client: Any, world: World) -> None:
    with app.app_context(), write() as session:
        session.add(Blob(sha256="a" * 64, size=1, state="verified", stored_at=1))
    told = pull(client, world.tokens["other"], photos=["a" * 64])[0]["photos"]
    assert told == {"a" * 64: "declared"}


def test_nobody_enrols_as_a_device_of_the_server(app: Flask, client: Any, world: World) -> None:
    name = f"urn:gridledger:web:{world.users['supervisor']}"
    wanted = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    with app.app_context():
        code = accounts.make_enrolment_code(world.users["worker"]).text
    body = {"code": code, "name": "x", "device_id": wanted}
    assert client.post("/api/v1/enrol", json=body).json["device_id"] != wanted


def test_a_phone_cannot_have_the_database_declared_restored(
    app: Flask, client: Any, world: World
) -> None:
    before = current_epoch(app)
    lie = {"epoch": before, "heads": {ids.grid_partition(FAR_GRID): [99, "x"]}}
    assert push(client, world.tokens["other"], **lie).status_code == 200
    with app.app_context():
        accounts.revoke_device(world.devices["worker"])
    lie["heads"] = {world.partition: [99, "x"]}
    assert push(client, world.tokens["worker"], **lie).status_code == 200
    assert current_epoch(app) == before


def test_an_id_names_one_record_of_one_kind(app: Flask, client: Any, world: World) -> None:
    one = problem(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], one)))
    twin = transaction(world.users["worker"], replace(visit(world), id=one.id))
    third = visit(world)
    twins = transaction(world.users["worker"], third, replace(problem(world), id=third.id))
    answers = push(client, world.tokens["worker"], (2, twin), (3, twins)).json["answers"]
    assert [one["code"] for one in answers] == ["exists", "exists"]
    with app.app_context():
        assert submit(world.users["supervisor"], [step(one, "register")]).result == "applied"
    assert count(app, Visit) == 0


@pytest.mark.parametrize("kind", ["xyz", "visit"])
def test_a_photo_hangs_on_a_record_that_its_author_may_touch(
    app: Flask, client: Any, world: World, kind: str
) -> None:
    one = problem(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], one)))
    photo = create(
        "photo", ids.grid_partition(OTHER_GRID), owner_kind=kind, owner_id=one.id,
        sha256="0" * 64, size=5, phase="after",
    )  # fmt: skip
    answer = push(client, world.tokens["other"], (1, transaction(world.users["other"], photo)))
    assert answer.json["answers"][0]["result"] in ("held", "rejected")
    assert count(app, Photo) == 0


def test_a_problem_in_the_ledger_is_not_deleted_by_a_phone(
    app: Flask, client: Any, world: World
) -> None:
    one = problem(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], one)))
    with app.app_context():
        submit(world.users["supervisor"], [step(one, "register")])
    gone = Operation(DELETE, "problem", one.id, world.partition, 99, 2)
    tx = transaction(world.users["worker"], gone, epoch=current_epoch(app))
    answer = push(client, world.tokens["worker"], (2, tx)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("rejected", "not_allowed")


def test_a_problem_is_merged_into_another_open_one_or_not_at_all(
    app: Flask, client: Any, world: World
) -> None:
    one, other = problem(world), problem(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], one, other)))
    with app.app_context():
        for into in (one.id, ids.new_id()):
            with pytest.raises(Refused, match="invalid merged_into"):
                submit(
                    world.users["supervisor"], [step(one, "merge", reason="重复", merged_into=into)]
                )
        done = step(one, "merge", reason="重复", merged_into=other.id)
        assert submit(world.users["supervisor"], [done]).result == "applied"


def test_an_action_from_a_phone_names_the_step_it_saw(
    app: Flask, client: Any, world: World
) -> None:
    token = phone_of(app, world, "supervisor")
    one = problem(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], one)))
    blind = replace(step(one, "register"), expect={})
    answer = push(client, token, (1, transaction(world.users["supervisor"], blind)))
    assert answer.json["answers"][0]["code"] == "invalid"


def test_nonsense_makes_no_partitions(app: Flask, client: Any, world: World) -> None:
    names = ["zzz:1", ids.grid_partition("9" * 15), "grid:4101030079010０１"]
    lines = [
        (n, transaction(world.users["worker"], replace(visit(world), partition=name)))
        for n, name in enumerate(names, 1)
    ]
    answers = push(client, world.tokens["worker"], *lines).json["answers"]
    assert {one["result"] for one in answers} == {"rejected"}
    assert all(count(app, Partition, id=name) == 0 for name in names)
