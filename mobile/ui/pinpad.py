"""The keys for six digits: large enough for a thumb; a keyboard's digits work too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from mobile.storage.lock import DIGITS
from mobile.ui import widgets as _widgets  # noqa: F401  the rules it is drawn with

KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "undo")


class PinDots(Widget):
    """How many digits were typed."""

    filled = NumericProperty(0)


class PinKey(ButtonBehavior, FloatLayout):
    """A digit, or the key that takes one back."""

    text = StringProperty()
    icon = StringProperty()


class PinPad(BoxLayout):
    """``on_pin(digits)`` once six were typed; the pad is empty again then."""

    ask = StringProperty()
    problem = StringProperty()
    typed = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_pin")
        super().__init__(**kwargs)

    def on_kv_post(self, _: Any) -> None:
        """Lay out the keys."""
        for name in KEYS:
            key = PinKey(text=name if name.isdigit() else "", icon="" if name.isdigit() else name)
            key.bind(on_release=lambda one: self.press(one.text, one.icon))
            self.ids.digits.add_widget(key)

    def on_pin(self, digits: str) -> None:
        """Six digits were typed."""

    def key(self, digit: str) -> PinKey:
        """A key by its digit."""
        return next(one for one in self.ids.digits.children if one.text == digit)

    def press(self, digit: str, icon: str = "") -> None:
        """A key was tapped."""
        if self.disabled:
            return
        if icon:
            self.typed = self.typed[:-1]
        elif digit and len(self.typed) < DIGITS:
            self.problem = ""
            self.typed += digit
            if len(self.typed) == DIGITS:
                digits, self.typed = self.typed, ""
                self.dispatch("on_pin", digits)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
