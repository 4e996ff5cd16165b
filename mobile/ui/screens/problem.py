"""A problem: what and where, how far it is, what has happened, and what may be done now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.sync.phone import ActionOffer, ProblemView
from mobile.ui import look, photo_states
from mobile.ui.inputs import Quiet
from mobile.ui.page import Page
from mobile.ui.parts import open_conflicts, show_badges, step
from mobile.ui.photos import look_at
from mobile.ui.times import day, moment
from mobile.ui.widgets import Fact, text
from mobile.ui.words import label, language, pick, tr, word, words
from shared import ledger, protocol, records
from shared import vocabulary as v

# The likeliest next step is the page's main button; the rest are quiet ones.
FIRST = ("accept", "request_closure", "callback", "register", "dispatch", "progress", "reopen")
WITH_PHOTOS = ("request_closure", "progress", "reopen")
# Those a worker may wonder about; the rest of a role's actions are shown once they are possible.
WORTH_SAYING = ("request_closure", "reopen", "callback", "accept", "close")
ICONS = {"progress": "pencil", "request_closure": "check", "reopen": "undo", "callback": "call"}
NEEDS_A_COMPUTER = frozenset({"merge"})  # names another problem: done on the web page


class ProblemPage(Page):
    """One entry of the ledger."""

    problem_id = StringProperty()
    number = StringProperty()
    told = StringProperty()
    description = StringProperty()
    action = StringProperty()
    action_name = StringProperty()
    action_icon = StringProperty()
    second = StringProperty()
    second_name = StringProperty()
    second_icon = StringProperty()
    where = StringProperty()
    state_icon = StringProperty("ledger")
    state_tone = StringProperty("mute")
    has_blocked = BooleanProperty(False)
    safe = StringProperty()
    safe_icon = StringProperty()
    safe_tone = StringProperty("mute")

    def enter(self, problem_id: str) -> None:
        """Show this problem."""
        self.problem_id = problem_id
        self._view: ProblemView | None = None
        self.seen = None
        self.ids.body.scroll_y = 1
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        phone, problem = self.around.phone, self.problem_id

        def work() -> tuple[ProblemView, dict[str, str]]:
            return phone.problem(problem), dict(phone.bodies())

        self.read_new(work, lambda found: self._show(*found))

    def act(self, name: str) -> None:
        """To the small form of an action."""
        if self._view:
            offer = next(one for one in self._view.actions if one.name == name)
            must = name == "request_closure" and self._view.needs_after
            self.shell.go(
                "action", problem_id=self.problem_id, offer=offer, about=self.description,
                photo="must" if must else "may" if name in WITH_PHOTOS else "",
                asks_cause=name == "request_closure" and self._view.asks_cause,
            )  # fmt: skip

    def open_conflicts(self) -> None:
        """To what two people wrote differently."""
        if self._view:
            open_conflicts(self.shell, self._view.conflicts)

    def look_at(self, index: int) -> None:
        """A photo in full."""
        if self._view:
            photo = self._view.photos[index]
            look_at(self.shell, photo, word(v.PHASES, photo.phase))

    def _show(self, view: ProblemView, bodies: dict[str, str]) -> None:
        if view.row.id != self.problem_id:
            return
        self._view = view
        row, now, values = view.row, self.around.now(), view.values
        self.number = row.ledger_no or tr("还没有编号")
        self.description = row.description
        category = pick(row.category_zh, row.category_en)
        self.where = " · ".join(filter(None, (category, row.address)))
        conflicts = [one for one in view.conflicts if one.state == "open"]
        self.told = tr("有内容两人写得不同，等网格长裁定") if conflicts else ""
        self.safe, self.safe_icon, self.safe_tone = photo_states.receipt(row, view.photos)
        self._badges(view)
        facts = [
            (label("problem", "found_at"), moment(row.found_at, now)),
            (label("problem", "source"), word(v.SOURCES, values.get("source"))),
            (label("problem", "concern_tags"), words(v.CONCERNS, values.get("concern_tags"))),
            (label("problem", "body"), bodies.get(values.get("body") or "", values.get("body"))),
            *((label("problem", n), values.get(n)) for n in ("owner", "measure", "result")),
            (label("problem", "due_at"), moment(row.due_at, now)),
        ]
        self.ids.facts.fill(Fact(label=name, value=value) for name, value in facts if value)
        self.ids.photos.fill(
            self.around,
            [(one.path, "image", word(v.PHASES, one.phase)) for one in view.photos],
            "",
        )
        self._actions(view.actions)
        self._steps(view, bodies)

    def _badges(self, view: ProblemView) -> None:
        row, now = view.row, self.around.now()
        state = look.problem(row.state)
        self.state_icon, self.state_tone = state.icon, state.tone
        looks = [state._replace(icon=""), look.limit(row, now)]
        if row.place != "applied":
            looks.append(look.place(row.place))
        if row.supervised:
            looks.append(look.Look(label("problem", "supervised"), "flag", "warn"))
        if (view.values.get("round") or 1) > 1:
            looks.append(look.Look(tr("第{n}轮", n=view.values["round"]), "undo", "mute"))
        show_badges(self.ids.badges, looks)

    def _actions(self, offers: tuple[ActionOffer, ...]) -> None:
        possible = [o for o in offers if not o.blocked and o.name not in NEEDS_A_COMPUTER]
        order = {name: place for place, name in enumerate(FIRST)}
        possible.sort(key=lambda offer: order.get(offer.name, len(order)))
        (self.action, self.action_name, self.action_icon), (
            self.second, self.second_name, self.second_icon,
        ), *_ = [_button(one) for one in possible[:2]] + [("", "", ""), ("", "", "")]  # fmt: skip
        box = self.ids.actions
        box.clear_widgets()
        for offer in possible[2:]:
            name, words_, icon = _button(offer)
            button = Quiet(text=words_, icon=icon)
            button.bind(on_release=lambda _, name=name: self.act(name))
            box.add_widget(button)
        blocked = [o for o in offers if o.blocked and o.name in WORTH_SAYING]
        self.ids.not_now.fill(
            Fact(label=pick(one.zh, one.en), value=why_not_now(one)) for one in blocked
        )
        self.has_blocked = bool(blocked)

    def _steps(self, view: ProblemView, bodies: dict[str, str]) -> None:
        now = self.around.now()

        def detail(name: str, value: Any) -> str:
            field = records.FIELDS["problem"].get(name)
            if field is None:
                return ""
            if field.type == records.MS:
                shown = day(value, now)
            elif name == "body":
                shown = bodies.get(value, str(value))
            elif name == "co_bodies":
                shown = tr("、").join(bodies.get(one, one) for one in value)
            else:
                shown = word(field.choices, value) if field.choices else str(value)
            return tr("{name}：{value}", name=pick(field.zh, field.en), value=shown)

        first = view.progress[0] if view.progress else None
        self.ids.steps.fill(
            (step(one, now, detail, last=one is first) for one in reversed(view.progress))
            if first
            else [text("Sub", tr("上传之后，每一步都会记在这里"))]
        )


def _button(offer: ActionOffer) -> tuple[str, str, str]:
    return offer.name, pick(offer.zh, offer.en), ICONS.get(offer.name, "right")


def why_not_now(offer: ActionOffer) -> str:
    """Why an action is not possible now: the state it needs, else the rule's own reason."""
    if offer.blocked == "not_allowed":
        states = [word(v.PROBLEM_STATES, one) for one in ledger.ACTIONS[offer.name].sources]
        return tr("到“{states}”时才能办", states=tr("、").join(states))
    return protocol.title(offer.blocked, language())


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
