"""A redacted photo takes the old one's place everywhere, and only the server can make one."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.core.access import Viewer
from server.core.redaction import Box
from server.operations import erase, redact
from server.operations.apply_redaction import REDACT
from server.storage import blobs
from server.storage.database import db, write
from server.storage.models import Photo
from server.storage.queries import photos
from server.storage.tables import AuditEntry
from shared import ids
from shared.operations import ACT, Operation
from shared.reconcile import Refused
from tests.builders import STREET, World, create, pull, push, transaction, visit
from tests.server.test_upload import begin, declare, patch, photo_bytes

BOXES = [Box(10, 10, 200, 150)]


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


@pytest.fixture
def original(app: Flask, client: Any, world: World) -> str:
    """A verified photo of a visit."""
    data = photo_bytes()
    photo_id = declare(client, world, data)
    patch(client, world, begin(client, world, data).headers["Location"], 0, data)
    return photo_id


def _viewer(world: World, name: str = "supervisor") -> Viewer:
    return Viewer(world.users[name], name, STREET)


def _redact(world: World, photo_id: str, boxes: list[Box] | None = None) -> str:
    photo = db.session.get(Photo, photo_id, populate_existing=True)
    assert photo is not None
    return redact.redact(_viewer(world), photo_id, photo.rev, boxes or BOXES, ids.new_id())


def _photo(photo_id: str) -> Any:
    return db.session.get(Photo, photo_id, populate_existing=True)


def test_the_new_photo_takes_the_old_ones_place(app: Flask, world: World, original: str) -> None:
    with app.app_context():
        new = _redact(world, original)
        old, fresh = _photo(original), _photo(new)
        assert (old.replaced_by, fresh.redacts, fresh.replaced_by) == (new, original, None)
        assert (fresh.state, fresh.owner_id, fresh.phase) == ("verified", old.owner_id, old.phase)
        assert fresh.partition_id == old.partition_id
        data = b"".join(blobs.current().read(fresh.sha256))
        assert hashlib.sha256(data).hexdigest() == fresh.sha256 != old.sha256
        assert fresh.size == len(data)
        assert [one.id for one in photos.of_owners(db.session, [old.owner_id])] == [new]
        supervisor, admin = _viewer(world), _viewer(world, "admin")
        assert photos.visible(db.session, supervisor, original) is None
        assert photos.visible(db.session, supervisor, new) is not None
        assert photos.visible(db.session, admin, original) is not None
        row = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "photo.redact"))
        assert (row.actor, row.target) == (world.users["supervisor"], original)


def test_a_phone_hears_of_it_and_its_own_upload_stays_verified(
    app: Flask, client: Any, world: World, original: str
) -> None:
    with app.app_context():
        new = _redact(world, original)
        sha256 = _photo(original).sha256
    lines = pull(client, world.tokens["worker"], photos=[sha256])
    rows = {one["id"]: one["v"] for one in lines if one.get("kind") == "photo"}
    assert rows[original]["replaced_by"] == new and rows[new]["redacts"] == original
    assert lines[0]["photos"] == {sha256: "verified"}


def test_redacted_again_and_undone_step_by_step(app: Flask, world: World, original: str) -> None:
    with app.app_context():
        first = _redact(world, original)
        second = _redact(world, first, [Box(300, 300, 50, 50)])
        with pytest.raises(Refused):  # by somebody who still had the first one before them
            redact.redact(_viewer(world, "admin"), first, _photo(first).rev, BOXES, ids.new_id())
        with pytest.raises(Refused, match="forbidden"):
            redact.undo(_viewer(world), second)
        owner = _photo(original).owner_id
        admin = _viewer(world, "admin")
        assert redact.undo(admin, second) == first
        assert [one.id for one in photos.of_owners(db.session, [owner])] == [first]
        assert redact.undo(admin, first) == original
        assert [one.id for one in photos.of_owners(db.session, [owner])] == [original]
        assert photos.visible(db.session, admin, second) is None
        with pytest.raises(Refused, match="not_allowed"):
            redact.undo(admin, original)
        again = _redact(world, original)
        assert _photo(original).replaced_by == again


def test_a_form_sent_twice_makes_one(app: Flask, world: World, original: str) -> None:
    with app.app_context():
        rev, into = _photo(original).rev, ids.new_id()
        admin, supervisor = _viewer(world, "admin"), _viewer(world)
        assert redact.redact(supervisor, original, rev, BOXES, into) == into
        assert redact.redact(supervisor, original, rev, BOXES, into) == into
        with pytest.raises(Refused, match="late_action"):
            redact.redact(admin, original, rev, BOXES, ids.new_id())
        with pytest.raises(Refused, match="unknown_record"):
            redact.redact(_viewer(world), original, rev, BOXES, ids.new_id())
        with pytest.raises(Refused, match="needs"):
            redact.redact(admin, into, 1, [Box(9000, 1, 5, 5)], ids.new_id())
        far = Viewer(world.users["far_supervisor"], "supervisor", "410103007902")
        with pytest.raises(Refused, match="unknown_record"):
            redact.redact(far, into, 1, BOXES, ids.new_id())
        assert db.session.query(Photo).count() == 2


def test_no_phone_can_put_a_photo_in_anothers_place(
    app: Flask, client: Any, world: World, original: str
) -> None:
    """Not even a supervisor's: the action names bytes, and only the server has painted them."""
    with app.app_context():
        photo = _photo(original)
        operation = Operation(
            ACT, "photo", original, world.partition, seq=photo.seq, rev=photo.rev, action=REDACT,
            expect={"rev": photo.rev},
            data={"into": ids.new_id(), "sha256": "0" * 64, "size": 1, "width": 1, "height": 1,
                  "mime": "image/jpeg"},
        )  # fmt: skip
    text = transaction(world.users["worker"], operation)
    answer = push(client, world.tokens["worker"], (2, text)).json["answers"][0]
    assert (answer["result"], answer["code"]) == ("rejected", "forbidden")


def test_every_record_of_the_same_picture_is_redacted_also_a_later_one(
    app: Flask, client: Any, world: World, original: str
) -> None:
    token, worker = world.tokens["worker"], world.users["worker"]
    with app.app_context():
        sha256, size = _photo(original).sha256, _photo(original).size

    def name_again(dseq: int) -> str:
        other = visit(world)
        photo = create(
            "photo", world.partition, owner_kind="visit", owner_id=other.id, sha256=sha256,
            size=size, phase="scene",
        )  # fmt: skip
        push(client, token, (dseq, transaction(worker, other, photo)))
        return photo.id

    twin = name_again(2)
    with app.app_context():
        new = _redact(world, original)
        assert _photo(_photo(twin).replaced_by).sha256 == _photo(new).sha256
        newest = _redact(world, new, [Box(400, 300, 80, 80)])
        shown = _photo(newest).sha256
    late = name_again(3)
    with app.app_context():
        found = photos.of_owners(db.session, [_photo(late).owner_id])
        assert [one.sha256 for one in found] == [shown]


def test_a_restore_brings_no_face_back(app: Flask, world: World, original: str) -> None:
    with app.app_context():
        new = _redact(world, original)
        shown = _photo(new).sha256
        with write() as session:  # as a backup from before has it
            old = session.get(Photo, original)
            old.replaced_by = None
            session.delete(session.get(Photo, new))
        assert redact.replay() == 1 and redact.replay() == 0
        assert _photo(original).replaced_by == new
        assert _photo(new).sha256 == shown
        redact.undo(_viewer(world, "admin"), new)
        assert redact.replay() == 0, "what the admin took back stays so"


def test_erasing_the_home_takes_both_pictures(app: Flask, world: World, original: str) -> None:
    with app.app_context():
        new = _redact(world, original)
        hashes = [_photo(original).sha256, _photo(new).sha256]
        erase.erase(world.users["admin"], world.households[0], "本人要求")
        assert not any(blobs.current().exists(one) for one in hashes)
        assert _photo(new).deleted_at and _photo(original).deleted_at
