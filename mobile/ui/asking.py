"""A question over the page: a title, why it is asked, and one button for each answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout

from mobile.ui.inputs import Btn, Quiet

Choice = tuple[str, str, Callable[[], None] | None]  # words, icon, what to do


class Question(FloatLayout):
    """Lies over everything and takes every touch; back is the last answer."""

    title = StringProperty()
    words = StringProperty()
    close = ObjectProperty(None)

    def __init__(self, choices: Sequence[Choice], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._choices = choices
        for number, (words, icon, _) in enumerate(choices):
            button = (Quiet if number else Btn)(text=words, icon=icon)
            button.bind(on_release=lambda _, n=number: self.answer(n))
            self.ids.answers.add_widget(button)

    def answer(self, number: int) -> None:
        """This answer was given; -1: the last."""
        do = self._choices[number][2]
        self.close()
        if do:
            do()

    def on_touch_down(self, touch: Any) -> bool:
        """Nothing below is touched; beside the sheet is no answer."""
        super().on_touch_down(touch)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        """Nothing below hears of it."""
        super().on_touch_up(touch)
        return True


Builder.load_string("""
#:import t mobile.ui.theme

<Question>:
    canvas.before:
        Color:
            rgba: t.VEIL
        Rectangle:
            pos: self.pos
            size: self.size
    Column:
        id: sheet
        size_hint: 1, None
        height: self.minimum_height
        pos: root.pos
        padding: dp(t.L), dp(t.XL), dp(t.L), dp(t.L)
        spacing: dp(t.M)
        canvas.before:
            Color:
                rgba: t.PAPER
            SmoothRoundedRectangle:
                pos: self.pos
                size: self.size
                radius: [dp(20), dp(20), 0, 0]
        Strong:
            text: root.title
            font_size: sp(t.TITLE)
        Txt:
            text: root.words
            line_height: 1.15
        Column:
            id: answers
            size_hint_y: None
            height: self.minimum_height
            padding: 0, dp(t.XS), 0, 0
            spacing: dp(t.S)
""")
