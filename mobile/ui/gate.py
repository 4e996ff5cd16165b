"""What stands before the pages: who it is, the PIN, and what is wrong when a store will not open.

It lies over the pages and takes every touch; what is under it stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kivy.core.window import Window
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import StringProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from mobile.storage.lock import TRIES, Lock
from mobile.storage.people import Someone
from mobile.ui.inputs import Btn, Field, Input, Quiet
from mobile.ui.pinpad import PinPad
from mobile.ui.widgets import Body, Column, Note, TapCard, text
from mobile.ui.words import tr

ESCAPE = 27
BACKSPACE = 8


class PersonCard(TapCard):
    """Someone whose store is on this phone."""

    name = StringProperty()
    line = StringProperty()


class Gate(FloatLayout):
    """One thing at a time: `wait`, `choose`, `ask_pin`, `sign_in`, `trouble`."""

    title = StringProperty()
    subtitle = StringProperty()
    what = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pad: PinPad | None = None
        self._back: Callable[[], None] | None = None

    def on_touch_down(self, touch: Any) -> bool:
        """Nothing under it can be touched."""
        super().on_touch_down(touch)
        return True

    def key(self, key: int, codepoint: str | None) -> bool:
        """A key of a keyboard; True if it was for us. Back leads back, or out of the app."""
        if key == ESCAPE:
            if self._back is None:
                return False
            self._back()
            return True
        if self.pad is not None and not self.pad.disabled:
            if key == BACKSPACE:
                self.pad.press("", "undo")
            elif codepoint and codepoint.isdecimal() and codepoint.isascii():
                self.pad.press(codepoint)
        return True

    def wait(self, words: str) -> None:
        """Something takes a moment."""
        self._new("wait", tr("网格台账"), words)

    def choose(
        self, people: Iterable[Someone], chosen: Callable[[Someone], None], more: Callable[[], None]
    ) -> None:
        """Who is it?"""
        self._new("choose", tr("请选择您的名字"), tr("每个人的资料分开存放，互相看不到"))
        sheet = Column(spacing=dp(10))
        for one in people:
            line = tr("有密码") if one.lock.has_pin else ""
            card = PersonCard(name=one.lock.name or tr("本机用户"), line=line)
            card.bind(on_release=lambda _, it=one: chosen(it))
            sheet.add_widget(card)
        body = Body()
        body.add_widget(sheet)
        self.ids.place.add_widget(body)
        self._button(Quiet(text=tr("再加一个人"), icon="plus"), more)

    def ask_pin(
        self,
        lock: Lock,
        typed: Callable[[str], None],
        forgot: Callable[[], None],
        other: Callable[[], None] | None,
    ) -> None:
        """The PIN; ``other``: back to the choice, where there is one."""
        self._new("pin", lock.name or tr("网格台账"), tr("已锁上，内容都在"), other)
        self.pad = PinPad(ask=tr("请输入六位密码"))
        self.pad.bind(on_pin=lambda _, digits: typed(digits))
        self.ids.place.add_widget(self.pad)
        self._button(Quiet(text=tr("忘了密码"), plain=True), forgot)
        self.tell_tries(lock)

    def tell_tries(self, lock: Lock) -> None:
        """How many tries are left, once one was wrong."""
        if self.pad is not None and lock.tries_left < TRIES:
            self.pad.problem = tr("密码不对，还可以试{n}次", n=lock.tries_left)

    def sign_in(
        self, name: str, waiting: int, tried: Callable[[str], None], back: Callable[[], None] | None
    ) -> None:
        """No try is left, or the PIN was forgotten: a new enrolment code opens it again."""
        self._new("sign_in", name or tr("网格台账"), tr("用新的登记码重新登录"), back)
        said = tr("请向网格长或管理员要一个新的登记码。密码会取消，登录后可以再设。")
        kept = (
            tr("没上传的{n}条不会丢，有网时照样自动上传。", n=waiting)
            if waiting
            else tr("手机里的内容不会丢。")
        )
        sheet = Column(spacing=dp(12))
        sheet.add_widget(Note(text=said, icon="info", tone="info"))
        sheet.add_widget(Note(text=kept, icon="disc_check", tone="good"))
        self.field = Field(label=tr("登记码或登记链接"))
        self.code = Input(hint_text="ABCD-EFGH")
        self.field.add_widget(self.code)
        sheet.add_widget(self.field)
        body = Body()
        body.add_widget(sheet)
        self.ids.place.add_widget(body)
        self.go = Btn(text=tr("重新登录"), icon="person")
        self.code.bind(text=lambda *_: setattr(self.field, "error", ""))
        self._button(self.go, lambda: tried(self.code.text.strip()))

    def refused(self, words: str) -> None:
        """The sign-in did not succeed."""
        self.field.error = words
        self.go.disabled = False

    def trouble(
        self, words: str, ways: Iterable[tuple[str, str, Callable[[], None]]], why: str = ""
    ) -> None:
        """A store will not open: what is wrong, and what can be done (text, icon, what it does)."""
        self._new("trouble", tr("打不开本机资料"), "")
        self.ids.place.add_widget(Note(text=words, icon="warn", tone="danger"))
        if why:
            self.ids.place.add_widget(text("Sub", why))
        self.ids.place.add_widget(Widget())
        for number, (label, icon, do) in enumerate(ways):
            self._button((Quiet if number else Btn)(text=label, icon=icon), do)

    def _new(
        self, what: str, title: str, subtitle: str, back: Callable[[], None] | None = None
    ) -> None:
        Window.release_all_keyboards()
        self.what, self.title, self.subtitle, self._back = what, title, subtitle, back
        self.pad = None
        self.ids.place.clear_widgets()

    def _button(self, button: Any, do: Callable[[], None]) -> None:
        button.bind(on_release=lambda _: do())
        self.ids.place.add_widget(button)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
