"""A phone that was revoked, or is too old: what it holds is handed in, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from mobile.storage import meta
from mobile.storage.vault import KEY_FILES
from mobile.sync import client as wire
from mobile.sync.phone import DraftPhoto, Phone
from server.operations.accounts import revoke_device
from server.storage.database import db
from server.storage.tables import Blob, Quarantined
from shared import protocol
from tests.sync.conftest import Place, network, picture
from tests.sync.test_faults import save, visits_on_server


def revoke(place: Place, phone: Phone) -> None:
    with phone._store.reading() as store:
        device = meta.get(store, "device_id")
    with place.app.app_context():
        revoke_device(device)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_revoked_phone_hands_in_says_so_and_is_wiped_at_the_next_sync(place: Place) -> None:
    """What was written before the phone was revoked is not lost."""
    phone = place.phone()
    save(phone, place, "停用之前没发", 0, DraftPhoto(phone.prepare_photo(picture())))
    save(phone, place, "又一条", 1)
    revoke(place, phone)
    assert not phone.status().revoked
    report = phone.sync()
    assert {t.code for t in report.troubles} == {"token_revoked"}
    status = phone.status()
    assert (status.revoked, status.handed_in, status.waiting) == (True, True, 0)
    assert [(i.place, i.code) for i in status.items] == [("held", "revoked")] * 2
    with place.app.app_context():
        assert {q.code for q in db.session.scalars(select(Quarantined))} == {"revoked"}
        assert [blob.state for blob in db.session.scalars(select(Blob))] == ["verified"]
    assert phone.visits(), "nothing is wiped in the sync that hands in"
    phone.sync()
    assert not phone.enrolled and phone.households() == [] and phone.visits() == []
    assert phone.status().handed_in and phone.status().items == ()
    left = {name for name in files(phone._store.folder) if "phone.sqlite3" not in name}
    assert left == {"device.key", *KEY_FILES}, "a new key, to which nothing old answers"
    assert visits_on_server(place) == 0


@pytest.mark.parametrize("what", ["push", "photos"])
def test_a_revoked_phone_is_not_wiped_while_something_is_not_handed_in(
    place: Place, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    phone = place.phone()
    photo = DraftPhoto(phone.prepare_photo(picture()))
    visit_id = save(phone, place, "没发", 0, *([photo] if what == "photos" else []))
    revoke(place, phone)

    def busy(*_: object) -> None:
        raise wire.RequestFailed("locked", "", 423)

    monkeypatch.setattr(wire.Client, "push" if what == "push" else "photo_begin", busy)
    for _ in range(3):
        phone.sync()
    assert phone.status().revoked and not phone.status().handed_in
    assert all(one.path is not None for one in phone.visit(visit_id).photos)
    monkeypatch.undo()
    phone.sync()
    assert phone.status().handed_in


def test_a_photo_of_which_no_pull_will_tell_is_asked_about_again(place: Place) -> None:
    phone = place.phone()
    photo = phone.prepare_photo(picture())
    save(phone, place, "有照片", 0, DraftPhoto(photo))
    revoke(place, phone)
    phone.sync()
    with phone._store.writing() as store:
        store.execute("UPDATE photo SET state = 'stored'")
        meta.put(store, "handed_in", "")
    assert not phone.status().handed_in
    phone.sync()
    assert phone.status().handed_in


def test_a_revoked_phone_that_is_enrolled_again_keeps_what_it_holds(place: Place) -> None:
    phone = place.phone()
    save(phone, place, "停用之前没发")
    revoke(place, phone)
    phone.sync()
    phone.enrol_by_code(place.url, place.code(), "又一次")
    assert not phone.status().revoked
    assert phone.sync().complete
    assert [i.place for i in phone.status().items] == ["held"]
    assert phone.visits()[0].note == "停用之前没发"


def test_a_forced_wipe_leaves_no_byte_of_what_was_there(place: Place) -> None:
    phone = place.phone()
    save(phone, place, "不会留下的一句话", 0, DraftPhoto(phone.prepare_photo(picture())))
    phone.keep_draft("x", {"note": "不会留下的草稿"})
    folder = phone._store.folder
    phone.wipe()
    left = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert "不会留下".encode() not in left
    assert not list(folder.rglob("*.jpg"))
    assert not phone.enrolled and phone.drafts() == [] and not phone.status().revoked
    phone.enrol_by_code(place.url, place.code(), "从头来")
    assert phone.sync().complete
    assert [row.id for row in phone.households()] == place.world.households


def test_numbers_are_not_given_twice_after_a_wipe(place: Place) -> None:
    phone = place.phone()
    save(phone, place, "一")
    phone.wipe()
    phone.enrol_by_code(place.url, place.code(), "从头来")
    phone.sync()
    save(phone, place, "二")
    with phone._store.reading() as store:
        assert [row[0] for row in store.execute("SELECT n FROM journal")] == [2]


def test_a_phone_too_old_to_pull_still_pushes_and_says_what_to_do(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = place.phone()
    monkeypatch.setattr(protocol, "OLDEST_PULL", protocol.VERSION + 1)
    save(phone, place, "旧版手机", 0, DraftPhoto(phone.prepare_photo(picture())))
    report = phone.sync()
    assert [t.code for t in report.troubles] == ["upgrade_required"]
    assert "升级" in report.troubles[0].message_zh
    status = phone.status()
    assert status.upgrade_needed and status.last_error == "upgrade_required"
    assert visits_on_server(place) == 1
    assert [i.place for i in status.items] == ["applied"]
    with place.app.app_context():
        assert [blob.state for blob in db.session.scalars(select(Blob))] == ["verified"]
    monkeypatch.undo()
    assert phone.sync().complete
    assert not phone.status().upgrade_needed
    assert phone.status().photos_verified == 1


def test_answers_that_were_lost_come_with_the_pull_and_are_confirmed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second push is needed to hear them."""
    phone = place.phone()
    save(phone, place, "回执丢了")
    net = network(phone)
    net.lose, net.lose_path = 1, "/push"
    phone.sync()
    assert [i.place for i in phone.status().items] == ["sent"]
    from mobile.sync import exchange

    monkeypatch.setattr(exchange, "push", lambda *_: 0)
    phone.sync()
    assert [i.place for i in phone.status().items] == ["applied"]
    monkeypatch.undo()
    net.seen.clear()
    assert phone.sync().complete
    assert [path for _, path in net.seen] == [protocol.PULL]
    with place.app.app_context():
        from server.storage.tables import Device

        confirmed = db.session.scalars(select(Device.confirmed).where(Device.last_dseq == 1)).all()
    assert 1 in confirmed
