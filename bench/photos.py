"""Photos as a phone makes them, declared beforehand, and sent by tus over HTTP."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.client
import io
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask
from PIL import Image

from bench.data import District, visit_values
from bench.server import Running
from bench.together import together
from server.operations.transact import Entry, submit_many
from shared import ids, protocol
from shared.operations import Operation

COMMENT = 65_000  # bytes of one comment of a JPEG
SIDE = 2048  # pixels of a phone's photo


@dataclass(frozen=True)
class Photo:
    """Bytes, and their hash as hex."""

    data: bytes
    sha256: str


def make(count: int, size: int) -> list[Photo]:
    """So many different JPEGs of exactly ``size`` bytes: noise, filled up with comments."""
    best = _noise(size)
    made = []
    for _ in range(count):
        data = best[:2] + _comments(size - len(best)) + best[2:]
        made.append(Photo(data, hashlib.sha256(data).hexdigest()))
    return made


@functools.cache
def _noise(size: int) -> bytes:
    """A picture of as many pixels as a phone's photo of this size, and not much fewer bytes."""
    side = int(SIDE * math.sqrt(size / (2 * 2**20)))
    band = Image.effect_noise((side, side * 3 // 4), 50)
    picture = Image.merge("RGB", (band, band.transpose(Image.Transpose.ROTATE_180), band))

    def encoded(quality: int) -> bytes:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        return out.getvalue()

    low, high = 30, 98
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(encoded(middle)) < size - 200 else (low, middle)
    return encoded(low)


def _comments(size: int) -> bytes:
    out = b""
    while size:
        part = min(size, COMMENT) if not 0 < size - COMMENT < 200 else size // 2
        text = ids.new_id().encode() * (part // 36 + 1)
        out += b"\xff\xfe" + (part - 2).to_bytes(2, "big") + text[: part - 4]
        size -= part
    return out


def declare(app: Flask, district: District, photos: Sequence[Photo]) -> None:
    """The transactions of the first worker that name them, applied."""
    _, _, user, grid = district.phones[0]
    partition = ids.grid_partition(grid)
    operations = []
    for photo in photos:
        visit = Operation(
            "create", "visit", ids.new_id(), partition,
            values=visit_values(district.doors[grid][0], time.time_ns() // 1_000_000),
        )  # fmt: skip
        values = {"owner_kind": "visit", "owner_id": visit.id, "sha256": photo.sha256,
                  "size": len(photo.data), "phase": "scene"}  # fmt: skip
        operations += [visit, Operation("create", "photo", ids.new_id(), partition, values=values)]
    with app.app_context():
        list(submit_many([Entry(user, operations)]))


def send(running: Running, token: str, photos: Sequence[Photo], at_once: int) -> float:
    """Each photo by a creation and one PATCH, from ``at_once`` connections; seconds."""

    def lane(own: Sequence[Photo]) -> None:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=300)
        for photo in own:
            _one(connection, token, photo)
        connection.close()

    return together(lane, ((photos[n::at_once],) for n in range(at_once)))


def _one(connection: http.client.HTTPConnection, token: str, photo: Photo) -> None:
    name = base64.b64encode(photo.sha256.encode()).decode()
    common = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    begin = {"Upload-Length": str(len(photo.data)), "Upload-Metadata": f"sha256 {name}"}
    connection.request("POST", protocol.PHOTOS, None, common | begin)
    response = connection.getresponse()
    response.read()
    where = response.headers.get("Location", "")
    piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    connection.request("PATCH", where, photo.data, common | piece)
    response = connection.getresponse()
    answer = response.read()
    if response.headers.get("Upload-State") != "verified":
        raise RuntimeError(f"{response.status}: {answer[:300]!r}")
