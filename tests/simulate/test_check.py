"""The check itself: whatever is wrong, it says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, update

from gridledger.simulate.check import Findings, check
from gridledger.simulate.record import Record
from mobile.storage import photos
from mobile.sync.phone import DraftPhoto, Phone
from server.storage import blobs
from server.storage.database import db, write
from server.storage.models import Conflict, Household, Visit
from server.storage.tables import Change, Partition, Quarantined, Receipt
from shared import ids
from tests.sync.conftest import Place, picture
from tests.sync.test_faults import save


@dataclass
class Scene:
    """Two phones, a visit with a photo, a conflict; all of it recorded and synced."""

    place: Place
    one: Phone
    two: Phone
    record: Record
    visit: str
    photo: str

    def found(self) -> Findings:
        user = self.place.world.users["worker"]
        phones = {"one": (user, self.one._store), "two": (user, self.two._store)}
        with self.place.app.app_context():
            return check(db.session(), phones, self.record)

    def change(self, *statements: Any) -> None:
        with self.place.app.app_context(), write() as session:
            for statement in statements:
                session.execute(statement)


@pytest.fixture
def scene(place: Place) -> Scene:
    one, two = place.phone("one"), place.phone("two")
    photo = one.prepare_photo(picture())
    visit = save(one, place, "走访 1", 0, DraftPhoto(photo))
    home = place.world.households[0]
    one.edit("household", home, {"note": "甲写的"})
    two.edit("household", home, {"note": "乙写的"})
    record = Record()
    for phone in (one, two, one):
        assert phone.sync().complete
        with phone._store.reading() as store:
            record.take(store)
    return Scene(place, one, two, record, visit, photo.sha256)


def test_a_sound_district_is_found_sound(scene: Scene) -> None:
    found = scene.found()
    assert found.sound and not found.told
    assert (found.transactions, found.applied, found.conflict) == (3, 2, 1)
    assert (found.photos_declared, found.photos_verified) == (1, 1)


def _first(scene: Scene) -> str:
    return next(iter(scene.record.saved))


WRONG: dict[str, tuple[Callable[[Scene], Any], str]] = {
    "no receipt": (lambda s: s.change(delete(Receipt).where(Receipt.id == _first(s))), "lost"),
    "a receipt, but no visit": (lambda s: s.change(delete(Visit)), "lost"),
    "a value of a conflict gone": (
        lambda s: s.change(
            update(Conflict).values(proposed=None),
            delete(Change).where(Change.kind == "conflict"),
        ),
        "lost",
    ),
    "held, but not in quarantine": (
        lambda s: s.change(update(Receipt).where(Receipt.id == _first(s)).values(result="held")),
        "lost",
    ),
    "a head that does not add up": (
        lambda s: s.change(update(Partition).values(count=Partition.count + 1)),
        "diverged_partitions",
    ),
    "a row that differs": (
        lambda s: s.change(
            update(Household)
            .where(Household.id == s.place.world.households[1])
            .values(note="谁也不知道")
        ),
        "diverged_partitions",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_on_the_server_is_found(scene: Scene, what: str) -> None:
    spoil, key = WRONG[what]
    spoil(scene)
    found = scene.found()
    assert getattr(found, key) > 0 and not found.sound and found.told


def test_the_same_visit_twice_is_found(scene: Scene) -> None:
    with scene.place.app.app_context(), write() as session:
        table = Visit.__table__
        row = dict(session.execute(table.select()).mappings().one())
        session.execute(table.insert().values(row | {"id": ids.new_id()}))
    assert scene.found().duplicated == 1


def test_applied_and_open_in_quarantine_is_found(scene: Scene) -> None:
    tx_id = _first(scene)
    with scene.place.app.app_context(), write() as session:
        session.add(
            Quarantined(
                id=ids.new_id(), tx_id=tx_id, device_id=ids.new_id(), dseq=1, result="held",
                code="revoked", text=scene.record.saved[tx_id].text, state="open", received_at=1,
            )
        )  # fmt: skip
    assert scene.found().duplicated == 1


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        ("DELETE FROM record WHERE kind = 'household'", "missing_records"),
        ("UPDATE record SET agreed = '{}' WHERE kind = 'household'", "diverged_partitions"),
        ("UPDATE record SET partition_id = 'grid:9' WHERE kind = 'visit'", "out_of_scope_records"),
        ("UPDATE journal SET result = NULL", "sound"),
    ],
)
def test_what_is_wrong_on_a_phone_is_found(scene: Scene, statement: str, key: str) -> None:
    with scene.one._store.writing() as store:
        store.execute(statement)
    found = scene.found()
    assert getattr(found, key)
    if key != "sound":
        assert not found.sound


def test_what_still_waits_is_found(scene: Scene) -> None:
    save(scene.one, scene.place, "走访 2")
    with scene.one._store.reading() as store:
        scene.record.take(store)
    found = scene.found()
    assert (found.waiting, found.lost) == (1, 0) and not found.sound


def test_a_photo_is_looked_for_on_phones_and_its_bytes_are_read(scene: Scene) -> None:
    with scene.place.app.app_context():
        blobs.current().remove(scene.photo)
    assert scene.found().photos_lost == 1, "the phone would delete it in a week"
    with scene.one._store.writing() as store:
        store.execute("UPDATE photo SET state = 'waiting'")
    found = scene.found()
    assert (found.photos_verified, found.photos_on_phone, found.photos_lost) == (0, 1, 0)
    photos.path_of(scene.one._store.folder, scene.photo).write_bytes(b"other bytes")
    assert scene.found().photos_lost == 1
