"""A part of a photo is all that is asked of an object store when a part is all that is wanted."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import pytest

from server.config import Config
from server.storage import blobs
from shared import ids
from tests import object_store
from tests.uploads.line import Line

NEVER = (2**60, 2**60)


class Corrected(Line):
    """The line to rclone, which sends the range that was asked for, but calls it the whole."""

    def answered(self, head: bytes) -> bytes:
        if b"content-range:" in head.lower():
            return head.replace(b" 200 OK", b" 206 Partial Content", 1)
        return head


@pytest.mark.parametrize("kind", [Line, Corrected])
def test_a_range_is_read_alone(kind: type[Line], s3_port: int, tmp_path: Path) -> None:
    data = ids.new_id().encode() * 60_000
    name = hashlib.sha256(data).hexdigest()
    with closing(kind(lambda: s3_port, NEVER)) as line:
        port = int(line.url.rpartition(":")[2])
        store = blobs.make(Config(data=tmp_path, blobs_url=object_store.url(port, ids.new_id())))
        store.write(name, data)
        line.answers.clear()
        for start, stop in ((0, 10), (70_000, 90_000), (len(data) - 5, len(data))):
            assert b"".join(store.read(name, start, stop)) == data[start:stop]
        assert b"".join(store.read(name, len(data) - 7)) == data[-7:]
        if kind is Corrected:
            assert line.answers == [10, 20_000, 5, 7]
        with pytest.raises(FileNotFoundError):
            next(store.read("0" * 64, 5, 10))
