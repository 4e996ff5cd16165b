"""A RecycleView layout for very long lists: what it costs depends on what is in sight alone.

Each row of the data is a dict with ``viewclass``, ``key``, ``tall`` (dp) and ``show``, the
properties of its view; ``stack`` adds ``offset``, dp from the list's top, on a worker thread.
The rows may be any sequence: one that makes its rows when they are asked for costs no more with
ten thousand than with ten. Kivy's own models and layouts walk all rows whenever the data change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from kivy.clock import Clock
from kivy.event import EventDispatcher
from kivy.factory import Factory
from kivy.metrics import dp
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.recycleview import RecycleView, views
from kivy.uix.recycleview.datamodel import RecycleDataModelBehavior
from kivy.uix.recycleview.layout import RecycleLayoutManagerBehavior
from kivy.uix.recycleview.views import RecycleDataViewBehavior
from kivy.uix.widget import Widget

Row = dict[str, Any]
NEW_AT_ONCE = 1


def stack(rows: Iterable[Row], gap: float = 0, foot: float = 0) -> list[Row]:
    """Give each row its ``offset``; the last also carries the ``foot`` of free space below it."""
    top = 0.0
    out = []
    for row in rows:
        row["offset"] = top
        top += row["tall"] + gap
        out.append(row)
    if out:
        out[-1]["foot"] = foot
    return out


class RowsLayout(RecycleLayoutManagerBehavior, Widget):
    """Places the rows in sight by bisection."""

    making: set[RowsLayout] = set()  # noqa: RUF012  those that lack views still
    _made = 0  # views there have been at once: so many can be used again

    def attach_recycleview(self, rv: RecycleView) -> None:
        """Follow the width of the list."""
        super().attach_recycleview(rv)
        if rv:
            self.bind(width=rv.refresh_from_viewport)

    def compute_sizes_from_data(self, data: Sequence[Row], flags: Any) -> None:
        """The whole height; every view is bound anew."""
        self.clear_layout()
        for child in list(self.children):
            self.remove_widget(child)
        last = data[len(data) - 1] if len(data) else None
        self.height = dp(last["offset"] + last["tall"] + last.get("foot", 0)) if last else 0

    def compute_visible_views(self, data: Sequence[Row], viewport: Any) -> range:
        """The indices in sight, one row more at each end.

        A view costs milliseconds to make, little to use again: few new ones are made a frame
        where somebody looks on.
        """
        _, bottom, _, height = viewport
        low = (self.height - bottom - height) / dp(1)
        high = (self.height - bottom) / dp(1)
        first = bisect_right(data, low, key=_offset) - 2
        end = bisect_left(data, high, key=_offset) + 1
        wanted = range(max(0, first), min(len(data), end))
        seen = self.get_root_window() is not None
        shown = wanted[: self._made + NEW_AT_ONCE] if seen else wanted
        self._made = max(self._made, len(shown))
        if len(shown) < len(wanted):
            Clock.schedule_once(self.recycleview.refresh_from_viewport, 0)
            RowsLayout.making.add(self)
        else:
            RowsLayout.making.discard(self)
        return shown

    def set_visible_views(self, indices: range, data: Sequence[Row], viewport: Any) -> None:
        """Add what came into sight, remove what left, place all."""
        adapter = self.recycleview.view_adapter
        new, kept, old = adapter.set_visible_views(indices, data, _Classes(data))
        for _, view in old:
            self.remove_widget(view)
        for index, view in (*new, *kept):
            row = data[index]
            tall = dp(row["tall"])
            view.size_hint = (None, None)
            view.size = (self.width, tall)
            view.pos = (self.x, self.y + self.height - dp(row["offset"]) - tall)
            if view.parent is None:
                self.add_widget(view)


class RowsModel(RecycleDataModelBehavior, EventDispatcher):
    """Holds the rows as they were given: nothing is copied, compared or watched."""

    data = ObjectProperty((), comparator=lambda one, other: one is other)

    def attach_recycleview(self, rv: RecycleView) -> None:
        """What `RecycleView.data` follows."""
        super().attach_recycleview(rv)
        if rv:
            self.fbind("data", rv._dispatch_prop_on_source, "data")

    def on_data(self, *_: Any) -> None:
        """Other rows."""
        self.dispatch("on_data_changed")


class Rows(RecycleView):
    """A long list. ``on_pick(row)`` tells which row was tapped."""

    scroll_y: Any  # Kivy's own property

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_pick")
        super().__init__(**kwargs)
        self.data_model = RowsModel()

    def on_pick(self, row: Row) -> None:
        """A row was tapped."""

    def fill(self, rows: Sequence[Row], to_top: bool = False) -> None:
        """Show these rows; keep the place unless told to go to the top."""
        down = (1 - self.scroll_y) * max(0, self.layout_manager.height - self.height)
        self.data_model.data = rows
        self.refresh_views()
        room = max(0, self.layout_manager.height - self.height)
        self.scroll_y = 1 if to_top or not room else max(0, min(1, 1 - down / room))

    def view_of(self, key: str) -> Widget | None:
        """The widget of a row in sight, by the row's key."""
        for index, row in enumerate(self.data):
            if row.get("key") == key:
                return self.view_adapter.get_visible_view(index)
        return None


class RowView(RecycleDataViewBehavior, ButtonBehavior, BoxLayout):
    """One row in sight; its class's properties are filled from the row's data."""

    rv: Rows | None = None
    row: Row

    def refresh_view_attrs(self, rv: Rows, index: int, data: Row) -> None:
        """Show another row."""
        self.rv, self.row = rv, data
        for name, value in data["show"].items():
            setattr(self, name, value)

    def on_release(self) -> None:
        """Tell the list."""
        if self.rv:
            self.rv.dispatch("on_pick", self.row)


def drop_old_views() -> None:
    """Kivy keeps rows out of sight for all lists to come: not in another size or colour."""
    views._cached_views.clear()
    views._cache_count = 0


class GroupRow(RowView):
    """The head of a group of rows."""

    title = StringProperty()
    count = StringProperty()

    def on_release(self) -> None:
        """A head leads nowhere."""


class _Classes:
    """What the adapter asks for: index -> {"viewclass": class}."""

    def __init__(self, data: Sequence[Row]) -> None:
        self._data = data

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"viewclass": getattr(Factory, self._data[index]["viewclass"])}


def _offset(row: Row) -> float:
    return row["offset"]


Factory.register("RowsLayout", cls=RowsLayout)
Factory.register("Rows", cls=Rows)
