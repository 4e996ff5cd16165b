"""What a finger taps and types into: buttons, chips, fields; rules/ draws them."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.relativelayout import RelativeLayout
from kivy.uix.stacklayout import StackLayout
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from mobile.ui import theme
from mobile.ui.widgets import Folding


class Btn(Folding, ButtonBehavior, BoxLayout):
    """The one primary action of a screen."""

    text = StringProperty()
    icon = StringProperty()
    gone = BooleanProperty(False)
    wide = NumericProperty(0)  # what it takes to keep its words on one line


class Quiet(Folding, ButtonBehavior, BoxLayout):
    """A secondary action; ``plain`` has no border."""

    text = StringProperty()
    icon = StringProperty()
    plain = BooleanProperty(False)
    tall = BooleanProperty(False)  # as high as a Btn, beside one
    gone = BooleanProperty(False)
    wide = NumericProperty(0)
    tint = ColorProperty(theme.PRIMARY)


class IconBtn(Folding, ButtonBehavior, RelativeLayout):
    """An action that is only a picture."""

    icon = StringProperty()
    tint = ColorProperty(theme.INK)
    glow = ColorProperty(theme.DOWN)


class Pair(GridLayout):
    """Two buttons side by side; one under the other where their words need the whole width."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(cols=2, **kwargs)
        self._line_up = Clock.create_trigger(self._count_cols, -1)
        for name in ("width", "children"):
            self.fbind(name, self._line_up)

    def add_widget(self, widget: Widget, *args: Any, **kwargs: Any) -> None:
        """Follow how wide its words are."""
        for name in ("wide", "gone"):
            widget.fbind(name, self._line_up)
        super().add_widget(widget, *args, **kwargs)

    def _count_cols(self, *_: Any) -> None:
        shown = [child for child in self.children if not child.gone]
        parts = sum(child.size_hint_x or 1 for child in shown) or 1
        room = self.width - dp(theme.S) * (len(shown) - 1)
        fits = all(child.wide <= room * (child.size_hint_x or 1) / parts for child in shown)
        self.cols = 2 if fits and len(shown) > 1 else 1
        self.spacing = dp(theme.S) if len(shown) > 1 else 0


class Choice(ButtonBehavior, BoxLayout):
    """One of several choices; its look follows ``chosen``, not the finger."""

    state: Any  # Kivy's own property
    text = StringProperty()
    code = StringProperty()
    chosen = BooleanProperty(False)

    def on_state(self, *_: Any) -> None:
        """Keep the look."""
        want = "down" if self.chosen else "normal"
        if self.state != want:
            self.state = want

    def on_chosen(self, *_: Any) -> None:
        """Show it at once."""
        self.state = "down" if self.chosen else "normal"


class Chip(Choice):
    """A choice as a pill; chosen, it also bears a check mark."""


class Tile(Choice):
    """A choice as a tile with a picture; chosen, the picture is a check mark."""

    icon = StringProperty()


class Choosing:
    """Some choices. ``value`` is a code ("" for none), or a list of codes if ``many``."""

    children: Any
    choices = ListProperty()
    many = BooleanProperty(False)
    keep_one = BooleanProperty(False)
    value = ObjectProperty("", allownone=True)

    def on_kv_post(self, _: Any) -> None:
        """Draw the choices that were given."""
        self.bind(choices=self._draw, value=self._show)  # type: ignore[attr-defined]
        self._draw()

    def chip(self, code: str) -> Any:
        """The widget of a code."""
        return next((chip for chip in self.children if chip.code == code), None)

    def make(self, code: str, text: str) -> Any:
        """The widget of a choice."""
        return Chip(code=code, text=text)

    def _draw(self, *_: Any) -> None:
        self.clear_widgets()  # type: ignore[attr-defined]
        for code, text in self.choices:
            chip = self.make(code, text)
            chip.bind(on_release=self._tapped)
            self.add_widget(chip)  # type: ignore[attr-defined]
        self._show()

    def _show(self, *_: Any) -> None:
        chosen = (self.value or []) if self.many else [self.value]
        for chip in self.children:
            chip.chosen = chip.code in chosen

    def _tapped(self, chip: Any) -> None:
        if self.many:
            now = list(self.value or [])
            now.remove(chip.code) if chip.code in now else now.append(chip.code)
            self.value = sorted(now)
        elif self.value == chip.code:
            self.value = self.value if self.keep_one else ""
        else:
            self.value = chip.code


class Chips(Choosing, StackLayout):
    """Choices as chips, as many lines as they need."""


class Tiles(Choosing, GridLayout):
    """A few choices side by side, each with a picture: ``icons`` names it by code.

    Where their words need more room than one line of tiles has, they stand in two lines.
    """

    icons = ObjectProperty({})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(cols=1, **kwargs)
        self._line_up = Clock.create_trigger(self._count_cols, -1)
        self.fbind("width", self._line_up)
        self.fbind("children", self._line_up)

    def _count_cols(self, *_: Any) -> None:
        count = len(self.children)
        room = self.width / max(1, count) - dp(theme.S + 8)
        wide = max((tile.ids.said.natural for tile in self.children), default=0)
        self.cols = max(1, count if wide <= room or count < 3 else -(-count // 2))

    def make(self, code: str, text: str) -> Any:
        """A tile."""
        return Tile(code=code, text=text, icon=self.icons.get(code, "ring"))


class SettingRow(ButtonBehavior, BoxLayout):
    """A line of settings; ``leads``: to another page."""

    icon = StringProperty()
    text = StringProperty()
    line = StringProperty()
    value = StringProperty()
    leads = BooleanProperty(True)


class Switch1(ButtonBehavior, BoxLayout):
    """A box to tick with its words."""

    text = StringProperty()
    active = BooleanProperty(False)

    def on_release(self) -> None:
        """Turn it over."""
        self.active = not self.active


class Input(TextInput):
    """A text field; ``limit`` characters at most, ``wrong`` draws its edge as an error."""

    wrong = BooleanProperty(False)
    limit = NumericProperty(4000)
    edge = NumericProperty(dp(1))
    hint_height = NumericProperty(0)  # what the hint takes to be read whole

    def _refresh_hint_text(self) -> None:
        super()._refresh_hint_text()
        above, below = self.padding[1], self.padding[3]
        lines = len(self._hint_text_lines) if self.multiline else 1
        self.hint_height = lines * (self.line_height + self.line_spacing) + above + below

    def on_focus(self, *_: Any) -> None:
        """A thicker edge while typing."""
        self.edge = dp(2) if self.focus or self.wrong else dp(1)

    def on_wrong(self, *_: Any) -> None:
        """A thicker edge on an error."""
        self.on_focus()

    def insert_text(self, substring: str, from_undo: bool = False) -> None:
        """Take no more than the field may hold."""
        room = int(self.limit) - len(self.text)
        super().insert_text(substring[: max(0, room)], from_undo=from_undo)


class PickButton(ButtonBehavior, BoxLayout):
    """A field whose value is chosen on another page."""

    text = StringProperty()
    hint = StringProperty()
    wrong = BooleanProperty(False)
    edge = NumericProperty(dp(1))


class SearchBox(RelativeLayout):
    """A field to search in, with a cross that empties it."""

    text = StringProperty()
    hint = StringProperty()


class Field(Folding, BoxLayout):
    """A label over an input, and the error under it, at the place where it happened."""

    label = StringProperty()
    error = StringProperty()
    required = BooleanProperty(False)
    hidden = BooleanProperty(False)

    def add_widget(self, widget: Widget, *args: Any, **kwargs: Any) -> None:
        """What is put into a field goes between label and error."""
        if "slot" in self.ids and len(self.children) >= 3:
            self.ids.slot.add_widget(widget, *args, **kwargs)
        else:
            super().add_widget(widget, *args, **kwargs)

    def on_error(self, *_: Any) -> None:
        """Mark the input too."""
        for child in self.ids.slot.children:
            if isinstance(child, (Input, PickButton)):
                child.wrong = bool(self.error)
