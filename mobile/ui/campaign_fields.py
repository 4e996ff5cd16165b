"""What the running campaigns (专项) ask, as fields of the visit's form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kivy.factory import Factory
from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.ui.inputs import Choosing, Field
from mobile.ui.widgets import Column, TapNote, text
from mobile.ui.words import pick, tr
from shared import campaigns
from shared.campaigns import Campaign, Question

YES, NO = "yes", "no"


class CampaignFields:
    """Fills a column; a campaign's questions show once it was begun, else one line offers it."""

    def __init__(
        self, column: Column, ids: dict[str, Any], changed: Callable[[str], Callable[..., None]]
    ) -> None:
        self._column, self._ids, self._changed = column, ids, changed
        self._inputs: dict[tuple[str, str], Any] = {}
        self._running: list[Campaign] = []
        self._open: list[str] = []

    def show(
        self, running: Iterable[Campaign], answers: Mapping[str, Any], begun: Iterable[str]
    ) -> None:
        """These campaigns with these answers; those of ``begun`` (codes) are open."""
        self._running = list(running)
        codes = [one.code for one in self._running]
        self._open = [code for code in codes if code in set(begun)]
        self._answers = {code: answers.get(code) or {} for code in codes}
        self._draw()

    def begin_all(self) -> None:
        """The visit is made for them."""
        for one in self._running:
            self.begin(one.code)

    def begin(self, code: str) -> None:
        """Show a campaign's questions."""
        if code not in self._open:
            self._answers |= self.values()
            self._open.append(code)
            self._draw()
            self._changed(code)()

    def values(self) -> dict[str, dict[str, Any]]:
        """The answers to what was begun."""
        found: dict[str, dict[str, Any]] = {}
        for one in self._running:
            if one.code in self._open:
                given = {q.code: self._get(one.code, q) for q in one.questions}
                found[one.code] = campaigns.tidy(one, given)
        return found

    def _draw(self) -> None:
        for code, name in self._inputs:
            self._ids.pop(f"{code}.{name}_field", None)
        self._inputs = {}
        self._column.fill(list(self._widgets()))

    def _widgets(self) -> Iterator[Widget]:
        for one in self._running:
            name = pick(one.zh, one.en)
            if one.code not in self._open:
                said = tr("专项“{name}”：顺便问一问，{n}个问题", name=name, n=len(one.questions))
                note = TapNote(text=said, icon="flag", tone="info")
                note.bind(on_release=lambda _, code=one.code: self.begin(code))
                yield note
                continue
            yield text("Strong", tr("专项：{name}", name=name))
            for question in one.questions:
                yield self._field(one.code, question)

    def _field(self, code: str, question: Question) -> Field:
        widget = _input(question)
        _put(widget, question, self._answers[code].get(question.code))
        self._inputs[code, question.code] = widget
        shown = "value" if isinstance(widget, Choosing) else "text"
        widget.bind(**{shown: self._changed(f"{code}.{question.code}")})
        field = Field(label=pick(question.zh, question.en), required=question.required)
        field.add_widget(widget)
        self._ids[f"{code}.{question.code}_field"] = field
        return field

    def _get(self, code: str, question: Question) -> Any:
        widget = self._inputs.get((code, question.code))
        if widget is None:
            return None
        if question.type == campaigns.YES_NO:
            return {YES: True, NO: False}.get(widget.value)
        return list(widget.value or ()) if question.type == campaigns.MANY else (
            widget.value if isinstance(widget, Choosing) else widget.text
        )  # fmt: skip


def _input(question: Question) -> Any:
    if question.type == campaigns.YES_NO:
        return Factory.Chips(choices=[(YES, tr("是")), (NO, tr("否"))])
    if question.type in (campaigns.CHOICE, campaigns.MANY):
        choices = [(code, pick(zh, en)) for code, zh, en in question.choices]
        return Factory.Chips(choices=choices, many=question.type == campaigns.MANY)
    if question.type == campaigns.NUMBER:
        return Factory.Input(limit=9, input_filter="int")
    box = Factory.Input(multiline=True, limit=campaigns.MOST_TEXT)
    box.height = dp(96)
    return box


def _put(widget: Any, question: Question, value: Any) -> None:
    if question.type == campaigns.YES_NO:
        widget.value = "" if value is None else YES if value else NO
    elif question.type == campaigns.MANY:
        widget.value = list(value) if isinstance(value, list) else []
    elif isinstance(widget, Choosing):
        widget.value = value or ""
    else:
        widget.text = "" if value is None else str(value)
