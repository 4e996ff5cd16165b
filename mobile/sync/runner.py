"""One sync: push, pull, photos. Each may fail alone; trouble is reported, never raised."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mobile.core import retry
from mobile.core.clock import Clock
from mobile.core.errors import SaveFailed
from mobile.core.told import SyncProgress, SyncReport
from mobile.storage import journal, meta, photos, retention, status, unsent
from mobile.storage.store import Store
from mobile.storage.wipe import wipe
from mobile.sync import feedback, looks
from mobile.sync.exchange import Exchange
from mobile.sync.failure import RequestFailed
from mobile.sync.pull import IdentityNeeded, Rewound
from mobile.sync.upload import Sending, upload
from mobile.sync.work import Work

if TYPE_CHECKING:
    import requests

    from mobile.sync.client import Client

# What a server says that is older than this app and has no such address: it waits.
_NOT_KNOWN = frozenset({"not_found", "method_not_allowed"})


class Runner:
    """Runs one sync at a time; the screens ask it through `phone.Phone`."""

    def __init__(self, store: Store, session: Callable[[], requests.Session], clock: Clock) -> None:
        self._store, self._session, self._clock = store, session, clock
        self._busy = threading.Lock()

    def sync(
        self, progress: Callable[[SyncProgress], None] | None, lanes: Callable[[], int], due: bool
    ) -> SyncReport:
        """Push, pull, photos; a second call meanwhile reports ``busy``.

        ``lanes`` and ``due`` as in `upload.Sending`.
        """
        work = Work(progress)
        if not self._busy.acquire(blocking=False):
            work.add("sync", "busy", True)
            return work.report()
        try:
            return self._sync(work, lanes, due)
        finally:
            self._busy.release()

    def wipe(self) -> None:
        """Remove everything once no sync is under way. Raises SaveFailed."""
        with self._busy:
            wipe(self._store)

    def connect(self) -> Client:
        """A client with the present token."""
        from mobile.sync.client import Client

        with self._store.reading() as db:
            return Client(meta.get(db, "server"), meta.get(db, "token"), self._session())

    def _sync(self, work: Work, lanes: Callable[[], int], due: bool) -> SyncReport:
        with self._store.reading() as db:
            if meta.identity(db) is None:
                work.add("sync", "not_enrolled", False)
                return work.report()
        exchange = Exchange(self._store, self.connect, self._clock, work)
        exchange.run()
        if not work.hopeless and not work.codes & {"token_revoked", "identity_needed"}:
            self._beside(work, lambda it: feedback.exchange(self._store, it, self._clock.wall()))
            self._beside(work, lambda it: looks.tell(self._store, it))
            self._unsent_key()
        if not work.hopeless and lanes():
            self._photos(work, exchange, lanes, due)
        return self._end(work)

    def _beside(self, work: Work, talk: Callable[[Client], None]) -> None:
        """What is told beside the records; an older server does not know all of it."""
        try:
            talk(self.connect())
        except RequestFailed as failed:
            if failed.code not in _NOT_KNOWN:
                work.failed("push", failed)
        except SaveFailed as failed:
            work.storage("push", failed)

    def _unsent_key(self) -> None:
        """Once: the server's key, so that what cannot be sent can be handed over sealed."""
        with self._store.reading() as db:
            if meta.get(db, unsent.KEY):
                return
        with suppress(RequestFailed, SaveFailed):  # it is asked for at the next sync
            key = self.connect().unsent_key()
            with self._store.writing() as db:
                meta.put(db, unsent.KEY, key)

    def _photos(self, work: Work, exchange: Exchange, lanes: Callable[[], int], due: bool) -> None:
        how = Sending(
            lanes=lanes,
            progress=work.tell_photo,
            now=self._clock.wall(),
            jitter=random.random,
            due=due,
            final="token_revoked" in work.codes,
        )
        try:
            result = upload(self._store, self.connect(), how)
            work.photos += result.verified
            for failed in result.troubles:
                work.failed("photos", failed)
            if result.verified and not work.codes & {"token_revoked", "upgrade_required"}:
                # The originals may go only once "verified" was pulled: hear it at once.
                work.received += exchange.pull().rows
        except (IdentityNeeded, Rewound):
            pass  # the next sync sees to it
        except RequestFailed as failed:
            work.failed("photos", failed)
        except SaveFailed as failed:
            work.storage("photos", failed)

    def _end(self, work: Work) -> SyncReport:
        """Tidy up, and note how it went for the next try and for the sync screen."""
        retry_in: int | None = None
        try:
            with self._store.reading() as db:
                waiting, _ = journal.waiting(db)
                server_time = meta.number(db, "server_time")
                failures = meta.number(db, "failures")
            if server_time:
                photos.remove_originals(self._store, server_time)
            if server_time and not work.troubles:
                retention.tidy(self._store, server_time)
            if any(trouble.retry for trouble in work.troubles):
                failures += 1
                retry_in = retry.delay_ms(failures, random.random(), work.wait_ms)
            else:
                failures = 0
            with self._store.writing() as db:
                meta.put(db, "failures", failures)
                meta.put(db, "last_error", work.troubles[0].code if work.troubles else "")
                if not work.codes & {"offline", "answer_invalid"}:
                    meta.put(db, "last_contact", self._clock.wall())
            if "token_revoked" in work.codes:
                self._leave()
        except SaveFailed as failed:
            work.storage("sync", failed)
            waiting = 0
        return work.report(retry_in, waiting)

    def _leave(self) -> None:
        """A revoked phone that has handed in says so; if it is still revoked then, it is wiped."""
        with self._store.reading() as db:
            handed_in = status.handed_in(db)
            said = meta.get(db, "handed_in") == "1"
        if handed_in and said:
            wipe(self._store, revoked=True)
        elif handed_in != said:
            with self._store.writing() as db:
                meta.put(db, "handed_in", "1" if handed_in else "")
