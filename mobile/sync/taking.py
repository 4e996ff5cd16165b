"""Taking a photo, so that a kill at any moment loses neither the photo nor what was typed.

1. draft and note are written in one transaction; 2. the camera writes its file; 3. the picture is
made ready and put on the disk under its hash; 4. it enters the draft and the note goes, in one
transaction; 5. the camera's file is removed. What a kill left undone is done at the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from mobile.core import photo as pictures
from mobile.core.clock import Clock
from mobile.core.errors import PhotoInvalid, SaveFailed
from mobile.core.written import Capture, DraftPhoto, LeftBehind, PreparedPhoto
from mobile.storage import captures, drafts, photos
from mobile.storage.store import Store
from shared import ids

Position = Mapping[str, float]


class Taking:
    """The photo half of `phone.Phone`."""

    def __init__(
        self, store: Store, clock: Clock, inbox: Path, new_id: Callable[[], str] = ids.new_id
    ) -> None:
        self._store, self._clock, self._inbox, self._new_id = store, clock, inbox, new_id

    def begin(
        self,
        key: str,
        values: Mapping[str, Any],
        kept: tuple[DraftPhoto, ...],
        phase: str,
        road: tuple[str, Mapping[str, Any]],
    ) -> Capture:
        """`Phone.begin_photo`."""
        captures.make(self._inbox)
        now = self._clock.wall()
        with self._store.writing() as db:
            drafts.keep(db, key, values, kept, now)
            return captures.begin(db, self._inbox, self._new_id(), key, phase, road, now)

    def take_in(
        self, capture_id: str, source: Path | None, position: Position | None
    ) -> DraftPhoto | None:
        """`Phone.take_in`."""
        with self._store.reading() as db:
            capture = captures.get(db, self._inbox, capture_id)
        if capture is None:
            return None
        source = source or capture.path
        try:
            ready = self.prepare(source)
        except PhotoInvalid:
            self.give_up(capture_id)
            raise
        taken = DraftPhoto(ready, capture.phase, capture.begun_at, position)
        with self._store.writing() as db:
            draft = drafts.get(db, capture.draft_key)
            if draft is not None:
                kept = (*draft.photos, taken)
                drafts.keep(db, draft.key, draft.values, kept, self._clock.wall())
            captures.drop(db, capture_id)
        captures.remove(self._inbox, source)
        captures.remove(self._inbox, capture.path)
        return taken if draft is not None else None

    def prepare(self, source: Path | bytes) -> PreparedPhoto:
        """`Phone.prepare_photo`."""
        picture = pictures.prepare(source)
        path = photos.put(self._store, picture)
        size = len(picture.data)
        return PreparedPhoto(picture.sha256, size, picture.width, picture.height, path)

    def give_up(self, capture_id: str) -> None:
        """`Phone.give_up_photo`."""
        with self._store.writing() as db:
            captures.drop(db, capture_id)
        captures.remove(self._inbox, captures.path_of(self._inbox, capture_id))

    def left_behind(self, live: Collection[str]) -> list[LeftBehind]:
        """`Phone.photos_left_behind`."""
        with self._store.reading() as db:
            noted = captures.every(db, self._inbox)
        found = []
        for capture in noted:
            if capture.id in live:
                continue
            if captures.is_there(capture):
                found.append(self._take_left(capture))
            elif captures.is_old(capture, self._clock.wall()):
                self.give_up(capture.id)
        if not live:
            captures.sweep(self._store, self._inbox)
        return found

    def _take_left(self, capture: Capture) -> LeftBehind:
        trouble: PhotoInvalid | SaveFailed | None = None
        try:
            self.take_in(capture.id, None, None)
        except (PhotoInvalid, SaveFailed) as error:
            trouble = error
        return LeftBehind(capture.page, capture.args, trouble)
