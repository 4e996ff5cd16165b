"""Taking a photo: the draft first, then the camera; whatever happens between, nothing is lost."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from mobile.core.errors import PhotoInvalid, SaveFailed
from mobile.storage import photos
from mobile.storage.store import FILE, Store
from mobile.sync.phone import Capture, DraftPhoto, Phone, VisitDraft
from tests.mobile.conftest import FakeFeed, HandClock
from tests.mobile.killed import copies
from tests.mobile.test_feed import HOME, home

DAY = 86_400_000
KEY = f"visit:{HOME}"
TYPED = {"note": "灯坏了"}
ROAD = ("visit_form", {"household_id": HOME})
HERE = {"lat": 34.7, "lng": 113.6, "accuracy": 12.0}
forks = pytest.mark.skipif("not hasattr(os, 'fork')", reason="kills by fork")


def picture(colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


def begin(phone: Phone, kept: tuple[DraftPhoto, ...] = ()) -> Capture:
    return phone.begin_photo(KEY, TYPED, kept, phase="before", road=ROAD)


def kept(phone: Phone) -> tuple[DraftPhoto, ...]:
    draft = phone.draft(KEY)
    assert draft is not None and draft.values == TYPED
    return draft.photos


def files(phone: Phone) -> dict[str, int]:
    """How many files lie where cameras write, and where photos are kept."""
    folder = phone._store.folder
    found = {name: folder / name for name in ("photos_in", "photos")}
    return {name: sum(p.is_file() for p in at.rglob("*")) for name, at in found.items()}


def test_the_draft_is_on_the_disk_before_the_camera_opens(phone: Phone) -> None:
    capture = begin(phone)
    assert kept(phone) == () and capture.path.parent.is_dir() and not capture.path.exists()
    assert (capture.page, capture.args, capture.phase) == (*ROAD, "before")


def test_a_photo_enters_its_draft_and_the_cameras_own_file_goes(phone: Phone) -> None:
    capture = begin(phone)
    capture.path.write_bytes(picture())
    taken = phone.take_in(capture.id, position=HERE)
    assert taken is not None and kept(phone) == (taken,)
    assert (taken.phase, taken.taken_at, taken.position) == ("before", capture.begun_at, HERE)
    assert files(phone) == {"photos_in": 0, "photos": 1}
    assert phone.take_in(capture.id) is None, "it is not taken twice"
    assert len(kept(phone)) == 1


def test_a_file_chosen_elsewhere_stays_where_it_is(phone: Phone, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.jpg"
    theirs.write_bytes(picture())
    assert phone.take_in(begin(phone).id, theirs) is not None
    assert theirs.exists() and files(phone)["photos_in"] == 0


def test_several_photos_stand_in_the_order_in_which_they_were_taken(phone: Phone) -> None:
    taken: tuple[DraftPhoto, ...] = ()
    for colour in ("red", "green", "blue"):
        capture = begin(phone, taken)
        capture.path.write_bytes(picture(colour))
        one = phone.take_in(capture.id)
        assert one is not None
        taken = (*taken, one)
    assert kept(phone) == taken


@pytest.mark.parametrize(
    ("data", "code"),
    [(picture()[:200], "broken"), (b"<html>", "unknown_kind"), (b"", "empty")],
)
def test_a_broken_photo_is_told_and_the_visit_is_saved_without_it(
    phone: Phone, server: FakeFeed, data: bytes, code: str
) -> None:
    server.send(home(server), server.checkpoint())
    capture = begin(phone)
    capture.path.write_bytes(data)
    with pytest.raises(PhotoInvalid) as caught:
        phone.take_in(capture.id)
    assert caught.value.code == code and caught.value.message_zh and caught.value.message_en
    assert files(phone) == {"photos_in": 0, "photos": 0} and kept(phone) == ()
    values = {**phone.new_visit(HOME).values, **TYPED, "outcome": "met"}
    visit = phone.save_visit(VisitDraft(values, kept(phone)), KEY)
    assert phone.visit(visit).values["note"] == "灯坏了" and phone.drafts() == []


def test_a_full_disk_loses_neither_note_nor_photo(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = begin(phone)
    capture.path.write_bytes(picture())

    def full(_: Store, __: object) -> Path:
        raise SaveFailed("disk_full", "手机存储空间已满", "The phone is full")

    with monkeypatch.context() as patch, pytest.raises(SaveFailed):
        patch.setattr(photos, "put", full)
        phone.take_in(capture.id)
    assert capture.path.exists()
    assert [one.trouble for one in phone.photos_left_behind()] == [None]
    assert len(kept(phone)) == 1


def test_a_photo_for_a_draft_that_was_thrown_away_goes_nowhere(phone: Phone) -> None:
    capture = begin(phone)
    capture.path.write_bytes(picture())
    phone.drop_draft(KEY)
    assert phone.take_in(capture.id) is None and phone.draft(KEY) is None
    photos.sweep_loose(phone._store, phone._clock.wall() + 4000 * DAY)
    assert files(phone) == {"photos_in": 0, "photos": 0}


def test_what_was_taken_while_the_app_was_ended_is_in_its_draft(phone: Phone) -> None:
    capture = begin(phone)
    capture.path.write_bytes(picture())
    (found,) = phone.photos_left_behind()
    assert (found.page, found.args, found.trouble) == (*ROAD, None)
    assert len(kept(phone)) == 1 and files(phone) == {"photos_in": 0, "photos": 1}
    assert phone.photos_left_behind() == []


def test_half_a_photo_that_was_left_is_told_and_does_not_come_back(phone: Phone) -> None:
    capture = begin(phone)
    capture.path.write_bytes(picture()[:300])
    (found,) = phone.photos_left_behind()
    assert isinstance(found.trouble, PhotoInvalid) and kept(phone) == ()
    assert phone.photos_left_behind() == [] and files(phone)["photos_in"] == 0


def test_a_camera_that_is_still_open_is_left_in_peace(phone: Phone) -> None:
    capture = begin(phone)
    capture.path.write_bytes(picture())
    assert phone.photos_left_behind({capture.id}) == []
    assert capture.path.exists() and kept(phone) == ()
    assert phone.take_in(capture.id) is not None


def test_a_note_without_a_file_waits_a_day_and_no_longer(phone: Phone) -> None:
    capture = begin(phone)
    phone._clock.now += DAY - 1000  # type: ignore[attr-defined]
    phone.photos_left_behind()
    capture.path.write_bytes(picture())
    assert len(phone.photos_left_behind()) == 1, "the camera was slow"
    late = begin(phone, kept(phone))
    phone._clock.now += DAY  # type: ignore[attr-defined]
    assert phone.photos_left_behind() == []
    late.path.write_bytes(picture("red"))
    assert phone.photos_left_behind() == [] and files(phone)["photos_in"] == 0


def test_a_photo_in_the_camera_survives_a_damaged_store(phone: Phone, server: FakeFeed) -> None:
    server.send(home(server), server.checkpoint())
    capture = begin(phone)
    capture.path.write_bytes(picture())
    phone.close()
    with (phone._store.folder / FILE).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096)
    again = Phone.open(phone._store.folder, clock=HandClock())
    assert again.recovered is not None
    again.photos_left_behind()
    assert len(kept(again)) == 1
    again.close()


def opened(folder: Path) -> Phone:
    return Phone.open(folder, clock=HandClock())


@forks
@pytest.mark.parametrize("before", ["camera", "taking in"])
def test_killed_at_any_step_of_taking_a_photo(phone: Phone, server: FakeFeed, before: str) -> None:
    """Before the camera: what was typed or nothing was asked. After it: the photo, once."""
    server.send(home(server), server.checkpoint())
    if before == "taking in":
        begin(phone).path.write_bytes(picture())
    phone.close()

    def take(folder: Path) -> None:
        one = opened(folder)
        with one._store.reading() as db:
            noted = db.execute("SELECT id FROM capture").fetchone()
        if noted is None:
            capture = begin(one)
            (folder / "in the camera").write_bytes(picture())
            os.replace(folder / "in the camera", capture.path)
        else:
            one.take_in(noted[0])

    seen = set()
    every = 1 if before == "camera" else 2
    for copy in copies(phone._store.folder, take, every):
        again = opened(copy)
        written = files(again)["photos_in"]
        again.photos_left_behind()
        draft = again.draft(KEY)
        seen.add(0 if draft is None else 1 + len(draft.photos))
        assert draft is None or draft.values == TYPED
        if before == "taking in" or written:
            assert draft is not None and len(draft.photos) == 1
            assert again.picture(draft.photos[0].photo.path)
        photos.sweep_loose(again._store, again._clock.wall() + 4000 * DAY)
        left = len(draft.photos) if draft else 0
        assert files(again) == {"photos_in": 0, "photos": left}
        again.close()
    assert seen == ({0, 1, 2} if before == "camera" else {2})


@forks
def test_killed_while_giving_a_photo_up(phone: Phone) -> None:
    capture = begin(phone)
    capture.path.write_bytes(picture())
    phone.close()

    def give_up(folder: Path) -> None:
        opened(folder).give_up_photo(capture.id)

    for copy in copies(phone._store.folder, give_up, every=3):
        again = opened(copy)
        again.photos_left_behind()
        assert len(kept(again)) in (0, 1) and files(again)["photos_in"] == 0
        again.close()
