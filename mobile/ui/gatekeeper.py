"""Who may come in: opens stores, asks for the PIN, locks when nobody has touched the phone.

Opening, PINs and sealing run on worker threads; the Kivy thread only draws the gate.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.core.window import Window

from mobile.storage import lock, rescue
from mobile.storage.lock import Lock
from mobile.storage.people import People, Someone
from mobile.sync.phone import Phone, PhoneError, SaveFailed
from mobile.ui import theme, words
from mobile.ui.gate import Gate
from mobile.ui.handing import Handing, Way, hand_over
from mobile.ui.threads import Bridge
from mobile.ui.words import pick, tr

LOCK_AFTER_SECONDS = 300  # a photo, a call, a look at the map: nobody types a PIN for these
LOOK_EVERY_SECONDS = 5
OPENING_AFTER_SECONDS = 0.2  # most stores are open by then, and nobody reads a page that flashes
log = logging.getLogger(__name__)


class Gatekeeper:
    """Between the stores on this phone and the pages.

    ``opener(folder)`` opens a store (slow). ``opened(phone)`` shows its pages, ``leave()`` takes
    them away; both run on the Kivy thread.
    """

    def __init__(
        self,
        people: People,
        frame: Any,
        bridge: Bridge,
        opener: Callable[[Path], Phone],
        opened: Callable[[Phone], None],
        leave: Callable[[], None],
        wall: Callable[[], int],
        handing: Handing,
        inbox: Callable[[Path], Path | None],
    ) -> None:
        self.people, self._frame, self._bridge = people, frame, bridge
        self._opener, self._show, self._leave, self._wall = opener, opened, leave, wall
        self._handing, self._inbox = handing, inbox
        self.gate: Gate | None = None
        self.phone: Phone | None = None
        self.folder: Path | None = None
        self._shown: Phone | None = None  # whose pages are under the gate
        self._touched = time.monotonic()
        self.clock: Callable[[], float] = time.monotonic
        self._opening = Clock.create_trigger(
            lambda _: self._gate().wait(tr("正在打开…")), OPENING_AFTER_SECONDS
        )
        self._ticks = Clock.schedule_interval(lambda _: self.look(), LOOK_EVERY_SECONDS)
        Window.bind(on_touch_down=self._seen, on_key_down=self._seen)

    # --- at the start ---

    def start(self) -> None:
        """The choice of people, the one person's PIN, or straight in."""
        people = self.people.everyone()
        if len(people) > 1:
            self.choose()
        elif people:
            self._chosen(people[0])
        else:
            self._open(self.people.new_folder())

    def choose(self) -> None:
        """Who is it?"""
        self._gate().choose(
            self.people.everyone(), self._chosen, lambda: self._open(self.people.new_folder())
        )

    def switch(self) -> None:
        """Let go of this person's store and ask who comes next."""
        if self.phone is not None:
            phone, self.phone, self.folder = self.phone, None, None
            self._leave()
            # After what the pages still keep, and after a sync that is under way.
            self._bridge.quick(lambda: None, lambda _: self._bridge.slow(phone.close))
        self.choose()

    def _chosen(self, one: Someone) -> None:
        language, palette, size = one.lock.looks
        words.set_language(language)
        theme.use(palette, size)
        if one.lock.out:
            self._out(one.folder, one.lock)
        elif one.lock.has_pin:
            self._ask(one.folder, one.lock)
        else:
            self._open(one.folder)

    def _open(self, folder: Path, then: Callable[[], None] | None = None) -> None:
        if folder == self.folder and self.phone is not None:
            self._arrived(folder, self.phone, then)
            return
        if self.gate is None:  # the start: nothing is in sight that a touch could reach
            self._opening()
        else:
            self.gate.wait(tr("正在打开…"))
        self._bridge.quick(
            lambda: self._opener(folder),
            lambda phone: self._arrived(folder, phone, then),
            lambda error: self._failed(folder, error),
        )

    def _arrived(self, folder: Path, phone: Phone, then: Callable[[], None] | None) -> None:
        self.phone, self.folder = phone, folder
        if then is None:
            self._lift()
            self._show_pages(phone)
        else:
            then()

    def _show_pages(self, phone: Phone) -> None:
        if self._shown is not phone:
            self._shown = phone
            self._show(phone)

    def _failed(self, folder: Path, error: Exception) -> None:
        """The store will not open: what is wrong, and a way on."""
        log.error("the store does not open", exc_info=error)
        if not isinstance(error, PhoneError):
            said = tr("出了意外的错误，内容都还在手机上。")
            self._trouble(folder, said, str(error), unsent=True)
            return
        said = pick(error.message_zh, error.message_en)
        if error.code == "disk_full":
            said = tr("手机存储空间已满，打不开本机资料。请删掉一些照片或应用，再点「再试一次」。")
        elif error.code == "locked":
            said = tr("资料正被另一个程序占用。请关掉它，再点「再试一次」。")
        unsent = error.code not in ("key_lost", "locked", "disk_full")
        self._trouble(folder, said, "", anew=error.code == "key_lost", unsent=unsent)

    def _way_out(self, folder: Path, again: Callable[[str], None]) -> Way:
        return tr("导出未发送内容"), "out", lambda: self._export(folder, again)

    def _export(self, folder: Path, again: Callable[[str], None]) -> None:
        """What was not sent, out of a store that will not open, as a sealed file.

        ``again`` shows the trouble once more, with what became of it.
        """
        self._gate().wait(tr("正在导出…"))
        into = self._inbox(folder) or folder / "photos_in"

        def ask(ways: list[Way]) -> None:
            why = tr("内容已加密，只有服务器能打开。")
            self._gate().trouble(tr("文件做好了，交到哪里？"), ways, why)

        def failed(error: Exception) -> None:
            log.error("no export", exc_info=error)
            if isinstance(error, PhoneError):
                again(pick(error.message_zh, error.message_en))
            else:
                again(str(error))

        keeper, now = self.people.keeper, self._wall()
        hand_over(
            self._bridge, self._handing, lambda: rescue.export(folder, keeper, into, now),
            ask, again, failed,
        )  # fmt: skip

    def _trouble(
        self, folder: Path, said: str, why: str, anew: bool = False, unsent: bool = False
    ) -> None:
        ways: list[Way] = [(tr("再试一次"), "sync", lambda: self._open(folder))]
        if unsent:
            ways.append(
                self._way_out(folder, lambda now: self._trouble(folder, said, now, anew, True))
            )
        if anew:
            why = tr("也可以把打不开的资料原样放到一边，重新登记，资料再从服务器下载。")
            ways.append((tr("放到一边，重新开始"), "phone", lambda: self._set_aside(folder)))
        if len(self.people.everyone()) > 1:
            ways.append((tr("换人"), "person", self.choose))
        self._gate().trouble(said, ways, why)

    def _set_aside(self, folder: Path) -> None:
        self._bridge.quick(
            lambda: self.people.set_aside(folder, self._wall()),
            lambda _: self._open(folder),
            lambda error: self._failed(folder, error),
        )

    # --- while at work ---

    def look(self) -> None:
        """Lock if nobody has touched the phone for a while."""
        if self.clock() - self._touched > LOCK_AFTER_SECONDS:
            self.lock()

    def lock(self) -> None:
        """Ask for the PIN again, if there is one; the pages stay as they are underneath."""
        if self.gate is not None or self.phone is None or self.folder is None:
            return
        found = lock.state(self.folder)
        if found is not None and found.has_pin:
            self._ask(self.folder, found)

    def damaged(self, error: SaveFailed) -> None:
        """Damage was met at work: say so, and mend it by opening the store again."""
        folder = self.folder
        if folder is None or self.phone is None:
            return
        said = tr("手机里的资料文件损坏了。没上传的内容会尽量救出来，其余的从服务器重新下载。")

        def show(why: str) -> None:
            mend: Way = (tr("马上修复"), "sync", lambda: self._mend(folder))
            self._gate().trouble(said, [mend, self._way_out(folder, show)], why)

        show("")

    def _mend(self, folder: Path) -> None:
        phone, self.phone = self.phone, None
        self._leave()
        self._gate().wait(tr("正在修复…"))

        def work() -> Phone:
            if phone is not None:
                phone.close()
            return self._opener(folder)

        def close_and_open(_: object) -> None:
            self._bridge.slow(
                work,
                lambda again: self._arrived(folder, again, None),
                lambda error: self._failed(folder, error),
            )

        self._bridge.quick(lambda: None, close_and_open)  # after what the pages still keep

    def note(self) -> None:
        """Whose store it is, and how it is drawn. On a worker thread."""
        me = self.phone.me if self.phone is not None else None
        if self.folder is not None and me is not None:
            lock.note(self.folder, me.name, (words.language(), theme.palette(), theme.size()))

    @property
    def state(self) -> Lock:
        """The lock of the store that is open."""
        found = lock.state(self.folder) if self.folder is not None else None
        return found or Lock()

    def set_pin(self, pin: str) -> None:
        """Set or change it. On a worker thread. Raises PinRefused, SaveFailed, OSError."""
        assert self.folder is not None
        self.people.set_pin(self.folder, pin)

    def unlock(self, pin: str) -> Lock:
        """Try the PIN of the store that is open. On a worker thread."""
        assert self.folder is not None
        return self.people.unlock(self.folder, pin)

    def key(self, key: int, codepoint: str | None) -> bool:
        """A key, if the gate is shut."""
        return self.gate is not None and self.gate.key(key, codepoint)

    @property
    def shut(self) -> bool:
        """Whether the gate stands before the pages."""
        return self.gate is not None

    def close(self) -> None:
        """The app ends."""
        self._ticks.cancel()
        self._opening.cancel()
        Window.unbind(on_touch_down=self._seen, on_key_down=self._seen)

    # --- the PIN ---

    def _ask(self, folder: Path, found: Lock) -> None:
        several = len(self.people.everyone()) > 1
        gate = self._gate()
        gate.ask_pin(
            found,
            lambda digits: self._typed(folder, digits),
            lambda: self._out(folder, found),
            self.switch if several else None,
        )

    def _typed(self, folder: Path, digits: str) -> None:
        pad = self._gate().pad
        assert pad is not None
        pad.disabled = True

        def tried(now: Lock) -> None:
            pad.disabled = False
            if now.tries_left == lock.TRIES:
                self._open(folder)
            elif now.out:
                self._out(folder, now)
            else:
                self._gate().tell_tries(now)

        self._bridge.quick(
            lambda: self.people.unlock(folder, digits),
            tried,
            lambda error: self._failed(folder, error),
        )

    def _out(self, folder: Path, found: Lock) -> None:
        """Sign in again. What was not sent goes on going up meanwhile."""

        def opened() -> None:
            phone = self.phone
            assert phone is not None
            if self._shown is not phone:
                self._bridge.slow(lambda: phone.sync(photos=False))
            back = None if found.out else lambda: self._again(folder, found)
            self._bridge.quick(
                lambda: phone.status().waiting,
                lambda waiting: self._gate().sign_in(
                    found.name, waiting, lambda code: self._sign_in(folder, code), back
                ),
            )

        self._open(folder, opened)

    def _again(self, folder: Path, found: Lock) -> None:
        self._chosen(Someone(folder, lock.state(folder) or found))

    def _sign_in(self, folder: Path, code: str) -> None:
        gate, phone = self._gate(), self.phone
        assert phone is not None
        if not code:
            gate.refused(tr("请填写登记码"))
            return
        gate.go.disabled = True

        def work() -> None:
            phone.enrol_again(code, f"{platform.system()} {platform.machine()}")
            lock.clear_pin(folder)

        def done(_: object) -> None:
            self._lift()
            self._show_pages(phone)

        def refused(error: Exception) -> None:
            log.error("no sign-in", exc_info=error)
            said = tr("没有成功，请再试一次")
            if isinstance(error, PhoneError):
                said = pick(error.message_zh, error.message_en)
            self._gate().refused(said)

        self._bridge.slow(work, done, refused)

    # --- the gate itself ---

    def _gate(self) -> Gate:
        self._opening.cancel()
        if self.gate is None:
            self.gate = Gate()
            self._frame.add_widget(self.gate)
        return self.gate

    def _lift(self) -> None:
        self._touched = self.clock()
        self._opening.cancel()
        if self.gate is not None:
            self._frame.remove_widget(self.gate)
            self.gate = None

    def _seen(self, *_: Any) -> None:
        self._touched = self.clock()
