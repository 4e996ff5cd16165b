"""Photos sent with an action from the browser: as safe as the phones', all or nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from server.core.image_check import BadImage, check
from server.core.photo_cleaning import clean
from server.operations import action_photos, photo_sweep
from server.operations.clock import now_ms
from server.operations.photo_sweep import DAY_MS
from server.storage import blobs
from server.storage.database import db
from server.storage.models import Photo, Problem
from tests.web.conftest import Visitor
from tests.web.scene import Scene

JSON = {"Accept": "application/json"}


def _photo(size: tuple[int, int] = (400, 300), format_: str = "JPEG", shade: int = 120) -> bytes:
    """A picture held sideways, taken at noon of 2026-03-01 at a place that it names."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:03:01 12:00:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (34.0, 45.0, 0.0), "E", (113.0, 37.0, 0.0)
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 90, 60)).save(out, format_, exif=exif)
    return out.getvalue()


def _send(visitor: Visitor, problem: str, action: str = "request_closure", **more: Any) -> Any:
    """Send the form as the script does."""
    state, step = more.pop("state", "in_progress"), more.pop("step", 3)
    photos = [(io.BytesIO(data), "after.jpg") for data in more.pop("photos", [])]
    fields = {"csrf_token": visitor.token, "state": state, "step": str(step), **more}
    return visitor.client.post(
        f"/ledger/{problem}/{action}", data={**fields, "photos": photos}, headers=JSON
    )


def _photos(app: Flask, problem: str) -> list[Any]:
    with app.app_context():
        query = db.select(Photo).where(Photo.owner_id == problem).order_by(Photo.taken_at)
        return list(db.session.scalars(query))


def test_closure_is_asked_for_with_photos_that_are_verified_at_once(
    app: Flask, scene: Scene
) -> None:
    visitor = Visitor(app).sign_in("handler")
    problem = scene.problems[3]
    page = visitor.get(f"/ledger/{problem}?do=request_closure").text
    assert 'enctype="multipart/form-data"' in page and 'type="file"' in page
    same = _photo()
    sent = [same, same, _photo((3000, 100), "PNG")]
    assert '<label class="form-label needed" for="request_closure-root_cause">' in page
    told = {"result": "路灯修好了。", "root_cause": "facility"}
    answer = _send(visitor, problem, photos=sent, **told)
    assert answer.json == {"location": f"/ledger/{problem}"}
    made = _photos(app, problem)
    assert [(one.phase, one.state, one.mime) for one in made] == [
        ("after", "verified", "image/jpeg")
    ] * 2
    assert {one.created_by for one in made} == {scene.world.users["handler"]}
    assert {one.taken_at for one in made} == {1_772_337_600_000}
    assert {(one.width, one.height) for one in made} == {(300, 400), (68, 2048)}
    with app.app_context():
        assert db.session.get(Problem, problem).state == "closure_requested"
        for one in made:
            check(io.BytesIO(b"".join(blobs.current().read(one.sha256))))  # no position in it
    shown = visitor.get(f"/ledger/{problem}").text
    assert all(f"/photos/{one.id}" in shown for one in made)
    supervisor = Visitor(app).sign_in("supervisor")
    assert 'id="do-close" open' in supervisor.get(f"/ledger/{problem}").text


def test_a_sweep_between_a_photo_and_its_record_takes_nothing(
    app: Flask, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept, real = [], action_photos.submit

    def late(*arguments: Any) -> Any:
        swept.append(photo_sweep.sweep(now=now_ms() + 40 * DAY_MS, most=True))
        return real(*arguments)

    monkeypatch.setattr(action_photos, "submit", late)
    visitor = Visitor(app).sign_in("handler")
    told = {"result": "路灯修好了。", "root_cause": "facility"}
    assert _send(visitor, scene.problems[3], photos=[_photo()], **told).status_code == 200
    assert swept[0].photos >= 1
    (made,) = _photos(app, scene.problems[3])
    assert made.state == "verified"
    with app.app_context():
        check(io.BytesIO(b"".join(blobs.current().read(made.sha256))))


def test_a_photo_that_is_asked_for_must_be_there(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("handler")
    page = visitor.get(f"/ledger/{scene.problems[3]}").text
    assert '<legend class="form-label needed">整改后照片' in page
    answer = _send(visitor, scene.problems[3], result="修好了")
    assert answer.status_code == 422 and list(answer.json["errors"]) == ["photos"]
    visitor.headers = {**visitor.headers, "Accept": "text/html"}
    again = visitor.post(
        f"/ledger/{scene.problems[3]}/request_closure", state="in_progress", step="3", result="好了"
    )
    assert again.status_code == 422 and "这类问题要有整改后的照片" in again.text
    assert ">好了</textarea>" in again.text


@pytest.mark.parametrize(
    ("photos", "state", "status", "says"),
    [
        ([b"no picture at all"], "in_progress", 422, "不是照片"),
        ([_photo()[:2000]], "in_progress", 422, "文件损坏"),
        ([_photo(shade=n) for n in range(7)], "in_progress", 422, "最多 6 张"),
        ([_photo()], "dispatched", 409, "刚刚有了新进展"),
        ([b"x" * 200_000], "in_progress", 413, "太大"),
    ],
)  # fmt: skip
def test_nothing_is_left_of_what_is_not_taken(
    app: Flask,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    photos: list[bytes],
    state: str,
    status: int,
    says: str,
) -> None:
    view = app.view_functions["web.ledger.act"]
    assert view.largest == action_photos.MAX_FORM  # type: ignore[attr-defined]
    monkeypatch.setattr(view, "largest", 150_000)
    visitor = Visitor(app).sign_in("handler")
    answer = _send(visitor, scene.problems[3], result="修好了", photos=photos, state=state)
    assert answer.status_code == status and says in str(answer.json), answer.json
    assert _photos(app, scene.problems[3]) == []
    with app.app_context():
        assert db.session.get(Problem, scene.problems[3]).state == "in_progress"


def test_progress_takes_photos_of_either_phase_and_other_bodies_have_no_say(
    app: Flask, scene: Scene
) -> None:
    handler, problem = Visitor(app).sign_in("handler"), scene.problems[3]
    handler.get("/board")
    told = {"reason": "挖开了，先拍一张。", "phase": "before"}
    answer = _send(handler, problem, "progress", photos=[_photo()], photos_taken="1", **told)
    assert answer.status_code == 200
    assert [one.phase for one in _photos(app, problem)] == ["before"]
    refused = _send(handler, scene.problems[0], "progress", photos=[_photo()], reason="无关")
    assert refused.status_code == 404
    accepted = _send(handler, scene.problems[2], "accept", photos=[_photo()], state="dispatched",
                     step=2)  # fmt: skip
    assert accepted.status_code == 422 and _photos(app, scene.problems[2])[1:] == []


def test_only_the_pixels_of_a_photo_are_kept() -> None:
    cleaned = clean(io.BytesIO(_photo((5000, 2500))))
    assert (cleaned.width, cleaned.height) == (1024, 2048)
    with Image.open(io.BytesIO(cleaned.data)) as image:
        assert not image.getexif() and image.format == "JPEG"
    glass = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(glass, "PNG")
    with Image.open(io.BytesIO(clean(glass).data)) as image:
        assert image.getpixel((5, 5)) == (255, 255, 255)
    assert clean(glass).taken_at is None
    with pytest.raises(BadImage):
        clean(io.BytesIO(b""))
    assert now_ms() > (cleaned.taken_at or 0) > 0
