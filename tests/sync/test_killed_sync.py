"""A sync over HTTP, killed before each commit of the phone: nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from mobile.sync.phone import DraftPhoto, Phone
from server.storage.database import db
from server.storage.tables import Device, Quarantined
from tests.mobile.killed import comes_to_its_end
from tests.sync.conftest import HandClock, Network, Place, picture
from tests.sync.test_faults import rows, save, visits_on_server

MOST = 60


@pytest.mark.skipif("not hasattr(os, 'fork')", reason="kills by fork")
@pytest.mark.parametrize("database", ["sqlite"])  # what is killed is the phone
def test_a_sync_killed_at_each_commit_goes_on_at_the_next(place: Place) -> None:
    """Every round brings a visit with a photo and a suggestion, every fourth another's change."""
    phone, other = place.phone("one"), place.phone("two")
    phones = Device.kind == "phone"
    devices = counted(place, Device, phones)
    for n in range(1, MOST):
        taken = DraftPhoto(phone.prepare_photo(picture(side=50 + n)))
        save(phone, place, f"第{n}条", n % 4, taken)
        phone.give_feedback("suggestion", f"第{n}条")
        phone.close()
        if n % 4 == 1:
            other.edit("household", place.world.households[0], {"note": f"别人改的{n}"})
            assert other.sync().complete
        ended = comes_to_its_end(place.folder / "one", sync, n, commits=True)
        phone = place.open("one")
        assert phone.recovered is None
        report = phone.sync()
        assert report.complete, (n, report)
        status = phone.status()
        assert (status.waiting, status.photos, status.photos_verified) == (0, n, n), n
        assert status.repairs == 0 and all(one.sent for one in phone.feedback())
        assert visits_on_server(place) == n
        if ended:
            break
    assert ended and n > 10
    assert (counted(place, Device, phones), counted(place, Quarantined)) == (devices, 0)
    other.sync()
    assert rows(phone) == rows(other)


def sync(folder: Path) -> None:
    phone = Phone.open(folder, clock=HandClock(), http=Network())
    phone.sync()


def counted(place: Place, model: type, *which: Any) -> int:
    with place.app.app_context():
        return db.session.scalar(select(func.count()).select_from(model).where(*which)) or 0
