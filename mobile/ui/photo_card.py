"""A photo that is not safe yet: whose it is, how far it is, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mobile.core.photo_queue import Verdict
from mobile.sync.phone import WaitingPhoto
from mobile.ui import photo_states
from mobile.ui.parts import LinkCard
from mobile.ui.syncing import Syncer
from mobile.ui.times import moment
from mobile.ui.words import pick, tr
from shared import records


class PhotoCard(LinkCard):
    """Follows its photo while a sync sends it."""

    def __init__(
        self,
        photo: WaitingPhoto,
        syncer: Syncer,
        verdict: Verdict,
        now: int,
        open_it: Callable[[str, str], Any],
    ) -> None:
        self._photo, self._verdict, self._now = photo, verdict, now
        super().__init__(title=photo.owner_name or tr("手机上没有的记录"))
        self.bind(on_release=lambda _: open_it(photo.owner_kind, photo.owner_id))
        syncer.bind(flying=self._fly)
        self._fly(syncer, syncer.flying)

    def _fly(self, _: Any, flying: dict[str, int]) -> None:
        photo = self._photo
        sent = flying.get(photo.sha256)
        state = photo_states.photo(photo, self._verdict, sent, self._now)
        self.badge, self.badge_icon, self.badge_tone = state
        what = tr("{what}的照片", what=_kind(photo.owner_kind))
        when = moment(photo.owner_at, self._now)
        self.line = " · ".join(filter(None, (what, when)))
        self.aside = photo_states.so_far(photo, sent)
        if photo.urgent:
            self.badge2, self.badge2_icon, self.badge2_tone = tr("急"), "flag", "danger"


def _kind(name: str) -> str:
    kind = records.KINDS.get(name)
    return pick(kind.zh, kind.en) if kind else name
