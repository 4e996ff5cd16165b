"""One upload at two servers, on PostgreSQL and an object store: cut, raced for, and killed."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from gridledger.simulate.serving import Server
from server.config import Config
from server.storage.database import db
from server.storage.tables import Upload
from shared import protocol
from tests.builders import World
from tests.uploads.declared import declare, unsafe
from tests.uploads.pictures import photo

HOST = "127.0.0.1"


@pytest.fixture
def servers(
    config: Config, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Server]]:
    """Two machines, each with one process, that share a database and a store and nothing else."""
    monkeypatch.setenv("GRIDLEDGER_WORKERS", "1")
    monkeypatch.setenv("GRIDLEDGER_BLOBS_URL", config.blobs_url)
    both = []
    for name in ("a", "b"):
        data = tmp_path / f"data-{name}"
        data.mkdir()
        both.append(Server(tmp_path / name, data, config.database_url))
        both[-1].start()
    yield both
    for one in both:
        one.kill()


def headers(world: World, **more: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {world.tokens['worker']}",
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def ask(
    server: Server, world: World, method: str, path: str, body: bytes = b"", **more: str
) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    try:
        connection.request(method, path, body, headers(world, **more))
        answer = connection.getresponse()
        answer.read()
        return answer.status, dict(answer.getheaders())
    finally:
        connection.close()


def begin(server: Server, world: World, name: str, data: bytes) -> str:
    told = f"sha256 {base64.b64encode(name.encode()).decode()}"
    status, answer = ask(
        server, world, "POST", protocol.PHOTOS, Upload_Length=str(len(data)), Upload_Metadata=told,
        Content_Type="text/plain",
    )  # fmt: skip
    assert status == 201
    return answer["Location"]


def half_sent(
    server: Server, world: World, url: str, offset: int, data: bytes, sent: int
) -> socket.socket:
    """A PATCH of the whole rest of which so many bytes have left."""
    line = socket.create_connection((HOST, server.port), timeout=60)
    fields = headers(world, Upload_Offset=str(offset), Content_Length=str(len(data) - offset))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    line.sendall(f"PATCH {url} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
    line.sendall(data[offset : offset + sent])
    return line


def writing(app: Flask, url: str) -> None:
    """Until a server has taken the right to write to the upload."""
    query = db.select(Upload.lease).where(Upload.id == url[-36:])
    with app.app_context():
        for _ in range(100_000):
            if db.session.scalar(query) is not None:
                return
            db.session.rollback()
    raise AssertionError("nobody writes")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_upload_goes_on_at_another_server_whatever_happens_to_the_first(
    app: Flask, world: World, servers: list[Server]
) -> None:
    first, second = servers
    photos = [photo() for _ in range(4)]
    names = declare(app, world, *photos)

    # The line is cut: all that came through is kept, and the other server knows how much.
    data, url = photos[0], begin(first, world, names[0], photos[0])
    half_sent(first, world, url, 0, data, 100_000).close()
    for _ in range(100_000):
        status, answer = ask(second, world, "HEAD", url)
        if answer["Upload-Offset"] == "100000":
            break
    assert (status, answer["Upload-Offset"]) == (200, "100000")
    status, answer = ask(second, world, "PATCH", url, data[100_000:], Upload_Offset="100000")
    assert (status, answer["Upload-State"]) == (204, "verified")

    # Two write at once: the second is told to wait, and the first is not disturbed.
    data, url = photos[1], begin(second, world, names[1], photos[1])
    line = half_sent(first, world, url, 0, data, 50_000)
    writing(app, url)
    status, _ = ask(second, world, "PATCH", url, b"\0" * len(data), Upload_Offset="0")
    assert status == 423
    line.sendall(data[50_000:])
    assert b"Upload-State: verified" in line.recv(4096)
    line.close()

    # Many write at once: one wins, whatever the others sent.
    data, url = photos[2], begin(first, world, names[2], photos[2])
    told: Counter[int] = Counter()

    def race(number: int) -> None:
        status, _ = ask(servers[number % 2], world, "PATCH", url, data, Upload_Offset="0")
        told[status] += 1

    racers = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert told[204] == 1 and set(told) <= {204, 409, 423}

    # The first is killed while it takes bytes: what had been answered is there for the second.
    data, url = photos[3], begin(first, world, names[3], photos[3])
    ask(first, world, "PATCH", url, data[:70_000], Upload_Offset="0")
    line = half_sent(first, world, url, 70_000, data, 60_000)
    writing(app, url)
    first.kill()
    line.close()
    status, answer = ask(second, world, "HEAD", url)
    offset = int(answer["Upload-Offset"])
    assert offset == 70_000
    status, answer = ask(second, world, "PATCH", url, data[offset:], Upload_Offset=str(offset))
    assert (status, answer["Upload-State"]) == (204, "verified")
    assert unsafe(app, names) == []
