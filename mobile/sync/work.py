"""What one sync has done so far, and what went wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from mobile.core.errors import SaveFailed
from mobile.core.told import PhotoProgress, SyncProgress, SyncReport, SyncTrouble
from mobile.sync.enrolment import told
from mobile.sync.failure import RequestFailed
from shared import protocol

Stage = Literal["push", "pull", "photos"]
# After these, another stage would only meet the same. A revoked phone may still hand in.
_HOPELESS = frozenset({"offline", "token_unknown", "sign_in_needed", "unavailable"})
_MAY_PASS = frozenset({"offline", "incomplete", "answer_invalid", "corrupt", "unreadable"})


class Work:
    """The counts and troubles of one sync."""

    def __init__(self, progress: Callable[[SyncProgress], None] | None) -> None:
        self.pushed = self.received = self.photos = self.wait_ms = 0
        self.troubles: list[SyncTrouble] = []
        self._progress = progress

    @property
    def hopeless(self) -> bool:
        """Whether nothing more can be done now."""
        return any(trouble.code in _HOPELESS for trouble in self.troubles)

    @property
    def codes(self) -> set[str]:
        """What went wrong."""
        return {trouble.code for trouble in self.troubles}

    def tell(self, stage: Stage) -> Callable[[int, int], None]:
        """The progress of a stage, for whoever looks on."""

        def told_so_far(done: int, total: int) -> None:
            if self._progress is not None:
                self._progress(SyncProgress(stage, done, total))

        return told_so_far

    def tell_photo(self, done: int, total: int, photo: PhotoProgress | None) -> None:
        """The progress of the photos, and of one of them."""
        if self._progress is not None:
            self._progress(SyncProgress("photos", done, total, photo))

    def failed(self, stage: Stage, failed: RequestFailed) -> None:
        """A request brought no answer."""
        self.wait_ms = max(self.wait_ms, failed.wait_ms)
        may_pass = failed.code in _MAY_PASS or protocol.may_retry(failed.code)
        self.add(stage, failed.code, may_pass and failed.code != "missing")

    def storage(self, stage: Literal["push", "pull", "photos", "sync"], failed: SaveFailed) -> None:
        """The store would not take it."""
        self.troubles.append(
            SyncTrouble(stage, failed.code, failed.message_zh, failed.message_en, True)
        )

    def add(self, stage: Literal["push", "pull", "photos", "sync"], code: str, retry: bool) -> None:
        """A trouble by its code."""
        self.troubles.append(SyncTrouble(stage, code, told(code), told(code, "en"), retry))

    def report(self, retry_in: int | None = None, waiting: int = 0) -> SyncReport:
        """What the screens are told."""
        complete = not self.troubles and not waiting
        return SyncReport(
            self.pushed, self.received, self.photos, tuple(self.troubles), complete, retry_in
        )
