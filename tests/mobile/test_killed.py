"""Killed between any two steps: nothing half-done, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobile.storage import lock
from mobile.storage.store import FILE, WIPING
from mobile.storage.vault import DEVICE_KEY, FileKeeper, open_vault
from mobile.sync.phone import DraftPhoto, Phone, VisitDraft
from tests.mobile.conftest import FakeFeed, HandClock
from tests.mobile.killed import copies
from tests.mobile.test_feed import HOME, home
from tests.mobile.test_sealed import at_work, on_disk, picture, released

pytestmark = pytest.mark.skipif("not hasattr(os, 'fork')", reason="kills by fork")


def opened(folder: Path) -> Phone:
    return Phone.open(folder, clock=HandClock())


def test_killed_while_updating_the_app(tmp_path: Path) -> None:
    released("0.1.0", tmp_path / "phone")
    for copy in copies(tmp_path / "phone", lambda folder: opened(folder).close(), every=3):
        phone = opened(copy)
        assert phone.recovered is None
        assert (phone.status().waiting, len(phone.drafts()), len(phone.visits())) == (4, 1, 3)
        photo = next(v for v in phone.visits() if v.photos)
        path = phone.visit(photo.id).photos[0].path
        assert path is not None and phone.picture(path)
        phone.close()
        left = on_disk(copy)
        assert "没发的".encode() not in left and b"JFIF" not in left


def test_killed_while_saving_a_visit_with_a_photo(phone: Phone, server: FakeFeed) -> None:
    """The visit is in the journal, or its draft is still there."""
    server.send(home(server), server.checkpoint())
    photo = DraftPhoto(phone.prepare_photo(picture()))
    phone.keep_draft("visit:x", {"note": "写好了"}, (photo,))
    phone.close()

    def save(folder: Path) -> None:
        one = opened(folder)
        draft = one.drafts()[0]
        values = {**one.new_visit(HOME).values, "outcome": "met", **draft.values}
        one.save_visit(VisitDraft(values, draft.photos), "visit:x")

    seen = set()
    for copy in copies(phone._store.folder, save, every=2):
        again = opened(copy)
        status = again.status()
        seen.add(status.waiting)
        assert (status.waiting, status.photos, len(again.drafts())) in ((0, 0, 1), (1, 1, 0))
        kept = again.visits()[0].note if status.waiting else again.drafts()[0].values["note"]
        assert kept == "写好了"
        again.close()
    assert seen == {0, 1}


def test_killed_while_pulling(phone: Phone, server: FakeFeed) -> None:
    """Rows and cursor move together: the same pull again makes it whole."""
    at_work(phone, server)
    changed = home(server, 2, note="新的")
    lines = (changed, server.checkpoint())
    phone.close()

    def pull(folder: Path) -> None:
        server.phone = opened(folder)
        server.send(*lines)

    for copy in copies(phone._store.folder, pull, every=4):
        pull(copy)
        again = server.phone
        assert again.household(HOME).values["note"] == "王秀兰 13812341234", "mine on top"
        assert again.status().waiting == 3 and again.status().repairs == 0
        again.close()


def test_killed_while_wiping(phone: Phone, server: FakeFeed) -> None:
    """A wipe that was begun is finished at the next opening."""
    at_work(phone, server)
    phone.close()
    begun = 0
    for copy in copies(phone._store.folder, lambda folder: opened(folder).wipe(), every=4):
        wiping = (copy / WIPING).exists()
        again = opened(copy)
        if wiping or not again.enrolled:
            begun += 1
            assert not again.enrolled and again.households() == [] and again.drafts() == []
            assert not (copy / WIPING).exists() and not list(copy.rglob("*.jpg"))
            with again._store.reading() as db:
                numbers = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
                assert numbers.fetchone()[0] == 3
        else:
            assert again.status().waiting == 3
        again.close()
    assert begun > 3


def test_killed_while_rescuing(phone: Phone, server: FakeFeed) -> None:
    at_work(phone, server)
    phone.close()
    with (phone._store.folder / FILE).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096)
    damaged = phone._store.folder
    probe = opened(damaged)
    assert probe.recovered is not None
    left = probe.status().waiting
    probe.close()
    file_aside = probe.recovered.file
    (damaged / FILE).unlink()
    file_aside.rename(damaged / FILE)
    for copy in copies(damaged, lambda folder: opened(folder).close(), every=11):
        again = opened(copy)
        assert (again.status().waiting, len(again.drafts())) == (left, 1)
        again.close()


def test_killed_while_changing_the_pin(tmp_path: Path) -> None:
    """One of the two opens it at every moment, and no try is lost or given."""
    old, new, folder = "271828", "161803", tmp_path / "phone"
    folder.mkdir()

    def set_pin(at: Path, pin: str) -> None:
        lock.set_pin(at, open_vault(at, FileKeeper(at / DEVICE_KEY)), pin)

    lock.note(folder, "王五", ("zh", "day", "1.0"))
    set_pin(folder, old)
    seen = []
    for copy in copies(folder, lambda at: set_pin(at, new)):
        found = lock.state(copy)
        assert found is not None and found.has_pin and found.tries_left == lock.TRIES
        vault = open_vault(copy, FileKeeper(copy / DEVICE_KEY))
        opens = [pin for pin in (old, new) if lock.unlock(copy, vault, pin).tries_left == 5]
        assert len(opens) == 1
        seen += opens
    assert seen[0] == old and seen[-1] == new and seen == sorted(seen, key=[old, new].index)


def test_killed_while_a_pin_is_tried(tmp_path: Path) -> None:
    """A wrong try that was looked at counts, however the app ended."""
    pin, folder = "271828", tmp_path / "phone"
    folder.mkdir()
    vault = open_vault(folder, FileKeeper(folder / DEVICE_KEY))
    lock.note(folder, "王五", ("zh", "day", "1.0"))
    lock.set_pin(folder, vault, pin)
    left = []
    for copy in copies(folder, lambda at: lock.unlock(at, vault, "314159")):
        found = lock.state(copy)
        assert found is not None and found.has_pin
        left.append(found.tries_left)
        assert lock.unlock(copy, vault, pin).tries_left == lock.TRIES
    assert left == sorted(left, reverse=True) and set(left) == {5, 4}
