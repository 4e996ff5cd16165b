"""A problem: what and where, how far it is, what has happened, and what may be done now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import StringProperty

from mobile.sync.phone import ActionOffer, ProblemView
from mobile.ui import look, photo_states
from mobile.ui.inputs import Quiet
from mobile.ui.page import Page
from mobile.ui.parts import open_conflicts, show_badges, step
from mobile.ui.photos import look_at
from mobile.ui.times import day, moment
from mobile.ui.widgets import Fact, text
from mobile.ui.words import label, pick, tr, word, words
from shared import records
from shared import vocabulary as v

# The likeliest next step is the page's main button; the rest are quiet ones.
FIRST = ("accept", "request_closure", "callback", "register", "dispatch", "progress", "reopen")
NEEDS_A_COMPUTER = frozenset({"merge"})  # names another problem: done on the web page


class ProblemPage(Page):
    """One entry of the ledger."""

    problem_id = StringProperty()
    number = StringProperty()
    told = StringProperty()
    description = StringProperty()
    action = StringProperty()
    action_name = StringProperty()
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
            asks_photo = name == "request_closure"
            self.shell.go(
                "action", problem_id=self.problem_id, offer=offer, about=self.description,
                photo="" if not asks_photo else "must" if self._view.needs_after else "may",
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
        conflicts = [one for one in view.conflicts if one.state == "open"]
        self.told = tr("有内容两人写得不同，等网格长裁定") if conflicts else ""
        self.safe, self.safe_icon, self.safe_tone = photo_states.receipt(row, view.photos)
        self._badges(view)
        facts = [
            (label("problem", "category"), pick(row.category_zh, row.category_en)),
            (label("problem", "place"), row.address),
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
        looks = [look.problem(row.state), look.limit(row, now)]
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
        self.action = possible[0].name if possible else ""
        self.action_name = pick(possible[0].zh, possible[0].en) if possible else ""
        box = self.ids.actions
        box.clear_widgets()
        for offer in possible[1:]:
            button = Quiet(text=pick(offer.zh, offer.en))
            button.bind(on_release=lambda _, name=offer.name: self.act(name))
            box.add_widget(button)

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


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
