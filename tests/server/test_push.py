"""Push: each transaction ends applied, in conflict, or in quarantine, exactly once."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.storage.database import db
from server.storage.models import MODELS, Conflict, Photo, Task, Visit
from server.storage.tables import Device, Partition, Quarantined, Receipt
from shared import checksum, ids
from shared.operations import Operation
from tests import builders
from tests.builders import OTHER_GRID, World, create, push, transaction, visit


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def count(app: Flask, model: Any) -> int:
    with app.app_context():
        return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_a_visit_and_its_photo_apply_together(app: Flask, client: Any, world: World) -> None:
    op = visit(world)
    photo = create(
        "photo", world.partition, owner_kind="visit", owner_id=op.id, sha256="a" * 64, size=10,
        phase="scene",
    )  # fmt: skip
    tx = transaction(world.users["worker"], op, photo)
    answer = push(client, world.tokens["worker"], (1, tx)).json
    assert answer["last_dseq"] == 1
    assert answer["running"] == checksum.next_running("", checksum.text_hash(tx.to_text()))
    assert answer["answers"] == [
        {
            "dseq": 1, "id": tx.id, "result": "applied", "code": None, "conflicts": [],
            "records": [[op.id, 1], [photo.id, 1]],
        }
    ]  # fmt: skip
    with app.app_context():
        stored = db.session.get(Visit, op.id)
        assert (stored.note, stored.review_state, stored.rev) == ("一切正常", "pending", 1)
        assert db.session.get(Photo, photo.id).state == "declared"


def test_a_repeated_push_gets_the_first_answer_and_changes_nothing(
    app: Flask, client: Any, world: World
) -> None:
    tx = transaction(world.users["worker"], visit(world))
    first = push(client, world.tokens["worker"], (1, tx)).json
    second = push(client, world.tokens["worker"], (1, tx)).json
    assert first["answers"] == second["answers"]
    assert first["running"] == second["running"]
    assert count(app, Visit) == 1


def test_the_same_transaction_from_a_new_identity_is_not_done_twice(
    app: Flask, client: Any, world: World
) -> None:
    tx = transaction(world.users["worker"], visit(world))
    first = push(client, world.tokens["worker"], (1, tx)).json
    second = push(client, world.tokens["worker2"], (1, tx)).json
    assert first["answers"][0]["records"] == second["answers"][0]["records"]
    assert second["last_dseq"] == 1
    assert count(app, Visit) == 1


def test_an_invalid_transaction_is_quarantined_and_the_queue_goes_on(
    app: Flask, client: Any, world: World
) -> None:
    bad = transaction(world.users["worker"], visit(world, outcome="nonsense"))
    good = transaction(world.users["worker"], visit(world))
    answer = push(client, world.tokens["worker"], (1, bad), (2, good)).json
    first, second = answer["answers"]
    assert (first["result"], first["code"]) == ("rejected", "invalid")
    assert "outcome" in first["detail"]
    assert second["result"] == "applied"
    with app.app_context():
        kept = db.session.scalars(select(Quarantined)).one()
        assert kept.text == bad.to_text()
        task = db.session.scalars(select(Task)).one()
        assert (task.user_id, task.reason) == (world.users["worker"], "invalid")


def test_text_that_is_not_json_is_quarantined_raw(app: Flask, client: Any, world: World) -> None:
    tx_id = ids.new_id()
    answer = push(client, world.tokens["worker"], [1, tx_id, '{"half":']).json
    assert answer["answers"][0]["code"] == "invalid"
    with app.app_context():
        assert db.session.scalars(select(Quarantined.text)).one() == '{"half":'


def test_all_operations_of_a_transaction_apply_or_none(
    app: Flask, client: Any, world: World
) -> None:
    tx = transaction(
        world.users["worker"],
        visit(world),
        Operation("set", "visit", ids.new_id(), world.partition, 1, 1, fields={"note": ("", "x")}),
    )
    answer = push(client, world.tokens["worker"], (1, tx)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("held", "unknown_record")
    assert count(app, Visit) == 0
    assert count(app, Quarantined) == 1


def test_another_workers_grid_is_refused_with_a_reason(
    app: Flask, client: Any, world: World
) -> None:
    foreign = create(
        "compound", ids.grid_partition(OTHER_GRID), name="别人的楼院", management="none"
    )
    tx = transaction(world.users["worker"], foreign)
    answer = push(client, world.tokens["worker"], (1, tx)).json["answers"][0]
    assert (answer["result"], answer["code"], answer["detail"]) == (
        "rejected", "out_of_scope", OTHER_GRID,
    )  # fmt: skip


def test_the_same_visit_edited_by_two_phones_is_one_conflict_with_both_values(
    app: Flask, client: Any, world: World
) -> None:
    op = visit(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], op)))
    answers = []
    for phone, dseq, text in (("worker", 2, "一号"), ("worker2", 1, "二号")):
        edit = Operation(
            "set", "visit", op.id, world.partition, 5, 1, fields={"note": ("一切正常", text)}
        )
        tx = transaction(world.users["worker"], edit, epoch=_epoch(app))
        answers.append(push(client, world.tokens[phone], (dseq, tx)).json["answers"][0])
    assert [a["result"] for a in answers] == ["applied", "conflict"]
    with app.app_context():
        conflict = db.session.scalars(select(Conflict)).one()
        assert [conflict.id] == answers[1]["conflicts"]
        assert (conflict.accepted, conflict.proposed) == ("一号", "二号")
        assert conflict.proposed_device == world.devices["worker2"]
        assert db.session.get(Visit, op.id).note == "一号"


def test_a_later_step_of_one_offline_chain_updates_the_same_conflict(
    app: Flask, client: Any, world: World
) -> None:
    op = visit(world)
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], op)))

    def edit(was: str, new: str) -> Any:
        one = Operation("set", "visit", op.id, world.partition, 5, 1, fields={"note": (was, new)})
        return transaction(world.users["worker"], one, epoch=_epoch(app))

    push(client, world.tokens["worker"], (2, edit("一切正常", "一号")))
    chain = [(1, edit("一切正常", "二号")), (2, edit("二号", "三号"))]
    push(client, world.tokens["worker2"], *chain)
    with app.app_context():
        conflict = db.session.scalars(select(Conflict)).one()
        assert (conflict.proposed, conflict.version, conflict.state) == ("三号", 2, "open")
    push(client, world.tokens["worker2"], (3, edit("三号", "一号")))
    with app.app_context():
        db.session.expire_all()
        assert db.session.scalars(select(Conflict.state)).one() == "agreed"


def test_a_number_taken_by_another_transaction_asks_for_a_new_identity(
    app: Flask, client: Any, world: World
) -> None:
    push(client, world.tokens["worker"], (1, transaction(world.users["worker"], visit(world))))
    clone = push(
        client, world.tokens["worker"], (1, transaction(world.users["worker"], visit(world)))
    )
    assert (clone.status_code, clone.json["code"]) == (409, "identity_needed")
    assert count(app, Visit) == 1


def test_a_missing_number_is_asked_for(app: Flask, client: Any, world: World) -> None:
    late = push(
        client, world.tokens["worker"], (2, transaction(world.users["worker"], visit(world)))
    )
    assert (late.status_code, late.json["code"]) == (409, "dseq_gap")
    assert late.json["errors"] == {"last_dseq": [0]}
    assert count(app, Receipt) == 1  # the world's own


def test_a_gap_that_the_phone_cannot_read_is_recorded(
    app: Flask, client: Any, world: World
) -> None:
    tx = transaction(world.users["worker"], visit(world))
    body = push(client, world.tokens["worker"], [1, None, {"to": 3, "reason": "坏页"}], (4, tx))
    assert [a["code"] for a in body.json["answers"]] == ["gap", None]
    assert body.json["last_dseq"] == 4
    with app.app_context():
        assert db.session.scalars(select(Quarantined.code)).one() == "gap"


def test_one_that_breaks_at_the_database_does_not_take_the_others_along(
    app: Flask, client: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.storage import rows

    write = rows.write

    def breaking(session: Any, changed: Any, now: int) -> None:
        listed = list(changed)
        for one, _ in listed:
            if one.record.values.get("note") == "坏":
                raise ValueError("the database said no")
        write(session, listed, now)

    monkeypatch.setattr(rows, "write", breaking)
    bad = transaction(world.users["worker"], visit(world, note="坏"))
    good = transaction(world.users["worker"], visit(world))
    answers = push(client, world.tokens["worker"], (1, bad), (2, good)).json["answers"]
    assert [a["result"] for a in answers] == ["rejected", "applied"]
    assert answers[0]["code"] == "internal"
    assert count(app, Visit) == 1
    assert count(app, Quarantined) == 1


def test_a_bad_envelope_names_its_line_and_writes_nothing(
    app: Flask, client: Any, world: World
) -> None:
    tx = transaction(world.users["worker"], visit(world))
    answer = push(client, world.tokens["worker"], (1, tx), [2, "no uuid", "{}"])
    assert (answer.status_code, answer.json["code"]) == (400, "bad_envelope")
    assert answer.json["detail"].startswith("line 3: id")
    assert count(app, Visit) == 0


def test_checksum_and_count_of_the_head_equal_their_recomputation(
    app: Flask, client: Any, world: World
) -> None:
    op = visit(world)
    push(
        client,
        world.tokens["worker"],
        (1, transaction(world.users["worker"], op)),
        (2, transaction(
            world.users["worker"],
            Operation("set", "visit", op.id, world.partition, 5, 1, fields={"note": ("", "x")}),
        )),
        (3, transaction(
            world.users["worker"],
            Operation("delete", "household", world.households[3], world.partition, 5, 1),
        )),
    )  # fmt: skip
    with app.app_context():
        live = [
            (row.id, row.rev)
            for model in MODELS.values()
            for row in db.session.scalars(
                select(model).where(
                    model.partition_id == world.partition, model.deleted_at.is_(None)
                )
            )
        ]
        head = db.session.get(Partition, world.partition)
        assert head.count == len(live)
        assert checksum.from_signed(head.sum64) == checksum.sum64(live)


def test_what_waits_on_the_phone_is_kept_at_each_contact(
    app: Flask, client: Any, world: World
) -> None:
    push(client, world.tokens["worker"], waiting={"transactions": 3, "photos": 2, "bytes": 9})
    with app.app_context():
        device = db.session.get(Device, world.devices["worker"])
        assert device.waiting == {"transactions": 3, "photos": 2, "bytes": 9}
        assert device.last_contact_at is not None


def _epoch(app: Flask) -> str:
    from server.storage.settings import epoch

    with app.app_context():
        return epoch(db.session())


def test_builders_are_what_the_tests_say(app: Flask, world: World) -> None:
    assert count(app, MODELS["household"]) == 4
    assert builders.GRID.startswith(builders.COMMUNITY)
