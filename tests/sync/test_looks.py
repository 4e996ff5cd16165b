"""A look at covered details on a phone reaches the audit log: once, and only of its own homes."""

from __future__ import annotations

import pytest

from mobile.storage import looks
from mobile.sync.phone import HouseholdDraft, Phone
from server.storage.database import db
from server.storage.tables import AuditEntry
from shared import ids, protocol
from shared.work_calendar import DAY, SHIFT
from tests.builders import GRID
from tests.sync.conftest import START, Place, network


def logged(place: Place) -> list[AuditEntry]:
    with place.app.app_context():
        found = db.session.query(AuditEntry).filter_by(action="home.reveal")
        return sorted(found, key=lambda one: (one.detail or {})["at"])


def kept(phone: Phone) -> int:
    with phone._store.reading() as store:
        return len(looks.batch(store))


def told(phone: Phone) -> int:
    return network(phone).seen.count(("POST", protocol.LOOKS))


def test_a_look_is_noted_once_a_day_however_often_it_is_told(place: Place) -> None:
    home = place.world.households[0]
    phone, second = place.phone(), place.phone("two")
    assert told(phone) == 0, "nothing is asked where there is nothing"
    for _ in range(3):
        phone.note_look(home)
    network(phone).down = True
    phone.sync()
    assert (kept(phone), logged(place)) == (1, [])
    network(phone).down = False
    network(phone).lose, network(phone).lose_path = 1, protocol.LOOKS
    assert {trouble.code for trouble in phone.sync().troubles} == {"offline"}
    assert (kept(phone), len(logged(place))) == (1, 1), "the answer was lost"
    phone.close()
    phone = place.open("one")
    second._clock.now += 5000
    second.note_look(home)  # the same person, the same day, another moment
    assert phone.sync().complete and second.sync().complete
    assert (kept(phone), kept(second), told(phone)) == (0, 0, 1)
    (row,) = logged(place)
    assert (row.actor, row.target, row.area_code) == (place.world.users["worker"], home, GRID)
    assert row.detail is not None and row.detail["page"] == "phone"
    assert START < row.detail["at"] < START + 1000, "when it was looked at, not when it was told"
    phone._clock.now += DAY - (phone._clock.now + SHIFT) % DAY
    phone.note_look(home)
    assert phone.sync().complete
    assert [row.detail["page"] for row in logged(place)] == ["phone"] * 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_homes_of_others_are_left_aside_and_an_older_server_breaks_no_sync(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = place.phone("other", "other")
    foreign = other.add_household(HouseholdDraft({"door": "101"}))
    assert other.sync().complete
    phone = place.phone()
    with phone._store.writing() as store:
        for home in [foreign, *(ids.new_id() for _ in range(protocol.MAX_LOOKS))]:
            looks.note(store, home, START)
    phone.note_look(place.world.households[1])
    with monkeypatch.context() as older:
        older.setattr(protocol, "LOOKS", f"{protocol.PREFIX}/not-known-yet")
        assert phone.sync().complete
        assert told(phone) == 1 and kept(phone) == protocol.MAX_LOOKS
    assert phone.sync().complete
    assert (told(phone), kept(phone)) == (2, 0)
    assert [row.target for row in logged(place)] == [place.world.households[1]]
