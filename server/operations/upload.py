"""Upload: the bytes of photos arrive in pieces, from one writer at a time.

Only a hash that the person's own transactions declare, applied or in quarantine, may be uploaded.
The bytes go to the store outside of any database transaction; the row says how far they are.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select

from server.errors import Trouble
from server.operations import verify
from server.operations.clock import now_ms
from server.operations.verify import FINAL, settle_late
from server.operations.verify import settle as settle
from server.storage import blob_rows, blobs, leases, uploads
from server.storage.database import db, write
from server.storage.leases import Lease
from server.storage.tables import Blob, Quarantined, QuarantinedName
from server.storage.tables import Upload as Row
from server.storage.uploads import Seen as Upload
from shared import ids, protocol

EXPIRES_MS = 7 * 24 * 3600 * 1000
SYNC_BYTES = 4 * 2**20  # of one request, after which what came is made safe and noted
SYNC_S = 5.0
PARTIAL, FINAL_OF = "partial", "final;"


class Interrupted(Exception):
    """The connection broke while bytes came."""


class Sender(Protocol):
    """The device that sends, and its person."""

    @property
    def id(self) -> str: ...

    @property
    def user_id(self) -> str | None: ...


class Digest(Protocol):
    """What hashlib's hashes do."""

    def update(self, data: bytes, /) -> None: ...


@dataclass(frozen=True)
class State:
    """How far an upload is. ``state``: uploading, verified, corrupt or refused.

    ``metadata`` is Upload-Metadata as it came.
    """

    id: str
    offset: int
    size: int
    state: str
    expires_at: int
    concat: str | None = None
    metadata: str | None = None


def create(
    by: Sender, sha256: str, size: int, partial: bool = False, metadata: str | None = None
) -> State:
    """Begin an upload; it is at its end already if the store has these bytes.

    Raises Trouble forbidden for a hash that nobody declared, too_large.
    """
    _check_size(size)
    there = _known(sha256, _check_declared(by, sha256))
    concat = PARTIAL if partial else None
    return _begin(by, sha256, size, concat, size if there else 0, metadata)


def concatenate(
    by: Sender, sha256: str, part_ids: Sequence[str], concat: str, metadata: str | None = None
) -> State:
    """Make one upload of partial ones, in this order, and check the photo.

    ``sha256`` may be empty: that of the parts. Raises Trouble not_found, gone, offset_mismatch
    (a part is not whole), invalid, too_large, locked.
    """
    parts = [find(by, one) for one in part_ids]
    sha256 = sha256 or parts[0].sha256
    for part in parts:
        if part.concat != PARTIAL or part.sha256 != sha256:
            raise Trouble("invalid", "Upload-Concat", {"Upload-Concat": [f"{part.id}: no part"]})
        if state_of(part).offset != part.size:
            raise Trouble("offset_mismatch", f"{part.id} is not whole")
    size = sum(part.size for part in parts)
    _check_size(size)
    if _known(sha256, _check_declared(by, sha256)):
        state = _begin(by, sha256, size, concat, size, metadata)
    else:
        state = _joined(_begin(by, sha256, size, concat, 0, metadata), sha256, parts)
    if state.state in FINAL:
        for part in parts:
            blobs.current().discard(part.id)
    return state


def find(by: Sender, upload_id: str) -> Upload:
    """An upload of this device's person; raises Trouble not_found or gone."""
    upload = uploads.find(upload_id) if ids.is_id(upload_id) else None
    if upload is None or not (upload.device_id == by.id or _is_of(upload, by)):
        raise Trouble("not_found")
    if upload.expires_at < now_ms():
        raise Trouble("gone")
    return upload


def state_of(upload: Upload) -> State:
    """How far an upload is, by the bytes that are safely in the store."""
    if upload.photo in FINAL:
        return _state(upload, upload.size, upload.photo or "")
    return _state(upload, upload.received)


def resume(upload: Upload) -> State:
    """How far it is; one that was whole when a process died before it was checked is checked.

    Who asks has lost its connection, and the process that took the bytes may not have seen that
    yet: it is waited for, a moment, so that what it took is not sent again.
    """
    if leases.settled(upload.id, now_ms):
        there = uploads.find(upload.id)
        if there is None:
            raise Trouble("not_found")
        upload = there
    state = state_of(upload)
    if state.state in FINAL or state.offset != upload.size or upload.concat == PARTIAL:
        return state
    lease = leases.take(upload.id, now_ms())
    if lease is None:
        return state
    return _finish(upload, lease, lease.received, lease.pieces)


def append(
    upload: Upload,
    offset: int,
    blocks: Iterable[bytes],
    digest: Digest | None = None,
    check: Callable[[], None] | None = None,
) -> State:
    """Add bytes at the end of an upload, and check the photo when it is whole.

    ``blocks`` may raise Interrupted; what came before is kept, unless there is a ``digest``, which
    every byte goes through, and whose ``check`` raises for the wrong bytes. Raises Trouble
    offset_mismatch, locked, too_large, forbidden (a final upload takes no bytes).
    """
    if upload.concat is not None and upload.concat.startswith(FINAL_OF):
        raise Trouble("forbidden", "a final upload takes no bytes")
    state = state_of(upload)
    if state.state in FINAL:
        if offset != state.offset:
            raise _wrong_offset(state.offset)
        return state
    lease = leases.take(upload.id, now_ms())
    if lease is None:
        raise Trouble("locked")
    end = _End(upload, lease)
    try:
        if offset != lease.received:
            raise _wrong_offset(lease.received)
        with blobs.current().append(upload.id, offset, lease.pieces) as tail:
            _take_in(end, tail, blocks, digest, check)
    except blobs.WrongOffset as error:  # bytes are gone that were there: a restored store
        leases.give_back(lease, 0, [])
        raise _wrong_offset(0) from error
    except BaseException:
        leases.give_back(lease, end.received, end.pieces)
        raise
    if end.lost:
        raise Trouble("locked")
    if end.received == upload.size and upload.concat != PARTIAL:
        known = end.sha256.hexdigest() if end.sha256 is not None else ""
        return _finish(upload, lease, end.received, end.pieces, known)
    leases.give_back(lease, end.received, end.pieces)
    return _state(upload, end.received)


def discard(upload: Upload) -> None:
    """Forget an upload that will not go on; raises Trouble locked while somebody writes to it."""
    if leases.take(upload.id, now_ms()) is None:
        raise Trouble("locked")
    blobs.current().discard(upload.id)
    with write() as session:
        found = session.get(Row, upload.id)
        if found is not None:
            session.delete(found)


class _End:
    """How far an upload is while bytes come."""

    def __init__(self, upload: Upload, lease: Lease) -> None:
        self.upload, self.lease = upload, lease
        self.received, self.pieces = lease.received, list(lease.pieces)
        self.came = 0  # bytes since then that are not safe yet
        self.lost = False
        # Of a photo that comes in one request, so that it need not be read again.
        self.sha256 = hashlib.sha256() if lease.received == 0 else None

    def sync(self, tail: blobs.Tail) -> None:
        """Make what came safe, so that it counts."""
        self.pieces += tail.sync()
        self.received += self.came
        self.came = 0


def _take_in(
    end: _End,
    tail: blobs.Tail,
    blocks: Iterable[bytes],
    digest: Digest | None,
    check: Callable[[], None] | None,
) -> None:
    noted = time.monotonic()
    try:
        for block in blocks:
            if end.received + end.came + len(block) > end.upload.size:
                raise Trouble("too_large", "more bytes than were announced")
            silent = time.monotonic() - noted > SYNC_S
            if silent and not leases.advance(end.lease, end.received, end.pieces, now_ms()):
                end.lost = True
                return
            if digest is not None:
                digest.update(block)
            if end.sha256 is not None:
                end.sha256.update(block)
            tail.write(block)
            end.came += len(block)
            if silent:
                noted = time.monotonic()
            if digest is None and (silent or end.came >= SYNC_BYTES):
                end.sync(tail)
                leases.advance(end.lease, end.received, end.pieces, now_ms())
        if check is not None:
            check()
    except Interrupted:
        if digest is None:
            end.sync(tail)
        raise
    if end.came:
        end.sync(tail)


def _finish(
    upload: Upload, lease: Lease, received: int, pieces: list[str], digest: str = ""
) -> State:
    """Check an upload that is whole, and give the lease back; ``digest`` where it is known."""
    try:
        state = verify.upload(upload.id, upload.sha256, upload.size, pieces, digest)
        if state == "corrupt":
            received, pieces = 0, []
    finally:
        leases.give_back(lease, received, pieces)
    return _state(upload, received, state)


def _joined(begun: State, sha256: str, parts: Sequence[Upload]) -> State:
    store = blobs.current()
    lease = leases.take(begun.id, now_ms())
    upload = uploads.find(begun.id)
    if lease is None or upload is None:
        raise Trouble("locked")
    try:
        with store.append(begun.id, 0, []) as tail:
            for part in parts:
                with store.open_upload(part.id, part.size, part.pieces or []) as file:
                    while block := file.read(blobs.BLOCK):
                        tail.write(block)
            pieces = tail.sync()
    except BaseException as error:
        leases.give_back(lease, 0, [])
        if isinstance(error, FileNotFoundError):
            raise Trouble("gone", "a part has no bytes any more") from None
        raise
    return _finish(upload, lease, begun.size, pieces)


def _begin(
    by: Sender, sha256: str, size: int, concat: str | None, received: int, metadata: str | None
) -> State:
    now = now_ms()
    row: dict[str, Any] = {
        "id": ids.new_id(), "sha256": sha256, "size": size, "received": received,
        "device_id": by.id, "created_at": now, "expires_at": now + EXPIRES_MS, "concat": concat,
        "told": metadata,
    }  # fmt: skip
    leases.begin(row)
    upload = uploads.find(row["id"]) if received else None
    if upload is not None:
        return state_of(upload)
    return State(row["id"], 0, size, "uploading", row["expires_at"], concat, metadata)


def _is_of(upload: Upload, by: Sender) -> bool:
    return upload.user_id is not None and upload.user_id == by.user_id


def _known(sha256: str, state: str | None) -> bool:
    """Whether nothing has to be sent: it is refused for good, or its bytes are in the store.

    ``state``: what `_check_declared` saw of them.
    """
    if state is None and not blobs.current().exists(sha256):
        return False
    blob = db.session.get(Blob, sha256)
    if blob is not None and blob.state == blob_rows.SWEPT:
        raise Trouble("locked", "these bytes are being swept away; send them again")
    if blob is not None and blob.state == "refused":
        settle_late(sha256, blob)
        return True
    if not blobs.current().exists(sha256):
        if blob is not None and blob.state == "verified":
            settle(sha256, blob.size, "corrupt")
            db.session.expire_all()
        return False
    if blob is not None and blob.state == "verified":
        settle_late(sha256, blob)
        return True
    return verify.from_store(sha256)


def _state(upload: Upload, offset: int, state: str = "uploading") -> State:
    return State(
        upload.id, offset, upload.size, state, upload.expires_at, upload.concat, upload.told
    )


def _check_size(size: int) -> None:
    if size > protocol.MAX_PHOTO:
        raise Trouble("too_large", f"a photo may have {protocol.MAX_PHOTO} bytes")
    if size <= 0:
        raise Trouble("invalid", "Upload-Length", {"Upload-Length": ["must be positive"]})


def _wrong_offset(offset: int) -> Trouble:
    return Trouble(
        "offset_mismatch",
        f"the upload stands at {offset}",
        {"offset": [offset]},
        headers={"Upload-Offset": str(offset)},
    )


def _check_declared(by: Sender, sha256: str) -> str | None:
    """A photo that the person's transactions name, applied or in quarantine; else forbidden.

    What became of its bytes; None: nothing is known of them.
    """
    applied, state = uploads.declared(sha256, by.user_id)
    if applied:
        return state
    held = (
        select(Quarantined.id)
        .join(QuarantinedName, QuarantinedName.quarantine_id == Quarantined.id)
        .where(QuarantinedName.name == sha256, Quarantined.author == by.user_id)
    )
    if not db.session.scalar(held.limit(1)):
        raise Trouble("forbidden", "no transaction of yours declares this photo")
    return state
