"""What nobody needs is collected after a week, whatever else goes on; what somebody needs stays."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy.orm import Session

from gridledger.cli import main
from server.errors import Trouble
from server.operations import erase, photo_check, photo_sweep, verify
from server.operations.clock import now_ms
from server.operations.photo_sweep import DAY_MS, Swept, sweep
from server.storage import blob_rows, blobs, leases
from server.storage.alone import alone
from server.storage.database import db, write
from server.storage.models import Photo
from server.storage.settings import change_epoch
from server.storage.tables import AuditEntry, Blob
from shared import ids
from tests.builders import World, create, push, transaction, visit
from tests.server.test_upload import begin, declare, patch, photo_bytes, tus


def later(days: int) -> int:
    return now_ms() + days * DAY_MS


def orphan(data: bytes) -> str:
    """Bytes in the store that no record names."""
    sha256 = hashlib.sha256(data).hexdigest()
    blobs.current().write(sha256, data)
    return sha256


def sent(client: Any, world: World, data: bytes, dseq: int) -> str:
    """A photo that is declared, uploaded and verified; its record's id."""
    photo_id = declare(client, world, data, dseq)
    url = begin(client, world, data).headers["Location"]
    assert patch(client, world, url, 0, data).headers["Upload-State"] == "verified"
    return photo_id


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_no_record_names_goes_after_a_week_and_the_rest_stays(
    app: Flask, client: Any, world: World
) -> None:
    erased, held, shown = (photo_bytes(colour) for colour in ("red", "green", "blue"))
    sent(client, world, erased, 1)
    elsewhere = visit(world, 1)
    there = create("photo", world.partition, owner_kind="visit", owner_id=elsewhere.id,
                   sha256=sha(shown), size=len(shown), phase="scene")  # fmt: skip
    author, token = world.users["worker"], world.tokens["worker"]
    push(client, token, (2, transaction(author, elsewhere, there)))
    waits = visit(world, target_id=ids.new_id())  # its household is not known yet
    kept = create("photo", world.partition, owner_kind="visit", owner_id=waits.id,
                  sha256=sha(held), size=len(held), phase="scene")  # fmt: skip
    push(client, token, (3, transaction(author, waits, kept)))
    for data in (shown, held):
        url = begin(client, world, data).headers["Location"]
        assert patch(client, world, url, 0, data).headers["Upload-State"] == "verified"
    unfinished = photo_bytes("white")
    declare(client, world, unfinished, 4)
    half = begin(client, world, unfinished).headers["Location"]
    patch(client, world, half, 0, unfinished[:5000])
    with app.app_context():
        erase.erase(world.users["admin"], world.households[0], "本人要求")
        store = blobs.current()
        store.write(sha(erased), erased)  # as if the crash came before they were removed
        for data in (erased, held, shown):
            store.keep_thumbnail(sha(data), "320.webp", b"small")
        nobodys = orphan(b"nobody's")
        with write() as session:
            session.add(Blob(sha256=nobodys, size=8, state="verified", stored_at=1))
        with store.append(ids.new_id(), 0, []) as tail:
            tail.write(b"of an upload that nobody knows")
            tail.sync()
        assert sweep() == sweep(now=later(6)) == Swept()
        expected = Swept(2, 8 + len(erased), 1, 5, 2, 5030)
        assert sweep(dry_run=True, now=later(8)) == expected
        assert sweep(now=later(8)) == expected
        assert sweep(now=later(8)) == Swept()
        assert {one.name for one in store.photos()} == {sha(held), sha(shown)}
        assert {one.sha256 for one in store.thumbnails()} == {sha(held), sha(shown)}
        assert not list(store.uploads())
        assert db.session.get(Blob, nobodys) is None
        entry = db.session.query(AuditEntry).filter_by(action="photo.sweep").one()
        assert (entry.detail["photos"], entry.detail["uploads"]) == (2, 2)
    assert client.head(half, headers=tus(world)).status_code == 404


def test_a_deleted_photo_stays_for_as_long_as_its_record_may_come_back(
    app: Flask, client: Any, world: World
) -> None:
    data = photo_bytes()
    gone = sent(client, world, data, 1)
    with app.app_context():
        with write() as session:
            session.get_one(Photo, gone).deleted_at = 1
        assert sweep(now=later(8), most=True) == Swept()
        with write() as session:
            session.delete(session.get_one(Photo, gone))  # as `compact` does after 90 days
        assert sweep(now=later(8)).photos == 1


def test_who_needs_bytes_that_a_sweep_has_claimed_sends_them_again(
    app: Flask, client: Any, world: World
) -> None:
    data = photo_bytes()
    with app.app_context():
        name = orphan(data)
        with write() as session:
            assert blob_rows.claim(session, [name], 1) == [name]
    photo_id = declare(client, world, data)
    assert begin(client, world, data).status_code == 423
    with app.app_context():
        assert db.session.get_one(Photo, photo_id).state == "declared"
        with pytest.raises(Trouble, match="locked"):
            verify.from_store(name)
        with write() as session:
            assert blob_rows.claim(session, [name], 1) == []
        assert sweep(now=later(8)) == Swept()
    assert begin(client, world, data).headers["Upload-State"] == "verified"


def test_a_sweep_that_died_is_finished_by_the_next(app: Flask, world: World) -> None:
    with app.app_context():
        name = orphan(b"nobody's")
        with write() as session:
            blob_rows.claim(session, [name], 1)
        sweep(now=later(8))
        assert not blobs.current().exists(name)
        assert db.session.get(Blob, name) is None


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_bytes_that_a_push_relies_on_at_this_moment_are_left(app: Flask, world: World) -> None:
    with app.app_context():
        name = orphan(b"somebody's soon")
        with write() as session:
            session.add(Blob(sha256=name, size=8, state="verified", stored_at=1))
        with Session(db.engine) as pushing:
            assert blob_rows.rely_on(pushing, name) is not None
            assert sweep(now=later(8)).photos == 0
        assert sweep(now=later(8)).photos == 1


def test_an_upload_that_somebody_writes_to_is_left(app: Flask, client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    patch(client, world, url, 0, data[:500])
    upload_id = url.rpartition("/")[2]
    with app.app_context():
        lease = leases.take(upload_id, later(8))
        assert lease is not None
        assert sweep(now=later(8)) == Swept()
        leases.give_back(lease, 500, lease.pieces)
        assert sweep(now=later(8)) == Swept(uploads=1, upload_bytes=500)


def test_a_sweep_waits_where_it_could_take_too_much(app: Flask, world: World) -> None:
    with app.app_context():
        for number in range(photo_sweep.FEW + 1):
            orphan(b"%d" % number)
        with pytest.raises(Trouble, match="--most"):  # the wrong database, more likely
            sweep(now=later(8))
        with alone("sweep", app.config["GRIDLEDGER"].data) as ours:
            assert ours and sweep(now=later(8), most=True) is None
        with write() as session:
            change_epoch(session, now_ms())
        with pytest.raises(Trouble, match="30"):  # phones still give back what a restore lost
            sweep(now=later(8), most=True)
        assert sweep(now=later(31), most=True).photos == photo_sweep.FEW + 1


def test_missing_and_damaged_photos_are_found_and_sent_again(
    app: Flask, client: Any, world: World
) -> None:
    whole, missing, damaged = (photo_bytes(colour) for colour in ("red", "green", "blue"))
    for dseq, data in enumerate((whole, missing, damaged), 1):
        sent(client, world, data, dseq)
    with app.app_context():
        blobs.current().remove(sha(missing))
        blobs.current().write(sha(damaged), damaged[:-9])
        expected = {sha(missing): "missing", sha(damaged): "wrong"}
        assert {one.sha256: one.what for one in photo_check.check()} == expected
        assert photo_check.count() == 3
        assert len(list(photo_check.check(repair=True))) == 2
        assert not list(photo_check.check())
    for data in (missing, damaged):
        url = begin(client, world, data).headers["Location"]
        assert patch(client, world, url, 0, data).headers["Upload-State"] == "verified"
    with app.app_context():
        assert photo_check.count() == 3 and not list(photo_check.check())


def test_the_commands_say_what_they_found(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, [*arguments, "--data", str(tmp_path)])
        assert result.exit_code == 0, result.output
        return result.output

    run("db", "upgrade")
    assert "无主照片 0 个" in run("photos", "sweep")
    assert "预览" in run("photos", "sweep", "--dry-run")
    assert "检查 0 张，有误 0" in run("photos", "check")
