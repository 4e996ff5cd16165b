"""Photo uploads by tus: resumed from the server's offset, checked, and told to their records."""

from __future__ import annotations

import base64
import gzip
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


class NoChunks:
    """A body whose chunks are none: the web server's reader raises an error of its own."""

    def read(self, _size: int = -1) -> bytes:
        raise Exception("invalid chunk size")


def test_a_body_that_cannot_be_read_is_refused_and_keeps_nothing(client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    kind = "application/offset+octet-stream"
    zipped = patch(client, world, url, 0, gzip.compress(data), Content_Encoding="gzip")
    assert zipped.status_code == 415
    nonsense = {"wsgi.input": NoChunks(), "CONTENT_LENGTH": "10"}
    headers = tus(world, Upload_Offset="0")
    broken = client.patch(url, content_type=kind, headers=headers, environ_overrides=nonsense)
    assert broken.status_code == 400 and broken.json["code"] == "bad_request"
    for path in (protocol.PUSH, protocol.PULL):
        broken = client.post(path, headers=headers, environ_overrides=nonsense)
        assert broken.status_code == 400 and broken.json["code"] == "bad_request"
    assert client.head(url, headers=tus(world)).headers["Upload-Offset"] == "0"
    assert patch(client, world, url, 0, data).headers["Upload-State"] == "verified"


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
    assert (answer.status_code, answer.headers["Upload-State"]) == (201, "verified")
    assert answer.headers["Upload-Offset"] == str(len(data))


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


def post(client: Any, world: World, data: bytes = b"", sha_of: bytes = b"", **more: str) -> Any:
    name = base64.b64encode(hashlib.sha256(sha_of).hexdigest().encode()).decode()
    return client.post(
        protocol.PHOTOS, data=data, headers=tus(world, Upload_Metadata=f"sha256 {name}", **more)
    )


def test_a_photo_may_come_with_its_creation(client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    answer = post(client, world, data, data, Upload_Length=str(len(data)),
                  Content_Type="application/offset+octet-stream")  # fmt: skip
    assert (answer.status_code, answer.headers["Upload-State"]) == (201, "verified")
    assert answer.headers["Upload-Offset"] == str(len(data))


def test_parts_are_put_together_and_checked_as_one_photo(client: Any, world: World) -> None:
    data = photo_bytes()
    declare(client, world, data)
    half = len(data) // 2
    urls = []
    for piece in (data[:half], data[half:]):
        begun = post(
            client, world, b"", data, Upload_Length=str(len(piece)), Upload_Concat="partial"
        )
        urls.append(begun.headers["Location"])
        if len(urls) == 2:
            early = post(client, world, b"", data, Upload_Concat=f"final;{' '.join(urls)}")
            assert early.status_code == 409
        patch(client, world, urls[-1], 0, piece)
    whole = post(client, world, b"", data, Upload_Concat=f"final;{' '.join(urls)}")
    assert (whole.status_code, whole.headers["Upload-State"]) == (201, "verified")
    url = whole.headers["Location"]
    assert patch(client, world, url, 0, b"more").status_code == 403
    asked = client.head(url, headers=tus(world))
    assert asked.headers["Upload-Concat"] == f"final;{' '.join(urls)}"
    assert client.head(urls[0], headers=tus(world)).headers["Upload-Concat"] == "partial"


def test_one_writer_at_a_time(app: Flask, client: Any, world: World) -> None:
    from server.operations.clock import now_ms
    from server.storage import leases

    data = photo_bytes()
    declare(client, world, data)
    url = begin(client, world, data).headers["Location"]
    upload_id = url.rpartition("/")[2]
    with app.app_context():
        lease = leases.take(upload_id, now_ms())
        assert lease is not None
    busy = patch(client, world, url, 0, data)
    assert (busy.status_code, busy.json["code"]) == (423, "locked")
    assert client.delete(url, headers=tus(world)).status_code == 423
    with app.app_context():
        assert leases.take(upload_id, now_ms() + leases.LEASE_MS + 1) is not None  # it was silent
        assert not leases.advance(lease, 5, [], now_ms())


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Upload-Length": "x"}, 400),
        (
            "POST",
            {
                "Upload-Length": "99999999999",
                "Upload-Metadata": f"sha256 {base64.b64encode(b'0' * 64).decode()}",
            },
            413,
        ),
        ("POST", {"Upload-Defer-Length": "1"}, 400),
        ("POST", {"Upload-Length": "5", "Upload-Metadata": "sha256 %%%"}, 400),
        ("POST", {"Upload-Concat": "final;/a", "Upload-Length": "5"}, 400),
        ("PATCH", {"Content-Type": "text/plain", "Upload-Offset": "0"}, 415),
        ("PATCH", {"Upload-Offset": "0", "Upload-Checksum": "md5 aaaa"}, 400),
        ("PATCH", {"Upload-Offset": "1"}, 409),
        ("PATCH", {"Tus-Resumable": "0.2.0", "Upload-Offset": "0"}, 412),
        ("HEAD", {}, 200),
        ("DELETE", {}, 204),
    ],
)
def test_each_mistake_has_its_own_status(
    client: Any, world: World, method: str, headers: dict[str, str], status: int
) -> None:
    data = photo_bytes()
    declare(client, world, data)
    url = protocol.PHOTOS if method == "POST" else begin(client, world, data).headers["Location"]
    given = {**tus(world), "Content-Type": "application/offset+octet-stream", **headers}
    body = data[:10] if method == "PATCH" else b""
    answer = client.open(url, method=method, data=body, headers=given)
    assert answer.status_code == status
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    if method == "DELETE":
        assert client.head(url, headers=tus(world)).status_code == 404
