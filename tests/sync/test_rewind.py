"""A database that was put back: told or not, what the phones were answered comes back from them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gridledger.simulate import putback
from server.storage.database import db
from server.storage.settings import epoch
from tests.sync.conftest import Place
from tests.sync.test_faults import rows, save, visits_on_server


def current_epoch(place: Place) -> str:
    with place.app.app_context():
        return epoch(db.session())


@pytest.mark.parametrize("silently", [True, False])
def test_a_server_put_back_gets_its_day_back_from_phones_that_have_nothing_to_send(
    place: Place, tmp_path: Path, silently: bool
) -> None:
    """The phone is ahead, hears it in the pull, and does not believe itself done."""
    phone, other = place.phone("one"), place.phone("two")
    save(phone, place, "备份之前")
    assert phone.sync().complete and other.sync().complete
    with place.app.app_context():
        kept = putback.keep(tmp_path / "backup")
    save(phone, place, "备份之后", 1)
    phone.edit("household", place.world.households[2], {"note": "备份之后改的"})
    assert phone.sync().complete and other.sync().complete
    with place.app.app_context():
        putback.put_back(kept, silently)
    assert visits_on_server(place) == 1
    for _ in range(2):
        other.sync()
        phone.sync()
    assert phone.sync().complete and other.sync().complete
    assert visits_on_server(place) == 2
    assert current_epoch(place) != kept.epoch, "old revs mean nothing any more"
    assert rows(phone) == rows(other)
    assert other.household(place.world.households[2]).values["note"] == "备份之后改的"


def test_two_copies_of_a_revoked_phone_both_come_back(place: Place) -> None:
    """Neither takes the other's token for ever, and neither loses its work."""
    from server.operations.accounts import revoke_device

    one = place.phone("one")
    one.close()
    shutil.copytree(place.folder / "one", place.folder / "copy")
    one, copy = place.open("one"), place.open("copy")
    save(copy, place, "第二部写的")
    with one._store.reading() as store:
        device = store.execute("SELECT value FROM meta WHERE name = 'device_id'").fetchone()[0]
    with place.app.app_context():
        revoke_device(device)
    for phone in (one, copy):
        assert not phone.sync().complete
        phone.enrol_by_code(place.url, place.code(), "又登记")
    for phone in (one, copy, one, copy):
        report = phone.sync()
        assert report.complete, report
