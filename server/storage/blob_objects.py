"""Photos in an object store: anything that speaks S3, through obstore.

The address is ``s3://bucket/prefix``; what follows a ``?`` are settings of the connection
(endpoint, region, access_key_id, secret_access_key, virtual_hosted_style_request ...), which may
also come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL,
AWS_REGION). Every object is put whole; nothing relies on conditional puts, which many stores lack.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import obstore
from obstore.exceptions import BaseError, GenericError
from obstore.store import S3Store

from server.storage.blobs import BLOCK, PIECE, Kept
from shared import ids

PHOTOS, THUMBNAILS, UPLOADS = "photos", "thumbnails", "uploads"
MULTIPART = 5 * 2**20  # the least part that S3 takes
_TIMEOUTS = {"timeout": "60s", "connect_timeout": "10s"}


class ObjectStore:
    """Photos for many machines. ``url`` as the setting GRIDLEDGER_BLOBS_URL has it."""

    def __init__(self, url: str) -> None:
        self._takes_ranges = True
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError("GRIDLEDGER_BLOBS_URL: s3://bucket/prefix")
        config = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        config.setdefault("region", "us-east-1")
        client: dict[str, Any] = dict(_TIMEOUTS)
        if config.get("endpoint", "").startswith("http://"):
            client["allow_http"] = True
        plain = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        try:
            self._store = S3Store.from_url(plain, client_options=client, **config)  # type: ignore[arg-type]
        except BaseError as error:
            raise ValueError(f"GRIDLEDGER_BLOBS_URL: {error}") from None

    def exists(self, sha256: str) -> bool:
        try:
            self.size(sha256)
        except FileNotFoundError:
            return False
        return True

    def size(self, sha256: str) -> int:
        return int(obstore.head(self._store, _photo(sha256))["size"])

    def read(self, sha256: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        ranged = bool(start) or stop is not None
        if ranged and self._takes_ranges:
            wanted: Any = {"offset": start} if stop is None else (start, stop)
            try:
                part = obstore.get(self._store, _photo(sha256), options={"range": wanted})
            except GenericError as error:
                if "NotPartial" not in str(error):
                    raise
                self._takes_ranges = False  # it says 200 where 206 is meant, as rclone does
            else:
                yield from map(bytes, part.stream(BLOCK))
                return
        at = 0
        for block in obstore.get(self._store, _photo(sha256)).stream(BLOCK):
            here = bytes(block)[max(0, start - at) : None if stop is None else max(0, stop - at)]
            at += len(block)
            if here:
                yield here
            if stop is not None and at >= stop:
                return

    def write(self, sha256: str, data: bytes) -> None:
        obstore.put(self._store, _photo(sha256), data)

    def remove(self, sha256: str) -> None:
        names = [one["path"] for one in self._list(f"{THUMBNAILS}/{_fan(sha256)}/{sha256}")]
        self._delete([_photo(sha256), *names])

    def photos(self) -> Iterator[Kept]:
        for one in self._list(PHOTOS):
            name = one["path"].rpartition("/")[2]
            yield Kept(name, name, one["size"], _ms(one))

    def thumbnail(self, sha256: str, name: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, _thumbnail(sha256, name)).bytes())
        except FileNotFoundError:
            return None

    def keep_thumbnail(self, sha256: str, name: str, data: bytes) -> None:
        obstore.put(self._store, _thumbnail(sha256, name), data)

    def thumbnails(self) -> Iterator[Kept]:
        for one in self._list(THUMBNAILS):
            *_, sha256, name = one["path"].split("/")
            yield Kept(name, sha256, one["size"], _ms(one))

    def remove_thumbnail(self, sha256: str, name: str) -> None:
        self._delete([_thumbnail(sha256, name)])

    @contextmanager
    def append(self, upload_id: str, offset: int, pieces: Sequence[str]) -> Iterator[_PieceTail]:
        yield _PieceTail(self._store, upload_id, offset)

    def open_upload(self, upload_id: str, size: int, pieces: Sequence[str]) -> IO[bytes]:
        copy: IO[bytes] = tempfile.SpooledTemporaryFile(PIECE)  # noqa: SIM115 - closed by whoever asks
        try:
            for name in pieces:
                for block in obstore.get(self._store, _piece(upload_id, name)).stream(BLOCK):
                    copy.write(block)
            if copy.tell() != size:
                raise FileNotFoundError(upload_id)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def keep(self, upload_id: str, sha256: str, file: IO[bytes]) -> None:
        file.seek(0)
        obstore.put(self._store, _photo(sha256), file, chunk_size=MULTIPART, max_concurrency=1)
        self.discard(upload_id)

    def discard(self, upload_id: str) -> None:
        self._delete([one["path"] for one in self._list(f"{UPLOADS}/{upload_id}")])

    def uploads(self) -> Iterator[Kept]:
        found: dict[str, tuple[int, int]] = {}
        for one in self._list(UPLOADS):
            upload_id = one["path"].split("/")[1]
            size, modified = found.get(upload_id, (0, 0))
            found[upload_id] = (size + one["size"], max(modified, _ms(one)))
        for upload_id, (size, modified) in found.items():
            yield Kept(upload_id, "", size, modified)

    def _list(self, prefix: str) -> Iterator[Any]:
        for part in obstore.list(self._store, prefix):
            yield from part

    def _delete(self, paths: list[str]) -> None:
        if paths:
            obstore.delete(self._store, paths)


class _PieceTail:
    """The end of an upload: pieces of their own names, so that no writer changes another's."""

    def __init__(self, store: S3Store, upload_id: str, offset: int) -> None:
        self._store, self._upload_id, self._at = store, upload_id, offset
        self._buffer = bytearray()
        self._made: list[str] = []

    def write(self, block: bytes) -> None:
        self._buffer += block
        if len(self._buffer) >= PIECE:
            self._put()

    def sync(self) -> list[str]:
        if self._buffer:
            self._put()
        made, self._made = self._made, []
        return made

    def _put(self) -> None:
        name = f"{self._at:012}-{ids.new_id()}"
        obstore.put(self._store, _piece(self._upload_id, name), bytes(self._buffer))
        self._made.append(name)
        self._at += len(self._buffer)
        self._buffer.clear()


def _fan(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}"


def _photo(sha256: str) -> str:
    return f"{PHOTOS}/{_fan(sha256)}/{sha256}"


def _thumbnail(sha256: str, name: str) -> str:
    return f"{THUMBNAILS}/{_fan(sha256)}/{sha256}/{name}"


def _piece(upload_id: str, name: str) -> str:
    return f"{UPLOADS}/{upload_id}/{name}"


def _ms(one: Any) -> int:
    return int(one["last_modified"].timestamp() * 1000)
