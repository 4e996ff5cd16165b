"""The text half of a sync: push and pull, again while something follows from what was heard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mobile.core.clock import Clock
from mobile.core.errors import SaveFailed
from mobile.storage import meta
from mobile.storage.store import Store
from mobile.sync import offering
from mobile.sync.failure import RequestFailed
from mobile.sync.pull import IdentityNeeded, Pulled, Rewound, pull
from mobile.sync.push import ask, new_identity, push
from mobile.sync.work import Work

if TYPE_CHECKING:
    from mobile.sync.client import Client

# A restored server, another identity, the steps of a repair: going round again, not for ever.
ROUNDS = 7
_TOLD = {"token_revoked": "revoked", "upgrade_required": "upgrade"}


class Exchange:
    """Push and pull of one sync. ``connect`` gives a client with the present token."""

    def __init__(
        self, store: Store, connect: Callable[[], Client], clock: Clock, work: Work
    ) -> None:
        self._store, self._connect, self._clock, self._work = store, connect, clock, work
        self._trusted = False  # the server was asked whether it lost what this phone remembers

    def run(self) -> None:
        """Until nothing more follows; trouble is noted in the work, never raised."""
        self._renew()
        for _ in range(ROUNDS):
            self._work.troubles.clear()
            again = self._push()
            if self._work.hopeless:
                return
            try:
                again |= self._pull()
            except RequestFailed as failed:
                self._work.failed("pull", failed)
                self._note(failed.code)
                return
            except SaveFailed as failed:
                self._work.storage("pull", failed)
                return
            if not again:
                break
        self._offer()

    def _renew(self) -> None:
        """A rebuilt store takes another identity; a revoked phone hands in under its own."""
        with self._store.reading() as db:
            if not meta.get(db, "rebuilt"):
                return
        with suppress(RequestFailed):  # whatever it is, the push meets it too and says so
            new_identity(self._store, self._connect)

    def _push(self) -> bool:
        try:
            self._work.pushed += push(
                self._store, self._connect, self._clock, self._work.tell("push")
            )
        except RequestFailed as failed:
            if failed.code == "epoch_changed":
                return True
            self._work.failed("push", failed)
        except SaveFailed as failed:
            self._work.storage("push", failed)
        return False

    def _pull(self) -> bool:
        """One pull; whether another round is needed."""
        try:
            pulled = self.pull()
        except IdentityNeeded:
            # The rest goes out under another identity, in the next round.
            new_identity(self._store, self._connect)
            self._work.add("pull", "identity_needed", True)
            return True
        except Rewound as found:
            self._ask(found)
            self._work.add("pull", "epoch_changed", True)
            return True
        self._work.received += pulled.rows
        self._note("")
        if pulled.mismatched:
            self._work.add("pull", "checksum_mismatch", True)
        if pulled.suspects and not self._trusted:
            self._ask(Rewound(pulled.suspects))
        return pulled.renewed or bool(pulled.mismatched)

    def pull(self) -> Pulled:
        """One pull as it is. Raises RequestFailed, SaveFailed, IdentityNeeded, Rewound."""
        return pull(
            self._store, self._connect(), self._clock, self._work.tell("pull"), self._trusted
        )

    def _ask(self, found: Rewound) -> None:
        """Ask whether the server lost what this phone remembers; it opens a new epoch if so."""
        try:
            ask(self._store, self._connect(), self._clock, found.heads)
            self._trusted = True
        except RequestFailed as failed:
            if failed.code != "epoch_changed":
                raise

    def _offer(self) -> None:
        try:
            offering.send(self._store, self._connect())
        except RequestFailed as failed:
            self._work.failed("pull", failed)
        except SaveFailed as failed:
            self._work.storage("pull", failed)

    def _note(self, code: str) -> None:
        """Keep whether this phone was revoked or is too old; a pull that came says neither."""
        wanted = {name: "1" if told == code else "" for told, name in _TOLD.items()}
        if code and code not in _TOLD:
            return
        with self._store.reading() as db:
            if all(meta.get(db, name) == value for name, value in wanted.items()):
                return
        with self._store.writing() as db:
            for name, value in wanted.items():
                meta.put(db, name, value)
