"""Photo uploads by tus: resumed from the server's offset, checked, and told to their records."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from server.storage import blobs
from server.storage.database import db
from server.storage.models import Photo, Task
from shared import protocol
from tests.builders import World, create, pull, push, transaction, visit


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def photo_bytes(colour: str = "red", gps: bool = False) -> bytes:
    image = Image.effect_noise((640, 480), 80).convert("RGB")
    image.paste(colour, (0, 0, 100, 100))
    exif = Image.Exif()
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
        exif.get_ifd(0x8825)[2] = (34.0, 45.0, 0.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, exif=exif if gps else b"")
    return out.getvalue()


def declare(client: Any, world: World, data: bytes, dseq: int = 1) -> str:
    sha = hashlib.sha256(data).hexdigest()
    op = visit(world)
    photo = create(
        "photo", world.partition, owner_kind="visit", owner_id=op.id, sha256=sha, size=len(data),
        phase="scene",
    )  # fmt: skip
    answer = push(
        client, world.tokens["worker"], (dseq, transaction(world.users["worker"], op, photo))
    ).json
    assert answer["answers"][0]["result"] == "applied", answer
    return photo.id


def tus(world: World, who: str = "worker", **more: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {world.tokens[who]}",
        "Tus-Resumable": "1.0.0",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def begin(client: Any, world: World, data: bytes, who: str = "worker") -> Any:
    sha = base64.b64encode(hashlib.sha256(data).hexdigest().encode()).decode()
    return client.post(
        protocol.PHOTOS,
        headers=tus(world, who, Upload_Length=str(len(data)), Upload_Metadata=f"sha256 {sha}"),
    )


def patch(client: Any, world: World, url: str, offset: int, data: bytes, **more: str) -> Any:
    return client.patch(
        url,
        data=data,
        content_type="application/offset+octet-stream",
        headers=tus(world, Upload_Offset=str(offset), **more),
    )


def test_a_photo_arrives_in_pieces_and_its_record_is_verified(
    app: Flask, client: Any, world: World
) -> None:
    data = photo_bytes()
    photo_id = declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    half = len(data) // 2
    assert patch(client, world, url, 0, data[:half]).headers["Upload-Offset"] == str(half)
    assert client.head(url, headers=tus(world)).headers["Upload-Offset"] == str(half)
    last = patch(client, world, url, half, data[half:])
    assert (last.status_code, last.headers["Upload-State"]) == (204, "verified")
    with app.app_context():
        photo = db.session.get(Photo, photo_id)
        assert (photo.state, photo.rev) == ("verified", 2)
        assert b"".join(blobs.current().read(photo.sha256)) == data
    rows = [r for r in pull(client, world.tokens["worker"]) if r.get("kind") == "photo"]
    assert rows[0]["v"]["state"] == "verified"


def test_the_wrong_offset_is_refused_and_says_the_right_one(client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    patch(client, world, url, 0, data[:100])
    again = patch(client, world, url, 0, data[:100])
    assert (again.status_code, again.json["code"]) == (409, "offset_mismatch")
    assert again.headers["Upload-Offset"] == "100"


def test_a_piece_damaged_on_the_way_changes_nothing(client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    answer = patch(client, world, url, 0, data[:50], Upload_Checksum=f"sha256 {wrong}")
    assert (answer.status_code, answer.json["code"]) == (460, "checksum_mismatch")
    assert client.head(url, headers=tus(world)).headers["Upload-Offset"] == "0"


def test_bytes_of_another_photo_start_again_from_zero(client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    answer = patch(client, world, url, 0, bytes(len(data)))
    assert answer.headers["Upload-State"] == "corrupt"
    assert client.head(url, headers=tus(world)).headers["Upload-Offset"] == "0"
    assert patch(client, world, url, 0, data).headers["Upload-State"] == "verified"


def test_only_a_declared_hash_may_be_uploaded(client: Any, world: World) -> None:
    data = photo_bytes()
    assert begin(client, world, data).status_code == 403
    declare(client, world, data)
    assert begin(client, world, data).status_code == 201
    assert begin(client, world, data, who="other").status_code == 403


def test_an_upload_is_its_owners_alone(client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    assert client.head(url, headers=tus(world, "other")).status_code == 404
    assert client.head(url, headers=tus(world, "worker2")).status_code == 200


def test_the_same_bytes_are_sent_once(app: Flask, client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    patch(client, world, url, 0, data)
    second = declare(client, world, data, dseq=2)
    with app.app_context():
        assert db.session.get(Photo, second).state == "verified"
    answer = begin(client, world, data)
    assert (answer.status_code, answer.headers["Upload-State"]) == (200, "verified")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><script>alert(1)</script></html>", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not_an_image"),
        (photo_bytes()[:2000], "broken"),
        (photo_bytes(gps=True), "has_position"),
    ],
)
def test_what_is_no_clean_photo_is_refused_and_its_author_told(
    app: Flask, client: Any, world: World, data: bytes, reason: str
) -> None:
    photo_id = declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    assert patch(client, world, url, 0, data).headers["Upload-State"] == "refused"
    with app.app_context():
        photo = db.session.get(Photo, photo_id)
        assert photo.state == "refused"
        assert not blobs.current().exists(photo.sha256)
        task = db.session.query(Task).one()
        assert (task.about_id, task.detail) == (photo_id, {"reason": reason})


def test_options_says_what_the_server_can_do_without_a_sign_in(client: Any, world: World) -> None:
    answer = client.options(protocol.PHOTOS)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert "checksum" in answer.headers["Tus-Extension"]
    missing = client.post(
        protocol.PHOTOS, headers={"Authorization": f"Bearer {world.tokens['worker']}"}
    )
    assert missing.status_code == 412


def test_a_record_that_missed_the_moment_of_its_bytes_hears_of_them_later(
    app: Flask, client: Any, world: World
) -> None:
    from sqlalchemy import update

    data = photo_bytes()
    photo_id = declare(client, world, data)
    patch(client, world, begin(client, world, data).headers["Location"], 0, data)
    with app.app_context():
        db.session.execute(update(Photo).values(state="declared", verified_at=None))
        db.session.commit()
    assert begin(client, world, data).headers["Upload-State"] == "verified"
    with app.app_context():
        assert db.session.get(Photo, photo_id).state == "verified"


def test_erased_bytes_are_not_taken_again(app: Flask, client: Any, world: World) -> None:
    from server.operations import erase

    data = photo_bytes()
    declare(client, world, data)
    with app.app_context():
        erase.erase(world.users["admin"], world.households[0], "本人要求")
    assert begin(client, world, data).status_code == 403
