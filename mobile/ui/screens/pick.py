"""Choose one of many: groups with what belongs to them, narrowed by a search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from kivy.core.window import Window
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, StringProperty

from mobile.ui import room, theme
from mobile.ui.page import Page
from mobile.ui.rows import Row, RowView, stack
from mobile.ui.words import tr

EDGES = 12 + 16 + 24 + 12 + 20 + 16 + 12  # dp; what a row keeps free of words, side to side


class Option(NamedTuple):
    """One thing to choose, and the group it stands in."""

    code: str
    text: str
    group: str = ""
    line: str = ""
    icon: str = ""
    tone: str = "mute"


class ChoiceRow(RowView):
    """One option."""

    title = StringProperty()
    line = StringProperty()
    icon = StringProperty()
    tone = StringProperty("mute")
    chosen = BooleanProperty(False)


class PickPage(Page):
    """A list to choose from; ``then(code)`` is told before the page goes away."""

    title = StringProperty()
    nothing = StringProperty()

    def enter(
        self,
        title: str,
        options: list[Option],
        chosen: str,
        then: Callable[[str], Any],
        recent: list[str] | None = None,
    ) -> None:
        """Show the options; those of ``recent`` (codes) stand at the top as well."""
        self.title, self._options, self._chosen, self._then = title, options, chosen, then
        by_code = {option.code: option for option in options}
        head = tr("最近用过")
        self._recent = [
            by_code[code]._replace(group=head) for code in recent or () if code in by_code
        ]
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
        group, wide = "", Window.width / dp(1) - EDGES
        for option in (*self._recent, *found) if not words else found:
            if option.group != group:
                group = option.group
                show: dict[str, Any] = {"title": group, "count": ""}
                rows.append(
                    {"viewclass": "GroupRow", "key": f"head {group}", "tall": theme.tall(10, 24),
                     "show": show}
                )  # fmt: skip
            rows.append(self._row(option, wide))
        self.nothing = "" if found else tr("没有找到“{text}”", text=words)
        self.ids.rows.fill(stack(rows, foot=12), to_top=True)

    def _row(self, option: Option, wide: float) -> Row:
        scale = theme.tall(0, 1)
        count = room.lines(option.text, theme.BODY * scale, wide)
        return {
            "viewclass": "ChoiceRow",
            "key": option.code,
            "tall": theme.tall(32, 24 * count + (20 if option.line else 0)),
            "show": {
                "title": option.text, "line": option.line, "icon": option.icon,
                "tone": option.tone, "chosen": option.code == self._chosen,
            },
        }  # fmt: skip

    def picked(self, row: Row) -> None:
        """Tell and go back."""
        if row["viewclass"] == "GroupRow":
            return
        then, code = self._then, row["key"]
        self.shell.back()
        then(code)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
