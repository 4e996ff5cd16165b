"""What every store of photos must do: one contract, on a folder and on a real S3 server."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from server.config import Config
from server.storage import blobs
from server.storage.blobs import Store
from shared import ids


@pytest.fixture(params=["folder", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of each kind; what other tests left in it does not matter."""
    url = "" if request.param == "folder" else request.getfixturevalue("s3")
    return blobs.make(Config(data=tmp_path, blobs_url=url))


def photo(size: int = 1000) -> tuple[str, bytes]:
    data = ids.new_id().encode() * (size // 36 + 1)
    return hashlib.sha256(data[:size]).hexdigest(), data[:size]


def put(store: Store, upload_id: str, offset: int, data: bytes, pieces: list[str]) -> list[str]:
    with store.append(upload_id, offset, pieces) as tail:
        tail.write(data)
        return pieces + tail.sync()


class TestEveryStore:
    def test_a_photo_is_there_whole_or_not_at_all(self, store: Store) -> None:
        sha, data = photo(3 * 2**20 + 7)
        assert not store.exists(sha)
        with pytest.raises(FileNotFoundError):
            store.size(sha)
        with pytest.raises(FileNotFoundError):
            b"".join(store.read(sha))
        store.write(sha, data)
        store.write(sha, data)
        assert store.exists(sha) and store.size(sha) == len(data)
        assert b"".join(store.read(sha)) == data
        assert b"".join(store.read(sha, 5, 2**20 + 9)) == data[5 : 2**20 + 9]
        assert [one.size for one in store.photos() if one.name == sha] == [len(data)]

    def test_what_is_removed_is_gone_with_its_thumbnails(self, store: Store) -> None:
        sha, data = photo()
        store.write(sha, data)
        assert store.thumbnail(sha, "320.webp") is None
        store.keep_thumbnail(sha, "320.webp", b"small")
        store.keep_thumbnail(sha, "1280.jpeg", b"larger")
        assert store.thumbnail(sha, "320.webp") == b"small"
        names = {one.name for one in store.thumbnails() if one.sha256 == sha}
        assert names == {"320.webp", "1280.jpeg"}
        store.remove_thumbnail(sha, "1280.jpeg")
        assert store.thumbnail(sha, "1280.jpeg") is None
        store.remove(sha)
        store.remove(sha)
        assert not store.exists(sha) and store.thumbnail(sha, "320.webp") is None

    def test_an_upload_grows_and_becomes_a_photo(self, store: Store) -> None:
        sha, data = photo(2 * 2**20 + 300_000)
        upload = ids.new_id()
        pieces = put(store, upload, 0, data[:100_000], [])
        pieces = put(store, upload, 100_000, data[100_000:], pieces)
        assert upload in {one.name for one in store.uploads()}
        assert not store.exists(sha)
        with store.open_upload(upload, len(data), pieces) as file:
            assert file.read() == data
            store.keep(upload, sha, file)
        assert b"".join(store.read(sha)) == data
        assert upload not in {one.name for one in store.uploads()}

    def test_bytes_that_were_not_noted_are_written_over(self, store: Store) -> None:
        sha, data = photo(5000)
        upload = ids.new_id()
        pieces = put(store, upload, 0, data[:1000], [])
        put(store, upload, 1000, b"never noted" * 1000, pieces)
        pieces = put(store, upload, 1000, data[1000:], pieces)
        with store.open_upload(upload, len(data), pieces) as file:
            assert hashlib.sha256(file.read()).hexdigest() == sha

    def test_an_upload_with_fewer_bytes_than_its_row_says_is_not_read(self, store: Store) -> None:
        upload = ids.new_id()
        with pytest.raises(FileNotFoundError):
            store.open_upload(upload, 10, [])
        pieces = put(store, upload, 0, b"12345", [])
        with pytest.raises(FileNotFoundError):
            store.open_upload(upload, 10, pieces)

    def test_what_is_discarded_is_forgotten(self, store: Store) -> None:
        upload = ids.new_id()
        put(store, upload, 0, b"12345", [])
        store.discard(upload)
        store.discard(upload)
        assert upload not in {one.name for one in store.uploads()}

    def test_another_process_sees_the_same(self, store: Store, request: pytest.FixtureRequest,
                                           tmp_path: Path) -> None:  # fmt: skip
        upload = ids.new_id()
        pieces = put(store, upload, 0, b"12345", [])
        kind = request.node.callspec.params["store"]
        url = "" if kind == "folder" else request.getfixturevalue("s3")
        other = blobs.make(Config(data=tmp_path, blobs_url=url))
        pieces = put(other, upload, 5, b"67890", pieces)
        with store.open_upload(upload, 10, pieces) as file:
            assert file.read() == b"1234567890"


@pytest.mark.parametrize("url", ["ftp://x/y", "s3://", "s3://bucket?nonsense=1"])
def test_an_address_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="GRIDLEDGER_BLOBS_URL"):
        blobs.make(Config(data=tmp_path, blobs_url=url))
