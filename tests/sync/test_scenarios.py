"""What goes wrong between a phone and a server, one accident at a time, each by its name.

The table in docs/decisions/0007-broken-on-purpose.md says which test stands for which of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, func, select, text

from gridledger.simulate.proxy import Proxy
from mobile.sync.client import Client
from mobile.sync.phone import DraftPhoto, HouseholdDraft, Phone
from server.operations import accounts, transact
from server.storage import feed
from server.storage.database import db, write
from server.storage.models import Household, Visit
from server.storage.tables import Assignment, Change, Quarantined, Receipt
from shared import protocol
from shared.operations import SET, Operation
from tests.builders import GRID, OTHER_GRID
from tests.sync.conftest import Place, network, picture
from tests.sync.test_faults import rows, save, visits_on_server
from tests.sync.wsgi import Killed

PATIENCE = 30.0  # seconds after which a thread is stuck


def behind_proxy(place: Place, phone: Phone) -> Proxy:
    """Put a bad line between this phone and the server."""
    port = urlsplit(place.url).port
    assert port is not None
    line = Proxy(lambda: port)
    with phone._store.writing() as store:
        store.execute("UPDATE meta SET value = ? WHERE name = 'server'", (line.url,))
    return line


def in_threads(*deeds: Callable[[], Any]) -> list[threading.Thread]:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    return threads


def test_a_commit_that_others_overtake_is_not_skipped(place: Place, database: str) -> None:
    """A reader must never pass a number that is taken and not yet committed."""
    reader, writer = place.phone("reader"), place.phone("writer")
    home = place.world.households[0]
    held, gate = threading.Event(), threading.Event()

    def late() -> None:
        with place.app.app_context():

            def wait(_session: object) -> None:
                held.set()
                gate.wait(PATIENCE)

            event.listen(db.session(), "before_commit", wait, once=True)
            edit = Operation(
                SET, "household", home, place.world.partition, 1, 1, fields={"note": (None, "晚到")}
            )
            transact.submit(place.world.users["supervisor"], [edit])

    threads = in_threads(late)
    assert held.wait(PATIENCE)
    save(writer, place, "赶上来", 1)
    threads += in_threads(writer.sync)  # takes later numbers of the same partition
    if database == "postgresql":
        _wait_for_a_lock(place)
        reader.sync()  # reads while the earlier number is still open
        assert reader.household(home).values.get("note") is None
    gate.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert reader.sync().complete
    assert reader.household(home).values["note"] == "晚到"
    assert [v.note for v in reader.household(place.world.households[1]).visits] == ["赶上来"]


def _wait_for_a_lock(place: Place) -> None:
    """Until somebody queues behind the open transaction."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = time.monotonic() + PATIENCE
    with place.app.app_context(), db.engine.connect() as connection:
        while not connection.execute(query).scalar():
            assert time.monotonic() < deadline, "nobody waits: there is no lock"
            connection.rollback()
            time.sleep(0.01)


def test_what_is_written_during_a_first_download_comes_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seam between the first download and what follows."""
    writer, phone = place.phone("writer"), place.open("new")
    phone.enrol_by_code(place.url, place.code(), "new")
    save(writer, place, "下载途中写的")
    writer.edit("household", place.world.households[2], {"note": "下载途中改的"})
    real, done = feed.lines, threading.Event()

    def lines(*arguments: Any, **more: Any) -> Any:
        if not done.is_set():
            done.set()
            for thread in in_threads(writer.sync):
                thread.join(PATIENCE)
        return real(*arguments, **more)

    monkeypatch.setattr(feed, "lines", lines)
    assert phone.sync().complete
    assert visits_on_server(place) == 1
    assert phone.sync().complete
    assert rows(phone) == rows(writer)
    assert phone.status().repairs == 0


def test_two_new_records_of_one_door_are_both_kept(place: Place) -> None:
    """Nothing but ids is unique, so nothing collides."""
    one, two = place.phone("one"), place.phone("two")
    door = {"compound_id": place.world.compound, "building": "9", "unit": "1", "door": "101"}
    for phone, name in ((one, "甲"), (two, "乙")):
        phone.add_household(HouseholdDraft({**door, "contact_name": name}))
    for phone in (one, two, one):
        assert phone.sync().complete
    assert rows(one) == rows(two)
    names = [doc["contact_name"] for _, _, doc in rows(one).values() if doc.get("building") == "9"]
    assert sorted(names) == ["乙", "甲"]


def test_an_old_push_that_arrives_after_a_newer_one_changes_nothing(place: Place) -> None:
    """Requests overtake each other in the network."""
    phone = place.phone()
    line = behind_proxy(place, phone)
    armed = line.arm("hold", protocol.PUSH)
    save(phone, place, "第一条")
    assert not phone.sync().complete
    assert armed.fired.is_set()
    save(phone, place, "第二条", 1)
    assert phone.sync().complete, "the old push arrives when this one has been answered"
    line.heal()
    assert phone.sync().complete
    assert visits_on_server(place) == 2
    line.close()


@pytest.mark.parametrize("kind", ["lose_response", "duplicate", "cut_request", "cut_response"])
@pytest.mark.parametrize("path", [protocol.PUSH, protocol.PULL, protocol.PHOTOS])
def test_a_request_that_meets_an_accident_is_done_once(place: Place, kind: str, path: str) -> None:
    """Lost, doubled, cut in the middle of a body, on every road."""
    phone = place.phone()
    line = behind_proxy(place, phone)
    photo = phone.prepare_photo(picture())
    visit_id = save(phone, place, "一次", 0, DraftPhoto(photo))
    armed = line.arm(kind, path)
    phone.sync()
    assert armed.fired.is_set()
    for _ in range(2):
        report = phone.sync()
    assert report.complete, report
    assert visits_on_server(place) == 1
    assert [p.state for p in phone.visit(visit_id).photos] == ["verified"]
    with place.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Quarantined)) == 0
    line.close()


def test_two_uploads_of_one_photo_at_once_do_not_spoil_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each upload has a file of its own; whoever is first has verified it."""
    monkeypatch.setattr(protocol, "PHOTO_CHUNK", 40_000)
    one, two = place.phone("one"), place.phone("two")
    noise = picture()
    photos = [phone.prepare_photo(noise) for phone in (one, two)]
    visits = [
        save(phone, place, "同一张", n, DraftPhoto(photos[n])) for n, phone in enumerate((one, two))
    ]
    for phone in (one, two):
        phone.sync(photos=False)
    meet = threading.Barrier(2, timeout=PATIENCE)
    real = Client.photo_chunk

    def together(self: Client, *arguments: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            meet.wait()
        return real(self, *arguments)

    monkeypatch.setattr(Client, "photo_chunk", together)
    threads = in_threads(one.sync, two.sync)
    for thread in threads:
        thread.join(PATIENCE)
    meet.abort()
    for phone in (one, two):
        phone.sync()
        assert phone.sync().complete
    for phone, visit_id in zip((one, two), visits, strict=True):
        assert [p.state for p in phone.visit(visit_id).photos] == ["verified"]


def test_a_sync_on_a_full_disk_leaves_the_phone_as_it_was(place: Place) -> None:
    """Half a write, then emptiness sent as the truth: never."""
    other, phone = place.phone("other"), place.phone("full")
    save(phone, place, "发得出去")
    for number in range(40):
        save(other, place, f"{number}" + "长" * 3000, number % 4)
    assert other.sync().complete
    before = rows(phone)
    writer = phone._store._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")
    report = phone.sync()
    assert "disk_full" in {t.code for t in report.troubles}
    assert before.keys() <= rows(phone).keys(), "nothing has gone"
    writer.execute(f"PRAGMA max_page_count = {2**30}")
    assert phone.sync().complete
    assert other.sync().complete
    assert visits_on_server(place) == 41
    assert rows(phone) == rows(other)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_phone_killed_at_any_commit_of_its_store_goes_on(place: Place) -> None:
    """Every step of one sync is tried, before and after its commit; one database will do."""
    witness = place.phone("witness")
    done = steps = 0
    while not done:
        for after in (False, True):
            name = f"phone{steps}{after}"
            phone = place.phone(name)
            save(phone, place, f"{name} 的走访", 0, DraftPhoto(phone.prepare_photo(picture("red"))))
            phone.edit("household", place.world.households[3], {"note": name})
            done = not _killed_at(phone, steps, after)
            phone.close()
            again = place.open(name)
            for _ in range(2):
                report = again.sync()
            assert report.complete, (steps, after, report)
            witness.sync()
            assert rows(again) == rows(witness), (steps, after)
            notes = [v.note for v in again.visits()]
            assert notes.count(f"{name} 的走访") == 1
        steps += 1
    assert steps > 5
    assert visits_on_server(place) == 2 * steps


def _killed_at(phone: Phone, step: int, after: bool) -> bool:
    """Sync, and be killed at a commit; False if there were fewer of them."""
    real, left = phone._store.writing, step

    @contextmanager
    def writing() -> Any:
        nonlocal left
        with real() as store:
            yield store
            left -= 1
            if left == -1 and not after:
                raise Killed
        if left == -1 and after:
            raise Killed

    phone._store.writing = writing  # type: ignore[method-assign]
    try:
        phone.sync()
    except Killed:
        return True
    return False


def test_a_server_that_dies_before_its_commit_has_done_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push is one commit: what had been written is gone, and comes again whole."""
    phone = place.phone()
    save(phone, place, "第一条")
    save(phone, place, "第二条", 1)
    real = transact.keep_receipts
    deaths = iter([True])

    def dies(*arguments: Any, **more: Any) -> None:
        real(*arguments, **more)
        if next(deaths, False):
            arguments[0].connection().invalidate()
            raise ConnectionError("the process is gone")

    monkeypatch.setattr(transact, "keep_receipts", dies)
    phone.sync()
    assert phone.sync().complete
    assert visits_on_server(place) == 2
    with place.app.app_context():
        assert len(db.session.scalars(select(Receipt.id)).all()) == len(
            set(db.session.scalars(select(Receipt.id)))
        )


def test_work_that_comes_a_week_after_the_hand_over_is_held_and_counts_once_released(
    place: Place,
) -> None:
    """Neither applied blindly nor dropped; its author is credited."""
    from server.operations import release

    phone = place.phone()
    visit_id = save(phone, place, "两周前写的")
    with place.app.app_context():
        accounts.unassign(place.world.users["worker"], GRID)
        accounts.assign(place.world.users["worker"], OTHER_GRID)
        with write() as session:
            past = session.scalars(select(Assignment).where(Assignment.to_at.is_not(None))).one()
            past.to_at -= (protocol.LATE_DAYS + 1) * 24 * 3600 * 1000
    phone.sync()
    item = next(i for i in phone.status().items if i.about_id == visit_id)
    assert (item.place, item.code) == ("held", "late_handover")
    assert visits_on_server(place) == 0
    with place.app.app_context():
        kept = db.session.scalars(select(Quarantined)).one()
        assert release.release(place.world.users["supervisor"], kept.id) == "applied"
        visit = db.session.get(Visit, visit_id)
        assert visit is not None and visit.created_by == place.world.users["worker"]
    assert phone.sync().complete
    assert {i.place for i in phone.status().items} <= {"applied", "settled"}


def test_a_visit_to_a_home_that_was_deleted_meanwhile_brings_it_back_and_tells(
    place: Place,
) -> None:
    """A creation on the phone is not destroyed by a delete it had not seen."""
    phone = place.phone()
    network(phone).down = True
    visit_id = save(phone, place, "还住着人")
    home = place.world.households[0]
    with place.app.app_context():
        held = db.session.get(Household, home)
        assert held is not None
        delete = Operation("delete", "household", home, held.partition_id, held.seq, held.rev)
        transact.submit(place.world.users["supervisor"], [delete])
    network(phone).down = False
    phone.sync()
    assert phone.sync().complete
    assert phone.visit(visit_id).row.note == "还住着人"
    assert [c.field for c in phone.conflicts()] == ["deleted"]
    with place.app.app_context():
        changes = db.session.scalars(select(Change).where(Change.record_id == home)).all()
        assert [c.changes.get("deleted") for c in changes] == [[False, True], [True, False]]
