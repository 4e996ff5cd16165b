"""Setting, changing and taking away the PIN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.storage import lock
from mobile.storage.lock import Lock, PinRefused
from mobile.sync.phone import PhoneError
from mobile.ui import pinpad as _pinpad  # noqa: F401  the rule of the keys
from mobile.ui.page import Page
from mobile.ui.words import pick, tr

OLD, NEW, AGAIN = "old", "new", "again"


class PinPage(Page):
    """One thing after the other: the old PIN if there is one, the new one, the new one again."""

    subtitle = StringProperty()
    ask = StringProperty()
    removable = BooleanProperty(False)
    step = StringProperty(NEW)

    def enter(self) -> None:
        """From the first step."""
        gate = self.around.gate
        assert gate is not None
        self.ids.pad.typed = self.ids.pad.problem = self._new = ""
        self._had = gate.state.has_pin
        self._alone = len(gate.people.everyone()) < 2
        self._go(OLD if self._had else NEW)

    def resume(self) -> None:
        """As it was left."""

    def _go(self, step: str) -> None:
        self.step = step
        self.ask = {
            OLD: tr("请输入现在的密码"),
            NEW: tr("请输入新的六位密码"),
            AGAIN: tr("请再输入一遍"),
        }[step]
        self.subtitle = tr("输错五次要用新的登记码登录，内容不会丢") if step == NEW else ""
        self.removable = step == NEW and self._had and self._alone

    def typed(self, digits: str) -> None:
        """Six digits for the present step."""
        {OLD: self._old, NEW: self._first, AGAIN: self._second}[self.step](digits)

    def _old(self, digits: str) -> None:
        gate = self.around.gate
        assert gate is not None

        def tried(now: Lock) -> None:
            if now.out:
                gate.lock()
            elif now.tries_left < lock.TRIES:
                self.ids.pad.problem = tr("密码不对，还可以试{n}次", n=now.tries_left)
            else:
                self._go(NEW)

        self._busy(lambda: gate.unlock(digits), tried)

    def _first(self, digits: str) -> None:
        try:
            lock.check_pin(digits)
        except PinRefused as refused:
            self.ids.pad.problem = pick(refused.message_zh, refused.message_en)
            return
        self._new = digits
        self._go(AGAIN)

    def _second(self, digits: str) -> None:
        gate = self.around.gate
        assert gate is not None
        if digits != self._new:
            self._go(NEW)
            self.ids.pad.problem = tr("两遍不一样，请重新输入")
            return

        def done(_: object) -> None:
            self.shell.back()
            self.shell.say(tr("密码已设好"), "disc_check")

        self._busy(lambda: gate.set_pin(digits), done)

    def remove(self) -> None:
        """No PIN any more."""
        gate = self.around.gate
        assert gate is not None and gate.folder is not None
        folder = gate.folder

        def done(_: object) -> None:
            self.shell.back()
            self.shell.say(tr("已经没有密码了"), "info")

        self._busy(lambda: lock.clear_pin(folder), done)

    def _busy(self, work: Any, then: Any) -> None:
        self.ids.pad.disabled = True

        def arrived(found: Any) -> None:
            self.ids.pad.disabled = False
            then(found)

        def failed(error: Exception) -> None:
            self.ids.pad.disabled = False
            if isinstance(error, PhoneError):
                self.ids.pad.problem = pick(error.message_zh, error.message_en)
            else:
                self.shell.failed(error)

        self.around.bridge.quick(work, arrived, failed)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
