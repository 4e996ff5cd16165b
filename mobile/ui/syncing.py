"""When the phone syncs, and what the strip on every tab says about it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kivy.clock import Clock
from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty

from mobile.sync.phone import Phone, SyncProgress, SyncReport, SyncStatus
from mobile.ui.threads import Bridge
from mobile.ui.words import tr

log = logging.getLogger(__name__)

EVERY_SECONDS = 300
AFTER_SAVE_SECONDS = 2
ON_THE_PHONE = ("waiting", "uploading", "corrupt")
BACK = ("returned", "held")


class Syncer(EventDispatcher):
    """One sync at a time. ``on_done(report)`` follows each, on the Kivy thread."""

    running = BooleanProperty(False)
    stage = StringProperty()
    part = NumericProperty(0)
    waiting = NumericProperty(0)
    back = NumericProperty(0)
    disputed = NumericProperty(0)
    status: SyncStatus | None = ObjectProperty(None, allownone=True)
    report: SyncReport | None = ObjectProperty(None, allownone=True)

    def __init__(self, phone: Phone, bridge: Bridge, by_itself: bool = True) -> None:
        self.register_event_type("on_done")
        super().__init__()
        self._phone, self._bridge, self._by_itself = phone, bridge, by_itself
        self._soon = Clock.create_trigger(lambda _: self.start(), AFTER_SAVE_SECONDS)
        self._regular = Clock.schedule_interval(lambda _: self.start(), EVERY_SECONDS)
        if not by_itself:
            self._regular.cancel()

    def on_done(self, report: SyncReport) -> None:
        """A sync has ended."""

    def start(self) -> None:
        """Sync now, unless that is under way or nobody is enrolled."""
        if self.running:
            return
        self.running, self.stage, self.part = True, tr("正在联系服务器…"), 0

        def work() -> SyncReport | None:
            if not self._phone.enrolled:
                return None
            sparing = self._phone.setting("photos_on_wifi_only") == "1"
            texts_only = sparing and not self._on_wifi()
            return self._phone.sync(
                lambda now: self._bridge.tell(self._progress, now), photos=not texts_only
            )

        self._bridge.slow(work, self._ended, self._broke)

    def saved(self) -> None:
        """Something was saved: count again now, sync in a moment."""
        self.count()
        if self._by_itself:
            self._soon()

    def count(self, then: Callable[[], None] | None = None) -> None:
        """Read again what waits."""

        def arrived(status: SyncStatus) -> None:
            self.status = status
            held = sum(photo.state in ON_THE_PHONE for photo in status.photos_waiting)
            self.waiting = status.waiting + held
            self.back, self.disputed = not_accepted(status)
            if then:
                then()

        self._bridge.quick(self._phone.status, arrived)

    def stop(self) -> None:
        """The app closes."""
        self._regular.cancel()
        self._soon.cancel()

    def _on_wifi(self) -> bool:
        return True  # a desktop; Android asks its ConnectivityManager

    def _progress(self, now: SyncProgress) -> None:
        words = {
            "push": tr("正在上传记录"),
            "pull": tr("正在下载更新"),
            "photos": tr("正在上传照片"),
        }[now.stage]
        self.part = now.done / now.total if now.total else 0
        self.stage = f"{words} {now.done} / {now.total}" if now.total else f"{words} {now.done}"

    def _ended(self, report: SyncReport | None) -> None:
        self.running = False
        if report is not None:
            self.report = report
            self.count(lambda: self.dispatch("on_done", report))

    def _broke(self, error: Exception) -> None:
        log.error("the sync broke", exc_info=error)
        self.running = False
        self.count()


def not_accepted(status: SyncStatus) -> tuple[int, int]:
    """How many saves were held or returned, and how many wait for a verdict."""
    places = [item.place for item in status.items]
    return sum(place in BACK for place in places), places.count("conflict")


def strip_words(waiting: Any, back: Any = 0, disputed: Any = 0) -> str:
    """What the strip says."""
    if waiting:
        return tr("待上传 {n}", n=int(waiting))
    if back:
        return tr("{n} 条没收下", n=int(back))
    return tr("{n} 条待裁定", n=int(disputed)) if disputed else tr("全部安全")


def strip_icon(waiting: Any, back: Any = 0, disputed: Any = 0) -> str:
    """The shape beside it."""
    if waiting:
        return "cloud_up"
    return "flag" if back else "split" if disputed else "cloud_check"
