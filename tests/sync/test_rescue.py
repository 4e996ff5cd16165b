"""A damaged file on the phone, a vanished folder on the server: what can be saved is saved."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from mobile.storage import meta, photos
from mobile.storage.store import FILE
from mobile.sync.phone import DraftPhoto, EnrolFailed, Phone
from server.storage.database import db
from server.storage.tables import AuditEntry, Quarantined
from shared import protocol
from tests.sync.conftest import Place, network, picture
from tests.sync.test_faults import rows, save, visits_on_server

SENT, UNSENT = 3, 12
NOTE = "长" * 300  # so that the journal fills several pages


def pages_of(path: Path, table: str, kind: int) -> list[int]:
    """The numbers of a table's pages of a kind: 0x0D table leaf, 0x0A index leaf (no rowid)."""
    with sqlite3.connect(path) as store:
        root = store.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,))
        start = root.fetchone()[0]
        size = store.execute("PRAGMA page_size").fetchone()[0]
    store.close()
    data = path.read_bytes()
    page = data[(start - 1) * size : start * size]
    if page[0] == kind:
        return [start]
    count = int.from_bytes(page[3:5], "big")
    cells = [int.from_bytes(page[12 + 2 * i : 14 + 2 * i], "big") for i in range(count)]
    children = [int.from_bytes(page[at : at + 4], "big") for at in cells]
    return [*children, int.from_bytes(page[8:12], "big")]


def spoil(path: Path, page: int) -> None:
    """Overwrite a page."""
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)


def filled(place: Place) -> Phone:
    """A phone with work that was sent and more that was not, closed."""
    phone = place.phone("one")
    for number in range(SENT):
        save(phone, place, f"发过的{number}{NOTE}", number)
    assert phone.sync().complete
    network(phone).down = True
    for number in range(UNSENT):
        photo = DraftPhoto(phone.prepare_photo(picture(side=60 + number)))
        save(phone, place, f"没发的{number}{NOTE}", number % 4, photo)
    phone.keep_draft("visit:x", {"note": "写了一半"})
    phone.keep_setting("photos_on_wifi_only", "1")
    phone.note_look(place.world.households[0])
    phone.close()
    return phone


def device_of(phone: Phone) -> str:
    with phone._store.reading() as store:
        return meta.get(store, "device_id")


def test_a_page_overwritten_among_the_records_costs_nothing(place: Place) -> None:
    """What was not sent is saved, the rest comes again, under a new identity."""
    old = filled(place)
    before = old._store.folder
    path = before / FILE
    middle = pages_of(path, "record", 0x0D)
    spoil(path, middle[len(middle) // 2])
    phone = place.open("one")
    found = phone.recovered
    assert found is not None
    assert (found.waiting, found.lost, found.drafts, found.enrolled) == (UNSENT, 0, 1, True)
    assert found.photos == UNSENT
    assert found.file.exists() and found.file.name.startswith("phone-damaged-2026")
    assert phone.status().waiting == UNSENT and len(phone.visits()) == UNSENT
    assert phone.drafts()[0].values == {"note": "写了一半"}
    assert phone.setting("photos_on_wifi_only") == "1"
    device = device_of(phone)
    assert phone.sync().complete
    assert device_of(phone) != device
    assert visits_on_server(place) == SENT + UNSENT
    with place.app.app_context():
        (look,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "home.reveal"))
        assert look.target == place.world.households[0]
    assert rows(phone) == rows(place.phone("two"))
    status = phone.status()
    assert (status.photos, status.photos_verified, status.repairs) == (UNSENT, UNSENT, 0)
    phone.close()
    assert place.open("one").recovered is None


def test_a_page_overwritten_in_the_journal_costs_what_stood_on_it_and_says_so(
    place: Place,
) -> None:
    path = filled(place)._store.folder / FILE
    leaves = pages_of(path, "journal", 0x0D)
    assert len(leaves) > 3
    spoil(path, leaves[-2])
    phone = place.open("one")
    found = phone.recovered
    assert found is not None and found.lost > 0
    assert found.waiting + found.lost == UNSENT
    phone.sync()
    assert phone.sync().complete
    assert visits_on_server(place) == SENT + found.waiting
    with place.app.app_context():
        gaps = db.session.scalars(select(Quarantined).where(Quarantined.code == "gap")).all()
    assert len(gaps) == found.lost, "the supervisor sees that something was lost"
    assert found.photos <= UNSENT
    photos.sweep_loose(phone._store, phone._clock.wall() + 10**12)
    kept = list((phone._store.folder / "photos").rglob("*.jpg"))
    assert len(kept) == UNSENT, "also those that nothing names any more"


def test_a_phone_whose_identity_is_damaged_enrols_and_goes_on(place: Place) -> None:
    path = filled(place)._store.folder / FILE
    for page in pages_of(path, "meta", 0x0A):
        spoil(path, page)
    phone = place.open("one")
    found = phone.recovered
    assert found is not None and not found.enrolled and found.waiting == UNSENT
    assert not phone.enrolled
    with pytest.raises(EnrolFailed) as caught:
        phone.enrol_by_code(place.url, place.code("other"), "x")
    assert caught.value.code == "other_user"
    phone.enrol_by_code(place.url, place.code(), "x")
    assert phone.sync().complete
    assert visits_on_server(place) == SENT + UNSENT


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 999])
def test_a_file_that_is_no_database_is_set_aside(place: Place, content: bytes) -> None:
    folder = filled(place)._store.folder
    (folder / FILE).write_bytes(content)
    phone = place.open("one")
    assert not phone.enrolled
    if content:
        assert phone.recovered is not None and phone.recovered.file.read_bytes() == content
        photos.sweep_loose(phone._store, phone._clock.wall() + 10**12)
    phone.enrol_by_code(place.url, place.code(), "x")
    assert phone.sync().complete
    assert len(list((folder / "photos").rglob("*.jpg"))) == UNSENT


def test_a_rescue_that_is_killed_between_its_two_moves_goes_on(place: Place) -> None:
    folder = filled(place)._store.folder
    (folder / "rebuilding").mkdir()
    shutil.move(folder / FILE, folder / "rebuilding" / FILE)
    phone = place.open("one")
    assert phone.status().waiting == UNSENT
    assert phone.sync().complete


def test_damage_found_while_at_work_says_what_to_do(place: Place) -> None:
    from mobile.core.errors import SaveFailed

    phone = place.phone("one")
    with pytest.raises(SaveFailed) as caught, phone._store.writing():
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = 11
        raise error
    assert caught.value.code == "damaged"


def test_a_wipe_takes_what_was_set_aside_too(place: Place) -> None:
    path = filled(place)._store.folder / FILE
    spoil(path, pages_of(path, "record", 0x0D)[0])
    phone = place.open("one")
    assert phone.recovered is not None
    phone.wipe()
    assert not phone.recovered.file.exists()


def test_a_photo_folder_that_vanishes_under_the_server_costs_only_the_bytes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "PHOTO_CHUNK", 40_000)
    phone = place.phone()
    visit_id = save(phone, place, "有照片", 0, DraftPhoto(phone.prepare_photo(picture())))
    folder = place.app.config["GRIDLEDGER"].data / "photos"
    patches = []

    def vanish(method: str, _path: str) -> None:
        if method == "PATCH":
            patches.append(method)
            if len(patches) in (1, 3):
                shutil.rmtree(folder)

    network(phone).before = vanish
    report = phone.sync()
    assert "internal" not in {t.code for t in report.troubles}
    network(phone).before = None
    assert phone.sync().complete
    assert [p.state for p in phone.visit(visit_id).photos] == ["verified"]
