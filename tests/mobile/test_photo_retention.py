"""Originals leave the phone once they are safe, never before; a small picture stays in their place.

All by the server's clock: what the phone's own says decides nothing.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from mobile.storage import photos
from mobile.sync.phone import DraftPhoto, Phone, PhotoView, VisitDraft
from tests.mobile.conftest import PARTITION, START, FakeFeed, HandClock
from tests.mobile.killed import copies
from tests.mobile.test_feed import HOME, home

DAY = 86_400_000
VISIT = {"target_kind": "household", "target_id": HOME, "reason": "routine", "outcome": "met"}


def picture(side: int = 700) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((side, side // 2)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def visit(phone: Phone, server: FakeFeed) -> str:
    """A visit with one photo, saved on this phone."""
    server.send(home(server), server.checkpoint())
    photo = DraftPhoto(phone.prepare_photo(picture()))
    return phone.save_visit(VisitDraft(VISIT, (photo,)))


def photo_of(phone: Phone, visit: str) -> PhotoView:
    return phone.visit(visit).photos[0]


def verified(phone: Phone, server: FakeFeed, visit: str) -> None:
    server.send(photos={photo_of(phone, visit).sha256: "verified"}, server_time=START)


def kept_for(phone: Phone, days: float) -> bool:
    """Whether the original is still here so many days after the server's word."""
    photos.remove_originals(phone._store, START + int(days * DAY))
    return not phone.visit(phone.visits()[0].id).photos[0].small


def test_an_original_goes_seven_days_after_verified_was_pulled_and_not_before(
    phone: Phone, server: FakeFeed, visit: str
) -> None:
    phone._clock.now += 400 * DAY  # type: ignore[attr-defined]
    with phone._store.writing() as db:
        photos.keep_state(db, photo_of(phone, visit).sha256, "verified")
    assert kept_for(phone, 100), "the upload said so, but it was not pulled"
    verified(phone, server, visit)
    assert kept_for(phone, 6.999)
    whole = photo_of(phone, visit).path
    assert not kept_for(phone, 7)
    assert whole is not None and not whole.exists()
    assert phone.status().photos_verified == 1


def test_the_setting_keeps_originals_longer_never_shorter(
    phone: Phone, server: FakeFeed, visit: str
) -> None:
    verified(phone, server, visit)
    for setting, days in (("90", 90), ("30", 30), ("", 7), ("1", 7)):
        phone.keep_setting(photos.SETTING, setting)
        assert kept_for(phone, days - 0.01), setting
    assert not kept_for(phone, 7)


def test_what_is_not_verified_never_leaves(phone: Phone, server: FakeFeed, visit: str) -> None:
    for state in ("declared", "stored", "corrupt", "refused"):
        server.send(photos={photo_of(phone, visit).sha256: state}, server_time=START)
        assert kept_for(phone, 4000), state


def test_what_a_draft_holds_stays(phone: Phone, server: FakeFeed, visit: str) -> None:
    again = phone.prepare_photo(picture())
    phone.keep_draft("visit:y", {}, (DraftPhoto(again),))
    verified(phone, server, visit)
    assert kept_for(phone, 8)
    phone.drop_draft("visit:y")
    assert not kept_for(phone, 8)


def test_a_small_sealed_picture_stays_to_be_looked_at(
    phone: Phone, server: FakeFeed, visit: str
) -> None:
    verified(phone, server, visit)
    whole = photo_of(phone, visit).path
    assert whole is not None
    before = whole.stat().st_size
    assert not kept_for(phone, 7)
    left = photo_of(phone, visit)
    assert left.path is not None and left.path.stat().st_size < before
    assert b"JFIF" not in left.path.read_bytes()
    with Image.open(io.BytesIO(phone.picture(left.path))) as image:
        assert image.size == (320, 160)
    photos.sweep_loose(phone._store, START + 4000 * DAY)
    assert photo_of(phone, visit).small, "it is not swept while its visit shows it"


def test_the_small_picture_goes_with_its_visit(phone: Phone, server: FakeFeed, visit: str) -> None:
    photo = photo_of(phone, visit)
    verified(phone, server, visit)
    assert not kept_for(phone, 7)
    small = photo_of(phone, visit).path
    row = server.row("photo", photo.id, 2, owner_kind="visit", owner_id=visit, phase="scene",
                     sha256=photo.sha256, size=photo.size, replaced_by="another")  # fmt: skip
    server.send(row, server.checkpoint())
    assert phone.visit(visit).photos == (), "its place was taken by a redacted one"
    photos.sweep_loose(phone._store, phone._clock.wall() + 4000 * DAY)
    assert small is not None and not small.exists()


def test_an_original_that_was_redacted_leaves_nothing_behind(
    phone: Phone, server: FakeFeed, visit: str
) -> None:
    photo = photo_of(phone, visit)
    verified(phone, server, visit)
    row = server.row("photo", photo.id, 2, p=PARTITION, owner_kind="visit", owner_id=visit,
                     sha256=photo.sha256, size=photo.size, replaced_by="another")  # fmt: skip
    server.send(row, server.checkpoint())
    assert photos.remove_originals(phone._store, START + 7 * DAY) == 1
    assert pictures(phone._store.folder) == []


def test_a_damaged_original_that_is_safe_goes_without_a_small_one(
    phone: Phone, server: FakeFeed, visit: str
) -> None:
    verified(phone, server, visit)
    whole = photo_of(phone, visit).path
    assert whole is not None
    whole.write_bytes(b"damaged")
    assert photos.remove_originals(phone._store, START + 7 * DAY) == 1
    assert photo_of(phone, visit).path is None


def test_one_sync_removes_only_so_many(
    phone: Phone, server: FakeFeed, visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [DraftPhoto(phone.prepare_photo(picture(side))) for side in (60, 70, 80)]
    phone.save_visit(VisitDraft(VISIT, tuple(more)))
    every = {one.photo.sha256: "verified" for one in more}
    server.send(photos=every | {photo_of(phone, visit).sha256: "verified"}, server_time=START)
    monkeypatch.setattr(photos, "MOST_AT_ONCE", 3)
    done = [photos.remove_originals(phone._store, START + 7 * DAY) for _ in range(3)]
    assert done == [3, 1, 0]


@pytest.mark.skipif("not hasattr(os, 'fork')", reason="kills by fork")
def test_killed_while_originals_leave(phone: Phone, server: FakeFeed, visit: str) -> None:
    """At every step there is the original or the small one, and in the end one file alone."""
    verified(phone, server, visit)
    phone.close()

    def act(folder: Path) -> None:
        one = Phone.open(folder, clock=HandClock())
        photos.remove_originals(one._store, START + 7 * DAY)

    seen = set()
    for copy in copies(phone._store.folder, act, every=2):
        again = Phone.open(copy, clock=HandClock())
        photo = photo_of(again, visit)
        assert photo.path is not None and again.picture(photo.path)
        seen.add(photo.small)
        photos.remove_originals(again._store, START + 7 * DAY)
        photos.sweep_loose(again._store, again._clock.wall() + 4000 * DAY)
        assert [path.suffix for path in pictures(copy)] == [".small"]
        again.close()
    assert seen == {True, False}


def pictures(folder: Path) -> list[Path]:
    return [path for path in (folder / "photos").rglob("*") if path.is_file()]
