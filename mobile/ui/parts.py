"""Cards that stand on several pages: a visit, a problem, a reason, a step of a history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ColorProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.sync.phone import ConflictRow, ProblemRow, ProgressRow, VisitRow
from mobile.ui import look, photo_states, theme
from mobile.ui.times import moment
from mobile.ui.widgets import Badge, TapCard, text
from mobile.ui.words import pick, tr, word
from shared import ids
from shared import vocabulary as v

if TYPE_CHECKING:
    from mobile.ui.shell import Shell


class LinkCard(TapCard):
    """A card that leads to a record: title, two lines, a state, and why if it came back."""

    title = StringProperty()
    line = StringProperty()
    aside = StringProperty()
    badge = StringProperty()
    badge_icon = StringProperty()
    badge_tone = StringProperty("mute")
    badge2 = StringProperty()
    badge2_icon = StringProperty()
    badge2_tone = StringProperty("mute")
    badge3 = StringProperty()
    badge3_icon = StringProperty()
    badge3_tone = StringProperty("mute")
    why = StringProperty()
    why_tone = StringProperty("danger")
    todo = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        self._draw = Clock.create_trigger(self._show_badges, -1)
        super().__init__(**kwargs)
        for number in ("", "2", "3"):
            for part in ("", "_icon", "_tone"):
                self.fbind(f"badge{number}{part}", self._draw)
        self.fbind("aside", self._draw)
        self._show_badges()

    def _show_badges(self, *_: Any) -> None:
        row = self.ids.badges
        show_badges(
            row,
            (
                look.Look(self.badge, self.badge_icon, self.badge_tone),
                look.Look(self.badge2, self.badge2_icon, self.badge2_tone),
                look.Look(self.badge3, self.badge3_icon, self.badge3_tone),
            ),
        )
        if self.aside:
            row.add_widget(text("Aside", self.aside))


class Step(BoxLayout):
    """One entry of a problem's history."""

    title = StringProperty()
    line = StringProperty()
    dot = ColorProperty(theme.PRIMARY)
    last = BooleanProperty(False)


def show_badges(row: Widget, looks: Iterable[look.Look]) -> None:
    """The states that have something to say, side by side."""
    row.clear_widgets()
    for one in looks:
        if one.text:
            row.add_widget(Badge(text=one.text, icon=one.icon, tone=one.tone))


def open_conflicts(shell: Shell, rows: Iterable[ConflictRow]) -> None:
    """To the one open conflict; to the sync page, which lists them, where there are several."""
    found = [row.id for row in rows if row.state == "open"]
    if len(found) == 1:
        shell.go("conflict", conflict_id=found[0])
    elif found:
        shell.go("sync")


def visit_card(row: VisitRow, author: str, now: int, open_it: Callable[[str], Any]) -> Widget:
    """A visit among others."""
    state, safe = look.visit(row), photo_states.badge(row)
    note = row.note or word(v.VISIT_REASONS, row.reason)
    if row.photos:
        note = tr("{note} · 照片{n}张", note=note, n=row.photos)
    card = LinkCard(
        title=" · ".join((word(v.OUTCOMES, row.outcome), moment(row.visited_at, now))),
        line=" · ".join(filter(None, (note, author))),
        badge=state.text,
        badge_icon=state.icon,
        badge_tone=state.tone,
        badge2=safe.text,
        badge2_icon=safe.icon,
        badge2_tone=safe.tone,
        why=look.why(row),
        why_tone="danger" if state.tone == "danger" else "warn",
    )
    card.bind(on_release=lambda _: open_it(row.id))
    return card


def problem_card(row: ProblemRow, now: int, open_it: Callable[[str], Any]) -> Widget:
    """A problem among others."""
    state, limit, safe = look.problem(row.state), look.limit(row, now), photo_states.badge(row)
    if row.pending:
        limit = look.place("waiting")
    card = LinkCard(
        title=row.description,
        line=" · ".join(filter(None, (pick(row.category_zh, row.category_en), row.ledger_no))),
        badge=state.text,
        badge_icon=state.icon,
        badge_tone=state.tone,
        badge2=limit.text,
        badge2_icon=limit.icon,
        badge2_tone=limit.tone,
        badge3=safe.text,
        badge3_icon=safe.icon,
        badge3_tone=safe.tone,
    )
    card.bind(on_release=lambda _: open_it(row.id))
    return card


def step(row: ProgressRow, now: int, names: Callable[[str, Any], str], last: bool = False) -> Step:
    """An entry of a history as a sentence: who did what, and why. ``names`` words its details."""
    who = "" if ids.is_id(row.actor_name) else row.actor_name
    what = pick(row.action_zh, row.action_en) or row.action
    state = look.place("waiting").text if row.pending else ""
    title = " · ".join(filter(None, (moment(row.at, now), state)))
    details = [names(name, value) for name, value in row.detail.items() if value not in (None, "")]
    return Step(
        title=tr("{who}：{what}", who=who, what=what) if who else what,
        line="\n".join(filter(None, (title, row.reason, *details))),
        dot=theme.INFO if row.pending else theme.PRIMARY,
        last=last,
    )


Builder.load_string("""
#:import t mobile.ui.theme
#:import tr mobile.ui.words.tr

<LinkCard>:
    spacing: dp(6)
    BoxLayout:
        size_hint_y: None
        height: max(sp(24), title.height)
        spacing: dp(t.S)
        Txt:
            id: title
            text: root.title
            most: 2
            pos_hint: {'center_y': .5}
        Icon:
            name: 'right'
            tint: t.SUB
            size: dp(16), dp(16)
            pos_hint: {'center_y': .5}
    Sub:
        text: root.line
        most: 2
    Flow:
        id: badges
    Txt:
        text: root.why
        color: t.tone(root.why_tone)[0]
        font_size: sp(t.SMALL)
    Txt:
        text: root.todo
        font_size: sp(t.SMALL)

<Step>:
    size_hint_y: None
    height: words.height + dp(t.M)
    spacing: dp(t.M)
    Widget:
        size_hint_x: None
        width: dp(14)
        canvas:
            Color:
                rgba: t.LINE
            Rectangle:
                pos: self.center_x - dp(1), self.y - dp(6) if not root.last else self.top - dp(14)
                size: dp(2), self.height if not root.last else dp(14)
            Color:
                rgba: root.dot
            SmoothEllipse:
                pos: self.center_x - dp(5), self.top - dp(16)
                size: dp(10), dp(10)
    BoxLayout:
        id: words
        orientation: 'vertical'
        size_hint_y: None
        height: self.minimum_height
        pos_hint: {'top': 1}
        spacing: dp(2)
        Txt:
            text: root.title
        Sub:
            text: root.line
""")
