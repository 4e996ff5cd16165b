"""Photos: tus 1.0, in pieces, from where the server stands, after any interruption.

One or two go side by side. What stops one photo alone does not stop the next; what would stop
them all ends the round.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mobile.core import photo_queue, retry
from mobile.core.photo_queue import Waiting
from mobile.core.told import PhotoProgress
from mobile.storage import photos, queue
from mobile.storage.store import Store
from mobile.sync.failure import RequestFailed, Upload
from shared import protocol

if TYPE_CHECKING:
    from mobile.sync.client import Client

FRESH_STARTS = 2  # an upload that the server forgot, or got wrong, begins anew this often
RESENDS = 3  # of one piece that arrived broken or at the wrong place

# Trouble of one photo alone; anything else (no network, revoked) would meet the next one too.
_ITS_OWN = frozenset(
    {"forbidden", "invalid", "too_large", "not_found", "gone", "checksum_mismatch", "locked",
     "offset_mismatch", "media_type", "bad_request", "corrupt", "missing", "unreadable"}
)  # fmt: skip
_DONE = ("verified", "refused", "corrupt", "stored")

Progress = Callable[[int, int, PhotoProgress | None], None]


@dataclass(frozen=True)
class Sending:
    """How photos are sent in this round.

    ``lanes`` is asked before every piece: how many may go side by side now, 0 for none. ``due``:
    only those whose time has come, at ``now`` (Unix ms). ``jitter``: random numbers in [0, 1).
    ``final``: this phone was revoked and hears no more than the uploads' answers; what the server
    forbids to send, since no transaction declares it there, is refused for good.
    """

    lanes: Callable[[], int]
    progress: Progress
    now: int
    jitter: Callable[[], float]
    due: bool = False
    final: bool = False


@dataclass
class Result:
    """What came of it. ``verified`` counts photos."""

    verified: int = 0
    troubles: list[RequestFailed] = field(default_factory=list)


class _Stopped(Exception):
    """No photo may go any more: the network changed, or the other lane met its end."""


def upload(store: Store, client: Client, how: Sending) -> Result:
    """Send the photos whose records the server has, in the order of `photo_queue.in_order`."""
    with store.reading() as db:
        waiting = queue.to_send(db, how.final)
    if how.due:
        longest = retry.LONGEST_MS
        waiting = [one for one in waiting if photo_queue.is_due(one, how.now, longest)]
    return _Round(store, client, how, waiting).run()


class _Round:
    """Photos on their way; lanes take the next one from a common list."""

    def __init__(self, store: Store, client: Client, how: Sending, todo: list[Waiting]) -> None:
        self._store, self._client, self._how = store, client, how
        self._todo, self._total, self._done = todo, len(todo), 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._result = Result()
        self._fatal: BaseException | None = None

    def run(self) -> Result:
        """Until the list is empty or nothing may go."""
        if not self._todo:
            return self._result
        self._how.progress(0, self._total, None)
        others = [
            threading.Thread(target=self._lane, args=(number,), name=f"photos-{number}")
            for number in range(1, min(self._how.lanes(), self._total))
        ]
        for thread in others:
            thread.start()
        self._lane(0)
        for thread in others:
            thread.join()
        if self._fatal is not None:
            raise self._fatal
        return self._result

    def _lane(self, number: int) -> None:
        """One photo after the other. Whatever ends one lane ends the others."""
        try:
            while (one := self._next(number)) is not None:
                self._one(one)
        except _Stopped:
            self._stop.set()
        except RequestFailed as failed:
            self._stop.set()
            with self._lock:
                self._result.troubles.append(failed)
        except BaseException as error:
            self._stop.set()
            with self._lock:
                self._fatal = self._fatal or error

    def _next(self, number: int) -> Waiting | None:
        if self._stop.is_set() or number >= self._how.lanes():
            return None
        with self._lock:
            return self._todo.pop(0) if self._todo else None

    def _one(self, photo: Waiting) -> None:
        try:
            state = self._send(photo)
        except RequestFailed as failed:
            if failed.code not in _ITS_OWN:
                raise
            if self._is_final(photo, failed):
                return
            with self._lock:
                self._result.troubles.append(failed)
        else:
            with self._lock:
                self._result.verified += state == "verified"
        with self._lock:
            self._done += 1
            done = self._done
        self._how.progress(done, self._total, None)

    def _is_final(self, photo: Waiting, failed: RequestFailed) -> bool:
        """Keep why a photo waits; whether it waits for nothing any more."""
        with self._store.writing() as db:
            if failed.code == "missing":
                photos.keep_state(db, photo.sha256, "missing", "missing")
            elif failed.code == "forbidden" and (
                self._how.final or not queue.is_wanted(db, photo.sha256)
            ):
                photos.keep_state(db, photo.sha256, "refused", "not_wanted")
                return True
            else:
                tries = photo.tries + 1
                wait = retry.delay_ms(tries, self._how.jitter(), failed.wait_ms)
                queue.keep_trouble(db, photo.sha256, failed.code, tries, self._how.now + wait)
        return False

    def _send(self, photo: Waiting) -> str:
        """Send one photo to its end; the final state."""
        data = _whole(self._store, photo.sha256)
        with self._store.reading() as db:
            url = queue.upload_url(db, photo.sha256)
        for _ in range(FRESH_STARTS + 1):
            state = self._once(data, photo, url)
            if state != "corrupt":
                return state
            url = None
        raise RequestFailed("corrupt", photo.sha256[:8])

    def _once(self, data: bytes, photo: Waiting, url: str | None) -> str:
        """From where the server stands to the end; ``corrupt`` where it must begin anew."""
        size = photo.size
        at = self._resume(url) if url else None
        if at is None:
            at = self._client.photo_begin(photo.sha256, size)
        if at.url is not None:
            self._keep(photo, at)
        while at.url is not None and at.state not in _DONE:
            if at.offset > size:
                return "corrupt"
            if at.offset == size:
                # All bytes are there, yet no word of what became of them: the pull will tell.
                break
            if self._stop.is_set() or not self._how.lanes():
                raise _Stopped
            after = self._piece(data, at)
            if after is None:
                return "corrupt"
            at = after
            self._keep(photo, at)
        state = at.state if at.state in ("verified", "refused", "corrupt") else "stored"
        with self._store.writing() as db:
            photos.keep_state(db, photo.sha256, state)
        return state

    def _resume(self, url: str) -> Upload | None:
        try:
            return self._client.photo_offset(url)
        except RequestFailed as failed:
            if _is_gone(failed):
                return None
            raise

    def _piece(self, photo: bytes, at: Upload) -> Upload | None:
        """Send the next piece, again where it went wrong; None where the upload is gone."""
        assert at.url is not None
        for attempt in range(RESENDS):
            data = photo[at.offset : at.offset + protocol.PHOTO_CHUNK]
            try:
                return self._client.photo_chunk(at.url, at.offset, data)
            except RequestFailed as failed:
                if _is_gone(failed):
                    return None
                if failed.code == "offset_mismatch":
                    at = self._client.photo_offset(at.url)
                    if at.state in ("verified", "refused") or not data:
                        return at
                elif failed.code != "checksum_mismatch" or attempt == RESENDS - 1:
                    raise
        raise RequestFailed("offset_mismatch", "the upload does not go on")

    def _keep(self, photo: Waiting, at: Upload) -> None:
        with self._store.writing() as db:
            photos.keep_upload(db, photo.sha256, at.url, at.offset)
        so_far = PhotoProgress(photo.sha256, at.offset, photo.size)
        self._how.progress(self._done, self._total, so_far)


def _is_gone(failed: RequestFailed) -> bool:
    return failed.code in ("not_found", "gone") or failed.status in (404, 410)


def _whole(store: Store, sha256: str) -> bytes:
    """The photo's bytes.

    Raises RequestFailed: ``missing`` where they are not there or not what they were, for good;
    ``unreadable`` where the phone cannot read them now, as when its memory is full.
    """
    try:
        data = photos.read(store, photos.path_of(store.folder, sha256))
    except (FileNotFoundError, ValueError):
        data = b""
    except OSError as error:
        raise RequestFailed("unreadable", f"{sha256[:8]}: {error}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RequestFailed("missing", f"{sha256[:8]} is not on this phone any more")
    return data
