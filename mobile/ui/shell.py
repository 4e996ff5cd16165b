"""The frame around the pages: the bottom bar, the way back, short messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from kivy.base import EventLoop
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.screenmanager import NoTransition

from mobile.core.errors import PhoneError
from mobile.ui.asking import Choice, Question
from mobile.ui.page import Page
from mobile.ui.screens import page_class
from mobile.ui.widgets import Snack
from mobile.ui.words import pick, tr

log = logging.getLogger(__name__)

TABS = ("round", "ledger", "sync", "me")
SNACK_SECONDS = 4
UNDO_SECONDS = 8
ESCAPE = 27
REST_SECONDS = 0.7  # after a tab was opened: first what it shows
STILL_SECONDS = 2  # after a finger came down: a list may still move
AHEAD_SECONDS = 0.05  # between two pieces of the tabs that are built before anybody asks for them


class Shell(FloatLayout):
    """Holds every page once and a stack of (page, arguments): the way back."""

    tab = StringProperty("")
    tabs_shown = BooleanProperty(False)
    transition = ObjectProperty(None)
    filled = BooleanProperty(False)  # a page has shown what it holds

    def __init__(
        self,
        make: Callable[[str], Page],
        restyle: Callable[[str, str], None],
        enrolled: Callable[[Any], None],
        **kwargs: Any,
    ) -> None:
        self._make, self.restyle, self.enrolled = make, restyle, enrolled
        self._way: list[tuple[str, dict[str, Any]]] = []
        self._snack: Snack | None = None
        self._question: Question | None = None
        self._hide: Any = None
        self._gone: Callable[[], None] | None = None
        self._told_full = False
        self._touched: Any = None  # what was in sight when a finger last came down
        self.last_said = ""
        self.on_damage: Callable[[Any], None] | None = None
        self._last_touch = 0.0
        self._ahead = list(TABS)
        self._loaded: set[str] = set()
        self._at_rest = Clock.create_trigger(lambda _: self._build_some(), REST_SECONDS)
        self._build_ahead = Clock.create_trigger(lambda _: self._build_some(), AHEAD_SECONDS)
        super().__init__(transition=NoTransition(), **kwargs)

    def page(self, name: str) -> Any:
        """The page of a name, built when it is first asked for."""
        if not self.ids.pages.has_screen(name):
            self.ids.pages.add_widget(self._make(name))
        page = self.ids.pages.get_screen(name)
        while page.build_part():
            pass
        return page

    @property
    def current(self) -> Any:
        """The page in sight."""
        return self.page(self._way[-1][0]) if self._way else None

    def go(self, name: str, **args: Any) -> None:
        """Open a page on top of this one."""
        self._leave()
        self._way.append((name, args))
        self._show(enter=True)

    def instead(self, name: str, **args: Any) -> None:
        """Open a page in place of this one."""
        self._leave()
        self._way[-1:] = [(name, args)]
        self._show(enter=True)

    def open_tab(self, name: str) -> None:
        """Go to a tab; the way back starts there."""
        self._leave()
        self._way = [(name, {})]
        self._show(enter=True)
        self._at_rest.cancel()
        self._build_ahead.cancel()
        self._at_rest()

    def on_touch_down(self, touch: Any) -> bool:
        """The second half of a double tap does nothing on a page that the first half opened."""
        self._last_touch = monotonic()
        before, self._touched = self._touched, (self._way[-1:], self._question)
        if touch.is_double_tap and before != self._touched:
            return True
        return bool(super().on_touch_down(touch))

    def back(self) -> bool:
        """One step back; False if there is nowhere to go, so that the system takes over."""
        if not self._way or self.current.back():
            return bool(self._way)
        if len(self._way) == 1:
            if self._way[0][0] in TABS and self._way[0][0] != "round":
                self.open_tab("round")
                return True
            return False
        self._leave()
        self._way.pop()
        self._show(enter=False)
        return True

    def key(self, _window: Any, key: int, *_: Any) -> bool:
        """Android's back key arrives as Escape."""
        if key == ESCAPE and self._question:
            self._question.answer(-1)
            return True
        return self.back() if key == ESCAPE else False

    def ask(self, title: str, words: str, choices: Sequence[Choice]) -> Question:
        """A question over the page; the back key gives its last answer."""
        self.unask()
        self._quiet()
        Window.release_all_keyboards()
        self._question = Question(choices, title=title, words=words, close=self.unask)
        self.add_widget(self._question)
        return self._question

    def unask(self) -> None:
        """The question goes."""
        if self._question:
            self.remove_widget(self._question)
            self._question = None

    @property
    def asked(self) -> Question | None:
        """The question in sight."""
        return self._question

    def forget(self) -> None:
        """The phone was wiped: no page may write again what it still holds."""
        self._gone = None
        self._quiet()
        Window.release_all_keyboards()
        for page in self.ids.pages.screens:
            page.forget()

    def pause(self) -> None:
        """The app goes behind another one: what was typed goes to the disk."""
        if self.current:
            self.current.leave()

    def refresh(self) -> None:
        """Something arrived: the page in sight reads again."""
        if self.current:
            self.current.refresh()

    def say(
        self,
        text: str,
        icon: str = "",
        action: str = "",
        do: Callable[[], None] | None = None,
        gone: Callable[[], None] | None = None,
    ) -> None:
        """A short message at the foot of the page, with an action such as undo.

        ``gone``: it went away, in whatever way, and the action had not been tapped.
        """
        self._quiet()
        self.last_said = text
        snack = Snack(text=text, icon=icon, action=action)

        def act() -> None:
            self._gone = None
            self._quiet()
            if do:
                do()

        snack.done = act
        snack.width = self.width - dp(24)
        snack.pos = (dp(12), self._floor())
        self.add_widget(snack)
        self._snack, self._gone = snack, gone
        self._hide = Clock.schedule_once(
            lambda _: self._quiet(), UNDO_SECONDS if action else SNACK_SECONDS
        )

    def hush(self) -> None:
        """The message in sight goes, and what it offers with it."""
        self._quiet()

    @property
    def said(self) -> Snack | None:
        """The message in sight."""
        return self._snack

    def failed(self, error: Exception) -> None:
        """Something of ours went wrong: say so in plain words and write it down."""
        log.error("a page's work failed", exc_info=error)
        if isinstance(error, PhoneError):
            if error.code == "damaged" and self.on_damage is not None:
                self.on_damage(error)
                return
            if error.code == "disk_full" and not self._told_full:
                self._say_full()
                return
            self.say(pick(error.message_zh, error.message_en), "warn")
            return
        self.say(tr("没有成功，请再试一次"), "warn")

    def _say_full(self) -> None:
        """Once until it has been read; a form that keeps its draft would ask at every key."""
        self._told_full = True
        self.ask(
            tr("手机存储空间满了"),
            tr(
                "刚才的内容没有存下，还在这一页上，先别离开。请删掉一些照片、视频或不用的应用，再回来保存。"
            ),
            [(tr("知道了"), "check", lambda: setattr(self, "_told_full", False))],
        )

    def _floor(self) -> float:
        """Where a message may stand without covering the bar or a page's main button."""
        foot = self.current.ids.get("foot") if self.current else None
        bar = self.ids.bar.height if self.tabs_shown else 0
        return bar + (foot.height if foot else 0) + dp(12)

    def _quiet(self) -> None:
        if self._hide:
            self._hide.cancel()
        if self._snack:
            self.remove_widget(self._snack)
            self._snack = None
        gone, self._gone = self._gone, None
        if gone:
            gone()

    def _build_some(self) -> None:
        """A piece of a tab that nobody has opened yet; none while a list moves under a finger."""
        if self.parent is None or not self._ahead:
            return
        if EventLoop.touches or monotonic() - self._last_touch < STILL_SECONDS:
            self._at_rest()
            return
        self._build_ahead()
        name, pages = self._ahead[0], self.ids.pages
        if pages.has_screen(name):
            if not pages.get_screen(name).build_part():
                self._ahead.pop(0)
        elif name in self._loaded:
            pages.add_widget(self._make(name))
        else:
            self._loaded.add(name)
            page_class(name)

    def _leave(self) -> None:
        self._quiet()
        self.unask()
        Window.release_all_keyboards()
        if self.current:
            self.current.leave()

    def _show(self, enter: bool) -> None:
        name, args = self._way[-1]
        page = self.page(name)
        self.tabs_shown = name in TABS
        if name in TABS:
            self.tab = name
        same = page.args is args
        page.args = args
        self.ids.pages.current = name
        if enter or not same:
            page.enter(**args)
        else:
            page.resume()


Builder.load_file(str(Path(__file__).with_name("shell.kv")))
