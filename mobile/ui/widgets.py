"""The texts, grounds and marks that every screen is put together from; rules/ draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any

from kivy.clock import Clock
from kivy.core.image import Image as CoreImage
from kivy.factory import Factory
from kivy.graphics import Color, Rectangle
from kivy.metrics import Metrics, dp
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
    VariableListProperty,
)
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.layout import Layout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from mobile.ui import theme
from mobile.ui.wrap import pieces, shortened, wrap

FEED_SECONDS = 0.004
STAY_SECONDS = 0.1  # how long a page that was filled again may still change its height


class Wrapping(Label):
    """Text whose lines are broken as Chinese breaks them, at the width of ``text_size``.

    More lines than ``most`` (0: as many as there are) end in "…".
    """

    most = NumericProperty(0)
    _widths: dict[tuple[float, str], float] = {}  # noqa: RUF012  of pieces, measured once

    def texture_update(self, *args: Any) -> None:
        """Break the lines, then draw them."""
        width = self.text_size[0]
        if width and self.text:
            room = width - self.padding[0] - self.padding[2]
            broken = wrap(self.text, room, self._measure)
            self._label.text = shortened(broken, self.most, room, self._measure)
        elif not width:
            self._label.text = self.text
        super().texture_update(*args)

    def _measure(self, piece: str) -> float:
        key = (self.font_size, piece)
        found = self._widths.get(key)
        if found is None:
            found = self._widths[key] = self._label.get_extents(piece)[0]
        return found


class Txt(Wrapping):
    """Text as wide as its place and as high as it needs."""


class Said(Wrapping):
    """Words no wider than they are; broken into lines where they are wider than ``room``."""

    room = NumericProperty(0)
    natural = NumericProperty(0)  # pixels, on one line

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("text", "font_size", "room"):
            self.fbind(name, self._measure_all)
        self._measure_all()

    def _measure_all(self, *_: Any) -> None:
        lines = self.text.split("\n")
        self.natural = max(sum(map(self._measure, pieces(line))) for line in lines)
        fits = self.natural <= max(1, self.room)
        self.text_size = (None, None) if fits else (max(1, self.room), None)


class Icon(Widget):
    """A picture of rules/1_text.kv's size in one colour; each is read from the disk once."""

    name = StringProperty()
    tint = ColorProperty((0, 0, 0, 1))
    _read: dict[str, Any] = {}  # noqa: RUF012  name -> texture

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.canvas:
            self._ink, self._box = Color(rgba=theme.CLEAR), Rectangle()
        for prop in ("name", "tint"):
            self.fbind(prop, self._draw)
        for prop in ("pos", "size"):
            self.fbind(prop, self._place)
        self._draw()
        self._place()

    def _draw(self, *_: Any) -> None:
        self._ink.rgba = self.tint if self.name else theme.CLEAR
        if self.name:
            if self.name not in self._read:
                # Drawn at half its size or more, it needs no smaller copies of itself.
                small = Metrics.density < 1.5
                self._read[self.name] = CoreImage(theme.icon(self.name), mipmap=small).texture
            self._box.texture = self._read[self.name]

    def _place(self, *_: Any) -> None:
        self._box.pos, self._box.size = self.pos, self.size


class Folding:
    """Takes no touches while it cannot be seen: a disabled widget would swallow them instead."""

    def on_touch_down(self, touch: Any) -> bool:
        """Only what is in sight can be touched."""
        seen = self.opacity and self.height  # type: ignore[attr-defined]
        return bool(seen and super().on_touch_down(touch))  # type: ignore[misc]


class Foot(Folding, BoxLayout):
    """The strip at the foot of a page, with its main action."""


class Column(Layout):
    """Widgets one under the other; what has no height takes no gap either."""

    padding = VariableListProperty([0, 0, 0, 0])
    spacing = NumericProperty(0)
    minimum_height = NumericProperty(0)
    feeding: set[Column] = set()  # noqa: RUF012  those still being filled

    def __init__(self, **kwargs: Any) -> None:
        self._source: Iterator[Widget] = iter(())
        self._least = 0.0  # as high as it was, until it is filled again: the page does not jump
        self._more = Clock.create_trigger(self._feed, 0)
        super().__init__(**kwargs)
        for name in ("padding", "spacing", "pos", "size"):
            self.fbind(name, self._trigger_layout)
        self._trigger_layout()

    def do_layout(self, *_: Any) -> None:
        """Place the children from the top; their widths follow, their heights are their own."""
        left, above, right, below = self.padding
        shown = [child for child in reversed(self.children) if child.height > 0]
        gaps = self.spacing * max(0, len(shown) - 1)
        needed = above + below + gaps + sum(child.height for child in shown)
        self.minimum_height = max(needed, self._least)
        room, top = self.width - left - right, self.top - above
        for child in reversed(self.children):
            if child.size_hint_x:
                child.width = room * child.size_hint_x
            child.x, child.top = self.x + left, top
            if child.height > 0:
                top -= child.height + self.spacing

    def fill(self, widgets: Iterable[Widget]) -> None:
        """Replace what it holds; many widgets are made a few a frame, so that nothing sticks."""
        self._least = self.minimum_height
        self.clear_widgets()
        self._source = iter(widgets)
        self._feed()

    def _feed(self, *_: Any) -> None:
        end = monotonic() + FEED_SECONDS
        for widget in self._source:
            self.add_widget(widget)
            if monotonic() > end:
                Column.feeding.add(self)
                self._more()
                return
        Column.feeding.discard(self)
        self._least = 0.0
        self._trigger_layout()
        above = self.parent
        while above is not None and above is not above.parent and not isinstance(above, Body):
            above = above.parent
        if isinstance(above, Body):
            above.stay()


class Card(Column):
    """A white card with round corners."""

    pressed = BooleanProperty(False)


class TapCard(ButtonBehavior, Card):
    """A card that leads somewhere."""


class Disc(Widget):
    """The picture of a state; its word stands beside it."""

    icon = StringProperty()
    tone = StringProperty("mute")


class Badge(BoxLayout):
    """A state: word, shape and colour together."""

    text = StringProperty()
    icon = StringProperty()
    tone = StringProperty("mute")
    fg = ColorProperty(theme.INK)
    bg = ColorProperty(theme.PAPER)


class Note(BoxLayout):
    """A sentence that matters, on a coloured ground."""

    text = StringProperty()
    icon = StringProperty("info")
    tone = StringProperty("info")
    least = NumericProperty(0)
    more = StringProperty()


class TapNote(ButtonBehavior, Note):
    """A sentence that leads to more."""


class AskNote(Column):
    """A sentence that stays until it has been read. ``on_read``: the button was tapped."""

    text = StringProperty()
    icon = StringProperty("info")
    tone = StringProperty("info")

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_read")
        super().__init__(**kwargs)

    def on_read(self) -> None:
        """The button was tapped."""


class Empty(BoxLayout):
    """What an empty list says: what will come here."""

    icon = StringProperty("ledger")
    title = StringProperty()
    text = StringProperty()


class Progress1(Widget):
    """A bar from 0 to 1."""

    value = NumericProperty(0)
    tone = StringProperty("primary")


class Count(ButtonBehavior, BoxLayout):
    """A number with its word and shape, one of several side by side."""

    number = NumericProperty(0)
    text = StringProperty()
    icon = StringProperty()
    tone = StringProperty("mute")


class Fact(BoxLayout):
    """A small label and its value."""

    label = StringProperty()
    value = StringProperty()


class TopBar(BoxLayout):
    """The head of an inner page: back, title."""

    title = StringProperty()
    subtitle = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_back")
        super().__init__(**kwargs)

    def on_back(self) -> None:
        """The arrow was tapped."""


class Strip(ButtonBehavior, BoxLayout):
    """Always in sight: what still waits to be uploaded."""

    text = StringProperty()
    icon = StringProperty("cloud_check")


class Head(BoxLayout):
    """The head of a tab: title, and the strip, which leads to the sync page."""

    title = StringProperty()
    subtitle = StringProperty()
    syncer = ObjectProperty(None, rebind=True)
    shell = ObjectProperty(None)
    waiting = NumericProperty(0)
    back = NumericProperty(0)
    disputed = NumericProperty(0)


class Body(ScrollView):
    """The scrolling part of a page."""

    def __init__(self, **kwargs: Any) -> None:
        self._down: float | None = None
        self._let_go = Clock.create_trigger(lambda _: setattr(self, "_down", None), STAY_SECONDS)
        super().__init__(**kwargs)
        self.fbind("viewport_size", self._place_again)

    def stay(self) -> None:
        """It is about to be higher or lower: the lines at its top stay where they are."""
        if self._down is None:
            self._down = (1 - self.scroll_y) * max(0, self.viewport_size[1] - self.height)
        self._let_go()

    def on_touch_down(self, touch: Any) -> bool:
        """A finger decides where it stands."""
        self._down = None
        return bool(super().on_touch_down(touch))

    def _place_again(self, *_: Any) -> None:
        room = self.viewport_size[1] - self.height
        if self._down and room > 0:
            self.scroll_y = max(0.0, 1 - self._down / room)

    def show(self, widget: Widget) -> None:
        """Bring a widget into sight once the page has been laid out."""
        Clock.schedule_once(lambda _: self.scroll_to(widget, padding=dp(64), animate=False), 0)


class NavBar(Folding, BoxLayout):
    """The bottom bar."""


class NavItem(ButtonBehavior, BoxLayout):
    """One tab of the bottom bar."""

    icon = StringProperty()
    text = StringProperty()
    chosen = BooleanProperty(False)


class SnackBtn(ButtonBehavior, Label):
    """The action in a snack."""


class Snack(BoxLayout):
    """A short message over the page, with an action such as undo."""

    text = StringProperty()
    icon = StringProperty()
    action = StringProperty()
    done: Callable[[], None] | None = None

    def act(self) -> None:
        """The action was tapped."""
        if self.done:
            self.done()


def text(rule: str, words: str, **more: Any) -> Widget:
    """A label by the name of its rule in rules/: Txt, Sub, Strong, Section, Line1..."""
    return getattr(Factory, rule)(text=words, **more)


theme.load_rules()
