"""What may be the same problem as the one being typed: look at it, or add to it what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from mobile.core.views import ProblemRow
from mobile.ui import inputs as _inputs  # noqa: F401  the buttons of the rule
from mobile.ui import look
from mobile.ui.times import day
from mobile.ui.widgets import Card, Note
from mobile.ui.words import tr


class AlikeCard(Card):
    """One of them. ``on_look``, ``on_add``."""

    title = StringProperty()
    line = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        for name in ("on_look", "on_add"):
            self.register_event_type(name)
        super().__init__(**kwargs)

    def on_look(self) -> None:
        """To its page."""

    def on_add(self) -> None:
        """What was typed goes into it."""


def alike_cards(
    found: Iterable[ProblemRow],
    now: int,
    look_at: Callable[[ProblemRow], Any],
    add_to: Callable[[ProblemRow], Any],
) -> Iterator[Widget]:
    """A card for each, under a line that says why they are there; nothing for none."""
    for number, row in enumerate(found):
        if not number:
            said = tr("可能是同一件事，先看看，不用再报一遍")
            yield Note(text=said, icon="same", tone="warn")
        told = (day(row.found_at, now), look.problem(row.state).text, row.address)
        card = AlikeCard(title=row.description, line=" · ".join(filter(None, told)))
        card.bind(on_look=lambda _, one=row: look_at(one), on_add=lambda _, one=row: add_to(one))
        yield card


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
