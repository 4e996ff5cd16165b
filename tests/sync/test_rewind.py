"""A database that was put back: told or not, what the phones were answered comes back from them."""

from __future__ import annotations

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
    """LESSONS 18: the phone is ahead, hears it in the pull, and does not believe itself done."""
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
