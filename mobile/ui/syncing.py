"""When the phone syncs, and what the strip on every tab says about it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kivy.clock import Clock
from kivy.event import EventDispatcher
from kivy.properties import (
    BooleanProperty,
    DictProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)

from mobile.core import photo_queue
from mobile.core.photo_queue import Policy, Verdict
from mobile.sync.phone import Phone, SyncProgress, SyncReport, SyncStatus
from mobile.ui.photo_states import ON_THE_PHONE
from mobile.ui.ports import NetworkKind
from mobile.ui.threads import Bridge
from mobile.ui.words import tr

log = logging.getLogger(__name__)

PHOTOS_ON = "photos_on"  # the setting: any, wifi or ask
EVERY_SECONDS = 300
AFTER_SAVE_SECONDS = 2
BACK = ("returned", "held")


class Syncer(EventDispatcher):
    """One sync at a time. ``on_done(report)`` follows each, on the Kivy thread.

    ``allowed``: what the person answered in this session about photos over mobile data, None
    before that. ``flying``: photo -> bytes sent so far, while a sync sends photos.
    """

    running = BooleanProperty(False)
    stage = StringProperty()
    part = NumericProperty(0)
    waiting = NumericProperty(0)
    back = NumericProperty(0)
    disputed = NumericProperty(0)
    flying = DictProperty()
    status: SyncStatus | None = ObjectProperty(None, allownone=True)
    report: SyncReport | None = ObjectProperty(None, allownone=True)
    allowed: bool | None = ObjectProperty(None, allownone=True)

    def __init__(
        self, phone: Phone, bridge: Bridge, network: NetworkKind, by_itself: bool = True
    ) -> None:
        self.register_event_type("on_done")
        super().__init__()
        self._phone, self._bridge, self._by_itself = phone, bridge, by_itself
        self._network = network
        self._soon = Clock.create_trigger(lambda _: self.start(by_itself=True), AFTER_SAVE_SECONDS)
        self._regular = Clock.schedule_interval(lambda _: self.start(by_itself=True), EVERY_SECONDS)
        self._again: Any = None
        self._stopped = False
        if not by_itself:
            self._regular.cancel()

    def on_done(self, report: SyncReport) -> None:
        """A sync has ended."""

    def verdict_now(self) -> Verdict:
        """Whether photos may go now; else what they wait for. For a worker thread."""
        return photo_queue.verdict(policy_of(self._phone), self._network.kind(), self.allowed)

    def start(self, by_itself: bool = False) -> None:
        """Sync now, unless that is under way or nobody is enrolled.

        ``by_itself``: nobody asked for it; photos that failed wait for their time.
        """
        if self.running or self._stopped:
            return
        self.running, self.stage, self.part = True, tr("正在联系服务器…"), 0
        if self._again:
            self._again.cancel()

        def work() -> SyncReport | None:
            if not self._phone.enrolled:
                return None
            policy = policy_of(self._phone)

            def lanes() -> int:
                network = self._network.kind()
                verdict = photo_queue.verdict(policy, network, self.allowed)
                return photo_queue.lanes(verdict, network)

            return self._phone.sync(
                lambda now: self._bridge.tell(self._progress, now),
                lanes=lanes,
                by_itself=by_itself,
            )

        self._bridge.slow(work, self._ended, self._broke)

    def allow(self, allowed: bool) -> None:
        """The person's answer for this session: photos over mobile data, or not."""
        self.allowed = allowed
        if allowed:
            self.start()

    def saved(self) -> None:
        """Something was saved: count again now, sync in a moment."""
        self.count()
        if self._by_itself and not self._stopped:
            self._soon()

    def count(self, then: Callable[[], None] | None = None) -> None:
        """Read again what waits, and whether photos may go."""
        if self._stopped:
            return

        def arrived(status: SyncStatus) -> None:
            self.status = status
            held = sum(photo.state in ON_THE_PHONE for photo in status.photos_waiting)
            self.waiting = status.waiting + held
            self.back, self.disputed = not_accepted(status)
            if then:
                then()

        self._bridge.quick(self._phone.status, arrived)

    def stop(self) -> None:
        """The app closes, or another person comes: the store is not looked at any more."""
        self._stopped = True
        self._regular.cancel()
        self._soon.cancel()
        if self._again:
            self._again.cancel()

    def _progress(self, now: SyncProgress) -> None:
        if now.photo:
            self.flying[now.photo.sha256] = now.photo.sent
        words = {
            "push": tr("正在上传记录"),
            "pull": tr("正在下载更新"),
            "photos": tr("正在上传照片"),
        }[now.stage]
        self.part = now.done / now.total if now.total else 0
        self.stage = f"{words} {now.done} / {now.total}" if now.total else f"{words} {now.done}"

    def _ended(self, report: SyncReport | None) -> None:
        self.running = False
        self.flying = {}
        if report is not None:
            self.report = report
            if report.retry_in_ms and self._by_itself and not self._stopped:
                self._again = Clock.schedule_once(
                    lambda _: self.start(by_itself=True), report.retry_in_ms / 1000
                )
            self.count(lambda: self.dispatch("on_done", report))

    def _broke(self, error: Exception) -> None:
        log.error("the sync broke", exc_info=error)
        self.running = False
        self.flying = {}
        self.count()


def policy_of(phone: Phone) -> Policy:
    """The person's choice about photos on mobile data."""
    return photo_queue.policy_of(
        phone.setting(PHOTOS_ON), phone.setting("photos_on_wifi_only") == "1"
    )


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
