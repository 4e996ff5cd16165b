"""Photos on their way: which go first and how many at once, what stops one, when one is safe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from mobile.core import retry
from mobile.storage import photos, queue
from mobile.sync.phone import DraftPhoto, Phone, ProblemDraft, SyncProgress, VisitDraft
from mobile.sync.upload import Sending, upload
from server.storage.database import db
from server.storage.models import Photo
from shared import protocol
from tests.mobile.killed import comes_to_its_end
from tests.sync.conftest import HandClock, Network, Place, network, picture

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PIECE = 16 * 1024


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that photos of a test go in several pieces."""
    monkeypatch.setattr(protocol, "PHOTO_CHUNK", PIECE)


def visit(phone: Phone, place: Place, *sides: int) -> tuple[str, list[str]]:
    """A visit with photos of these sizes; its id and their hashes."""
    ready = [phone.prepare_photo(picture(side=side)) for side in sides]
    values = {**phone.new_visit(place.world.households[0]).values, "outcome": "met"}
    taken = tuple(DraftPhoto(one) for one in ready)
    return phone.save_visit(VisitDraft(values, taken)), [one.sha256 for one in ready]


def state(phone: Phone, sha256: str) -> dict[str, Any]:
    with phone._store.reading() as db:
        return dict(db.execute("SELECT * FROM photo WHERE sha256 = ?", (sha256,)).fetchone())


Send = Callable[..., requests.Response]


@contextmanager
def through(
    phone: Phone, wrapped: Callable[[Send, str, str, dict[str, Any]], Any]
) -> Iterator[None]:
    """Requests go through ``wrapped(send, method, path, more)``."""
    line = network(phone)
    real = line.request

    def request(method: str, url: str, **more: Any) -> Any:
        path = url[url.index("/api") :]
        return wrapped(lambda: real(method, url, **more), method, path, more)

    line.request = request  # type: ignore[method-assign]
    try:
        yield
    finally:
        line.request = real  # type: ignore[method-assign]


def is_photo(path: str) -> bool:
    return path.startswith(protocol.PHOTOS)


def test_two_photos_go_side_by_side_or_one_alone(place: Place) -> None:
    """With two lanes both first requests meet; with one, no two are ever under way."""
    phone = place.phone()
    for lanes in (1, 2):
        visit(phone, place, 120, 121, 122)
        assert most_at_once(phone, lanes) == lanes


def most_at_once(phone: Phone, lanes: int) -> int:
    """Sync; how many requests about photos were under way at the same time."""
    meet = threading.Barrier(2, timeout=20)
    lock, now, most = threading.Lock(), [0], [0]

    def watched(send: Send, method: str, path: str, _: dict[str, Any]) -> Any:
        if not is_photo(path):
            return send()
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        try:
            if lanes == 2 and method == "POST" and not meet.broken:
                meet.wait()
                meet.abort()  # they have met: that is enough
            return send()
        except threading.BrokenBarrierError:
            return send()
        finally:
            with lock:
                now[0] -= 1

    with through(phone, watched):
        report = phone.sync(lanes=lambda: lanes)
    assert report.complete and report.photos == 3
    return most[0]


def test_urgent_problems_go_before_all_then_the_smallest(place: Place) -> None:
    phone = place.phone()
    _, (large, small) = visit(phone, place, 300, 60)
    urgent = phone.prepare_photo(picture(side=240))
    values = {
        "category": "leak",
        "description": "漏水",
        "place": "1号楼",
        "concern_tags": ["urgent"],
    }
    phone.report_problem(ProblemDraft(values, (DraftPhoto(urgent),)))
    seen: list[str] = []

    def look(now: SyncProgress) -> None:
        if now.photo and now.photo.sha256 not in seen:
            seen.append(now.photo.sha256)

    assert phone.sync(look).complete
    assert seen == [urgent.sha256, small, large]


def test_text_goes_and_photos_wait_for_wifi_then_go_on_from_where_they_were(place: Place) -> None:
    phone = place.phone()
    visit_id, (sha,) = visit(phone, place, 300)
    size = state(phone, sha)["size"]
    report = phone.sync(lanes=lambda: 0)
    assert report.pushed == 1 and report.photos == 0
    assert phone.visit(visit_id).row.place == "applied"
    assert not any(is_photo(path) for _, path in network(phone).seen)
    sent: list[int] = []

    def count(send: Send, method: str, path: str, more: dict[str, Any]) -> Any:
        if method == "PATCH":
            sent.append(len(more["data"]))
        return send()

    left = [2]

    def going_out_of_reach() -> int:
        return 1 if len(sent) < left[0] else 0

    with through(phone, count):
        phone.sync(lanes=going_out_of_reach)
        (waiting,) = phone.status().photos_waiting
        assert (waiting.state, waiting.sent, waiting.size) == ("uploading", 2 * PIECE, size)
        left[0] = 1000
        assert phone.sync(lanes=going_out_of_reach).complete
    assert sum(sent) == size, "no byte twice"
    assert phone.visit(visit_id).row.safe


def broken_line(sha_of_url: dict[str, str], sha: str) -> Callable[..., Any]:
    """A line that turns a bit in each piece of one photo."""

    def broken(send: Send, method: str, path: str, more: dict[str, Any]) -> Any:
        if method == "PATCH" and path == sha_of_url.get(sha) and more["data"]:
            more["data"] = bytes([more["data"][0] ^ 1]) + more["data"][1:]
        return send()

    return broken


def test_one_photos_own_trouble_stops_no_other_and_waits_its_turn(place: Place) -> None:
    phone = place.phone()
    _, (bad, good) = visit(phone, place, 100, 260)
    urls: dict[str, str] = {}

    def look(now: SyncProgress) -> None:
        if now.photo:
            with phone._store.reading() as db:
                urls[now.photo.sha256] = queue.upload_url(db, now.photo.sha256) or ""

    clock = phone._clock
    assert isinstance(clock, HandClock)
    with through(phone, broken_line(urls, bad)):
        report = phone.sync(look)
        assert [one.code for one in report.troubles] == ["checksum_mismatch"] and report.photos == 1
        assert state(phone, good)["verified_at"] and not state(phone, bad)["verified_at"]
        at = state(phone, bad)["retry_at"]
        assert retry.FIRST_MS // 2 <= at - clock.now <= retry.FIRST_MS
        before = len(network(phone).seen)
        phone.sync(by_itself=True)
        assert not any(is_photo(path) for _, path in network(phone).seen[before:]), "not yet"
        clock.now = at
        phone.sync(look, by_itself=True)
    again = state(phone, bad)
    assert again["tries"] == 2 and again["retry_at"] - clock.now > retry.FIRST_MS // 2
    assert phone.sync().complete, "a person who asks does not wait"
    assert state(phone, bad)["state"] == "verified"


def test_the_wait_is_spread_by_chance_and_counts_from_the_clock(place: Place) -> None:
    phone = place.phone()
    _, (sha,) = visit(phone, place, 100)
    phone.sync(photos=False)
    now = 1_900_000_000_000
    path = photos.path_of(phone._store.folder, sha)
    aside = path.rename(path.with_suffix(".aside"))
    path.mkdir()  # there, and cannot be read
    for tries, jitter, share in ((1, 0.0, 0.5), (2, 0.999999, 1.0), (3, 0.5, 0.75)):
        how = Sending(lambda: 1, lambda *_: None, now, lambda chance=jitter: chance)
        result = upload(phone._store, phone._runner.connect(), how)
        assert [one.code for one in result.troubles] == ["unreadable"]
        wait = retry.FIRST_MS * 2 ** (tries - 1) * share
        assert state(phone, sha)["retry_at"] == pytest.approx(now + wait, abs=2)
        assert state(phone, sha)["state"] == "waiting", "it is not given up"
    path.rmdir()
    aside.rename(path)
    assert phone.sync().complete and state(phone, sha)["state"] == "verified"


def test_a_photo_that_is_gone_from_the_phone_is_told_and_asked_for_no_more(place: Place) -> None:
    phone = place.phone()
    visit_id, (sha,) = visit(phone, place, 100)
    photos.path_of(phone._store.folder, sha).unlink()
    assert [one.code for one in phone.sync().troubles] == ["missing"]
    assert phone.visit(visit_id).photos[0].state == "missing" and not phone.visit(visit_id).row.safe
    assert phone.sync().complete, "nothing is left to be done"
    assert [one.state for one in phone.status().photos_waiting] == ["missing"]


@pytest.mark.parametrize("first", ["photo", "record"])
def test_safe_is_said_only_when_record_and_photos_were_both_pulled(
    place: Place, first: str
) -> None:
    phone = place.phone()
    visit_id, (one, two) = visit(phone, place, 80, 90)
    line = network(phone)
    if first == "record":
        phone.sync(photos=False)
    else:
        seen = []

        def no_pull_after_photos(_: str, path: str) -> None:
            seen.append(path)
            if path == protocol.PULL and any(is_photo(p) for p in seen):
                raise requests.ConnectionError("cut")

        line.before = no_pull_after_photos
        phone.sync()
        line.before = None
        assert state(phone, one)["state"] == state(phone, two)["state"] == "verified"
    row = phone.visit(visit_id).row
    assert (row.place, row.photos_left, row.safe) == ("applied", 2, False)
    assert phone.status().photos_verified == 0
    assert [p.state for p in phone.status().photos_waiting] == [
        "verified" if first == "photo" else "waiting"
    ] * 2
    assert phone.sync().complete
    row = phone.visit(visit_id).row
    assert (row.photos_left, row.safe) == (0, True) and phone.status().photos_verified == 2


def test_bytes_that_spoil_on_the_server_are_sent_again(place: Place) -> None:
    phone = place.phone()
    visit_id, (sha,) = visit(phone, place, 200)
    assert phone.sync().complete
    with phone._store.writing() as db:
        photos.pulled_states(db, {}, 0)
        db.execute("UPDATE photo SET verified_at = NULL WHERE sha256 = ?", (sha,))
        photos.pulled_states(db, {sha: "corrupt"}, 0)
        assert [one.sha256 for one in queue.to_send(db)] == [sha]
    assert phone.sync().complete
    assert phone.visit(visit_id).row.safe and phone.status().photos_waiting == ()


@pytest.mark.skipif("not hasattr(os, 'fork')", reason="kills by fork")
def test_killed_between_any_two_steps_of_sending_a_photo(place: Place) -> None:
    """Each time another photo; the phone that is opened again brings it to its end, once."""
    phone = place.phone()
    phone.close()
    folder = phone._store.folder

    def opened(at: Path) -> Phone:
        return Phone.open(at, clock=HandClock(), http=Network())

    def send(at: Path) -> None:
        one = opened(at)
        upload(one._store, one._runner.connect(), Sending(lambda: 1, lambda *_: None, 1, lambda: 0))
        one.sync()

    killed = []
    for n in (*range(14, 38, 4), 70, 130):  # opening takes a dozen steps, sending two dozen
        one = opened(folder)
        visit_id, (sha,) = visit(one, place, 60 + n % 50)
        one.sync(photos=False)
        one.close()
        assert not comes_to_its_end(folder, send, n)
        again = opened(folder)
        killed.append(state(again, sha)["state"])
        assert again.sync().complete
        assert again.visit(visit_id).row.safe and again.status().photos_waiting == ()
        assert list((folder / "photos").rglob("*.part")) == []
        again.close()
    assert {"waiting", "uploading", "verified"} == set(killed)
    with place.app.app_context():
        states = list(db.session.scalars(select(Photo.state)))
        assert states == ["verified"] * len(killed)
