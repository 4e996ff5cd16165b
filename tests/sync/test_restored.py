"""A server that was put back, and phones that remember more than it does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gridledger.simulate import putback
from mobile.storage import journal, meta
from mobile.sync.phone import HouseholdDraft, Phone
from server.operations.accounts import assign, unassign
from server.storage.database import db
from server.storage.models import Household
from server.storage.settings import epoch
from server.storage.tables import Offered, Quarantined
from tests.builders import GRID, OTHER_GRID
from tests.sync.conftest import Place, network
from tests.sync.test_faults import rows, save, visits_on_server


def current_epoch(place: Place) -> str:
    with place.app.app_context():
        return epoch(db.session())


def keep(place: Place, folder: Path) -> putback.Kept:
    with place.app.app_context():
        return putback.keep(folder / "backup")


def put_back(place: Place, kept: putback.Kept, silently: bool = False) -> None:
    with place.app.app_context():
        putback.put_back(kept, silently)


def offered(place: Place) -> dict[str, Any]:
    with place.app.app_context():
        return {row.record_id: row.values for row in db.session.scalars(select(Offered))}


def scalar(phone: Phone, sql: str) -> Any:
    with phone._store.reading() as store:
        return store.execute(sql).fetchone()[0]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_database_files_copied_back_lose_nothing_and_double_nothing(place: Place) -> None:
    """Nobody said so; the chains of the heads tell it before anything applies."""
    phone, other = place.phone("one"), place.phone("two")
    save(phone, place, "之前")
    assert phone.sync().complete and other.sync().complete
    data = place.app.config["GRIDLEDGER"].data
    aside = data.parent / "aside"
    stop(place)
    shutil.copytree(data, aside, ignore=shutil.ignore_patterns("photos"))
    save(phone, place, "之后", 1)
    phone.edit("household", place.world.households[2], {"note": "之后改的"})
    assert phone.sync().complete and other.sync().complete
    before = current_epoch(place)
    stop(place)
    for old in data.glob("gridledger.sqlite3*"):
        old.unlink()
    shutil.copytree(aside, data, dirs_exist_ok=True)
    save(phone, place, "复制回去以后", 3)
    save(other, place, "另一部的", 3)
    for _ in range(2):
        phone.sync()
        other.sync()
    assert phone.sync().complete and other.sync().complete
    assert current_epoch(place) != before
    assert visits_on_server(place) == 4
    assert rows(phone) == rows(other)
    assert other.household(place.world.households[2]).values["note"] == "之后改的"
    assert offered(place) == {}, "the journal brought all of it"


def stop(place: Place) -> None:
    with place.app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_phone_that_only_reads_finds_a_rewind_before_it_sweeps(
    place: Place, tmp_path: Path
) -> None:
    phone, reader = place.phone("one"), place.phone("two")
    kept = keep(place, tmp_path)
    lost = phone.add_household(HouseholdDraft({"door": "909", "contact_name": "丢了的"}))
    assert phone.sync().complete and reader.sync().complete
    put_back(place, kept, silently=True)
    assert reader.sync().complete
    assert current_epoch(place) != kept.epoch
    assert [values["contact_name"] for values in offered(place).values()] == ["丢了的"]
    assert phone.sync().complete and reader.sync().complete
    assert lost in rows(reader)


def test_a_rewind_that_others_have_overtaken_is_found_by_the_sums(
    place: Place, tmp_path: Path
) -> None:
    phone, reader = place.phone("one"), place.phone("two")
    kept = keep(place, tmp_path)
    save(phone, place, "丢了的")
    assert phone.sync().complete and reader.sync().complete
    put_back(place, kept, silently=True)
    newcomer = place.phone("three")
    for number in range(3):
        save(newcomer, place, f"新来的{number}", number)
    assert newcomer.sync().complete
    assert current_epoch(place) == kept.epoch, "nobody could know"
    assert reader.sync().complete
    assert current_epoch(place) != kept.epoch
    for one in (phone, newcomer, reader, phone):
        assert one.sync().complete
    assert visits_on_server(place) == 4
    assert rows(phone) == rows(reader) == rows(newcomer)


def test_what_only_another_phone_still_holds_is_offered_to_a_restored_server(
    place: Place, tmp_path: Path
) -> None:
    gone, other = place.phone("gone"), place.phone("two")
    kept = keep(place, tmp_path)
    lost = gone.add_household(HouseholdDraft({"door": "909", "contact_name": "丢了的"}))
    home = place.world.households[0]
    gone.edit("household", home, {"note": "第一次"})
    gone.sync()
    gone.edit("household", home, {"note": "第二次"})
    assert gone.sync().complete and other.sync().complete
    put_back(place, kept)
    network(other).before = lambda _method, path: setattr(
        network(other), "down", path.endswith("/offer")
    )
    assert not other.sync().complete
    assert lost not in rows(other)
    assert scalar(other, "SELECT count(*) FROM offer") == 2, "kept until it is answered"
    other.close()
    other = place.open("two")
    assert other.sync().complete
    assert scalar(other, "SELECT count(*) FROM offer") == 0
    found = offered(place)
    assert set(found) == {lost, home}
    assert (found[lost]["contact_name"], found[home]["note"]) == ("丢了的", "第二次")
    with place.app.app_context():
        assert db.session.get(Household, lost) is None, "a supervisor decides"


@pytest.mark.parametrize("lost_later", [False, True])
def test_nothing_is_offered_of_a_lost_grid(place: Place, tmp_path: Path, lost_later: bool) -> None:
    gone, other = place.phone("gone"), place.phone("two")
    kept = keep(place, tmp_path)
    gone.add_household(HouseholdDraft({"door": "909"}))
    assert gone.sync().complete and other.sync().complete
    put_back(place, kept)
    net = network(other)
    if lost_later:
        net.before = lambda _method, path: setattr(net, "down", path.endswith("/offer"))
        assert not other.sync().complete
        assert scalar(other, "SELECT count(*) FROM offer") == 1
        net.before, net.down = None, False
    with place.app.app_context():
        unassign(place.world.users["worker"], GRID)
        assign(place.world.users["worker"], OTHER_GRID)
    assert other.sync().complete
    assert other.households() == []
    assert scalar(other, "SELECT count(*) FROM offer") == 0
    assert offered(place) == {}


def test_a_journal_that_no_longer_reaches_back_is_told_and_the_rest_is_accepted(
    place: Place, tmp_path: Path
) -> None:
    phone = place.phone("one")
    kept = keep(place, tmp_path)
    for number in range(4):
        save(phone, place, f"第{number}条", number)
    assert phone.sync().complete
    with phone._store.writing() as store:
        store.execute("DELETE FROM journal WHERE dseq <= 2")
        device = meta.get(store, "device_id")
        assert journal.first_kept(store, device) == 3
    put_back(place, kept)
    assert phone.sync().complete
    save(phone, place, "恢复以后")
    assert phone.sync().complete
    assert visits_on_server(place) == 3
    with phone._store.reading() as store:
        assert journal.first_kept(store, device) == 3, "the gap is not kept, it is missing"
        device_now = meta.get(store, "device_id")
    assert device_now == device
    with place.app.app_context():
        gaps = db.session.scalars(select(Quarantined).where(Quarantined.code == "gap")).all()
    assert [(one.dseq, one.detail) for one in gaps] == [(1, "journal_expired")]
