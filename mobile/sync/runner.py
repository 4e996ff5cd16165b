"""One sync: push, pull, photos. Each may fail alone; trouble is reported, never raised."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Literal

import requests

from mobile.core import retry
from mobile.core.clock import Clock
from mobile.core.errors import SaveFailed
from mobile.core.views import SyncProgress, SyncReport, SyncTrouble
from mobile.storage import journal, meta, photos
from mobile.storage.store import Store
from mobile.sync.client import Client, RequestFailed
from mobile.sync.enrolment import told
from mobile.sync.pull import IdentityNeeded, Pulled, pull
from mobile.sync.push import new_identity, push
from mobile.sync.upload import upload
from shared import protocol

Stage = Literal["push", "pull", "photos"]
ROUNDS = 3  # a restored server or another identity means going round again, not for ever
# After these, another stage would only meet the same. A revoked phone may still hand in.
_HOPELESS = frozenset({"offline", "token_unknown", "sign_in_needed", "unavailable"})
_MAY_PASS = frozenset({"offline", "incomplete", "answer_invalid", "corrupt"})


class Runner:
    """Runs one sync at a time; the screens ask it through `phone.Phone`."""

    def __init__(self, store: Store, session: requests.Session, clock: Clock) -> None:
        self._store, self._session, self._clock = store, session, clock
        self._busy = threading.Lock()

    def sync(
        self, progress: Callable[[SyncProgress], None] | None, send_photos: bool
    ) -> SyncReport:
        """Push, pull, photos; a second call meanwhile reports ``busy``."""
        if not self._busy.acquire(blocking=False):
            return _report(_Work(self._store, progress), [_trouble("sync", "busy", True)], None)
        try:
            return self._sync(progress, send_photos)
        finally:
            self._busy.release()

    def connect(self) -> Client:
        """A client with the present token."""
        with self._store.reading() as db:
            return Client(meta.get(db, "server"), meta.get(db, "token"), self._session)

    def _sync(
        self, progress: Callable[[SyncProgress], None] | None, send_photos: bool
    ) -> SyncReport:
        work = _Work(self._store, progress)
        with self._store.reading() as db:
            if meta.identity(db) is None:
                return _report(work, [_trouble("sync", "not_enrolled", False)], None)
        wait_ms = self._text(work)
        if send_photos and not work.hopeless:
            wait_ms = max(wait_ms, self._photos(work))
        return self._end(work, wait_ms)

    def _text(self, work: _Work) -> int:
        """Push and pull until nothing more follows from what was heard; the wait asked for."""
        wait_ms = 0
        for _ in range(ROUNDS):
            work.troubles.clear()
            again = False
            try:
                work.pushed += push(self._store, self.connect, self._clock, work.tell("push"))
            except RequestFailed as failed:
                wait_ms = max(wait_ms, failed.wait_ms)
                again = failed.code == "epoch_changed"
                if not again:
                    work.failed("push", failed)
            except SaveFailed as failed:
                work.storage("push", failed)
            if work.hopeless:
                return wait_ms
            try:
                pulled = self._pull(work)
                if pulled is None:
                    # Another identity: the rest goes out under it, in the next round.
                    work.troubles.append(_trouble("pull", "identity_needed", True))
                    continue
                work.received += pulled.rows
                again |= pulled.renewed or bool(pulled.mismatched)
                if pulled.mismatched:
                    work.troubles.append(_trouble("pull", "checksum_mismatch", True))
            except RequestFailed as failed:
                wait_ms = max(wait_ms, failed.wait_ms)
                work.failed("pull", failed)
                return wait_ms
            except SaveFailed as failed:
                work.storage("pull", failed)
                return wait_ms
            if not again:
                break
        return wait_ms

    def _pull(self, work: _Work) -> Pulled | None:
        try:
            return pull(self._store, self.connect(), self._clock, work.tell("pull"))
        except IdentityNeeded:
            new_identity(self._store, self.connect)
            return None

    def _photos(self, work: _Work) -> int:
        wait_ms = 0
        try:
            verified, troubles = upload(self._store, self.connect(), work.tell("photos"))
            work.photos += verified
            for failed in troubles:
                wait_ms = max(wait_ms, failed.wait_ms)
                work.failed("photos", failed)
            if verified:
                # The originals may go only once "verified" was pulled: hear it at once.
                work.received += pull(
                    self._store, self.connect(), self._clock, work.tell("pull")
                ).rows
        except IdentityNeeded:
            pass  # the next sync asks for one
        except RequestFailed as failed:
            wait_ms = max(wait_ms, failed.wait_ms)
            work.failed("photos", failed)
        except SaveFailed as failed:
            work.storage("photos", failed)
        return wait_ms

    def _end(self, work: _Work, wait_ms: int) -> SyncReport:
        """Tidy up, and note how it went for the next try and for the sync screen."""
        retry_in: int | None = None
        try:
            with self._store.reading() as db:
                waiting, _ = journal.waiting(db)
                server_time = meta.number(db, "server_time")
                failures = meta.number(db, "failures")
            if server_time:
                photos.remove_originals(self._store, server_time)
            if any(trouble.retry for trouble in work.troubles):
                failures += 1
                retry_in = retry.delay_ms(failures, random.random(), wait_ms)
            else:
                failures = 0
            with self._store.writing() as db:
                meta.put(db, "failures", failures)
                codes = {trouble.code for trouble in work.troubles}
                meta.put(db, "last_error", work.troubles[0].code if work.troubles else "")
                if not codes & {"offline", "answer_invalid"}:
                    meta.put(db, "last_contact", self._clock.wall())
        except SaveFailed as failed:
            work.storage("sync", failed)
            waiting = 0
        return _report(work, work.troubles, retry_in, waiting)


class _Work:
    """What one sync has done so far."""

    def __init__(self, store: Store, progress: Callable[[SyncProgress], None] | None) -> None:
        self.store = store
        self.pushed = self.received = self.photos = 0
        self.troubles: list[SyncTrouble] = []
        self._progress = progress

    @property
    def hopeless(self) -> bool:
        return any(trouble.code in _HOPELESS for trouble in self.troubles)

    def tell(self, stage: Stage) -> Callable[[int, int], None]:
        def told_so_far(done: int, total: int) -> None:
            if self._progress is not None:
                self._progress(SyncProgress(stage, done, total))

        return told_so_far

    def failed(self, stage: Stage, failed: RequestFailed) -> None:
        may_pass = failed.code in _MAY_PASS or protocol.may_retry(failed.code)
        self.troubles.append(_trouble(stage, failed.code, may_pass and failed.code != "missing"))

    def storage(self, stage: Literal["push", "pull", "photos", "sync"], failed: SaveFailed) -> None:
        self.troubles.append(
            SyncTrouble(stage, failed.code, failed.message_zh, failed.message_en, True)
        )


def _trouble(
    stage: Literal["push", "pull", "photos", "sync"], code: str, may_pass: bool
) -> SyncTrouble:
    return SyncTrouble(stage, code, told(code), told(code, "en"), may_pass)


def _report(
    work: _Work, troubles: list[SyncTrouble], retry_in: int | None, waiting: int = 0
) -> SyncReport:
    complete = not troubles and not waiting
    return SyncReport(work.pushed, work.received, work.photos, tuple(troubles), complete, retry_in)
