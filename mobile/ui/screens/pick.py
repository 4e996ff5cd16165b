"""Choose one of many: groups with what belongs to them, narrowed by a search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.ui.page import Page
from mobile.ui.rows import Row, RowView, stack
from mobile.ui.words import tr


class Option(NamedTuple):
    """One thing to choose, and the group it stands in."""

    code: str
    text: str
    group: str = ""


class ChoiceRow(RowView):
    """One option."""

    title = StringProperty()
    chosen = BooleanProperty(False)


class PickPage(Page):
    """A list to choose from; ``then(code)`` is told before the page goes away."""

    title = StringProperty()
    nothing = StringProperty()

    def enter(
        self, title: str, options: list[Option], chosen: str, then: Callable[[str], Any]
    ) -> None:
        """Show the options."""
        self.title, self._options, self._chosen, self._then = title, options, chosen, then
        self.ids.search.ids.field.text = ""
        self.narrow()

    def resume(self) -> None:
        """It stays as it was."""

    def refresh(self) -> None:
        """The options were given; there is nothing to read."""

    def narrow(self) -> None:
        """Only what holds the words searched for, in its own name or its group's."""
        words = self.ids.search.text.strip().lower()
        found = [o for o in self._options if words in o.text.lower() or words in o.group.lower()]
        rows: list[Row] = []
        group = ""
        for option in found:
            if option.group != group:
                group = option.group
                show: dict[str, Any] = {"title": group, "count": ""}
                rows.append(
                    {"viewclass": "GroupRow", "key": f"head {group}", "tall": 34, "show": show}
                )
            show = {"title": option.text, "chosen": option.code == self._chosen}
            rows.append({"viewclass": "ChoiceRow", "key": option.code, "tall": 56, "show": show})
        self.nothing = "" if found else tr("没有找到“{text}”", text=words)
        self.ids.rows.fill(stack(rows, foot=12), to_top=True)

    def picked(self, row: Row) -> None:
        """Tell and go back."""
        then, code = self._then, row["key"]
        self.shell.back()
        then(code)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
