"""A visit as it was saved: where it is now, what its review says, its photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.widget import Widget

from mobile.sync.phone import VisitView
from mobile.ui import look, photo_states
from mobile.ui.page import Page
from mobile.ui.parts import open_conflicts, problem_card
from mobile.ui.photos import look_at
from mobile.ui.screens.household import known_name
from mobile.ui.times import moment
from mobile.ui.widgets import Fact, text
from mobile.ui.words import label, language, tr, word, words
from shared import campaigns
from shared import vocabulary as v
from shared.campaigns import Campaign

PHOTO_ICONS = {"verified": "disc_check", "refused": "warn", "corrupt": "warn", "missing": "warn"}


class VisitPage(Page):
    """One visit."""

    visit_id = StringProperty()
    who = StringProperty()
    told = StringProperty()
    conflict = StringProperty()
    outcome = StringProperty()
    state = StringProperty()
    state_icon = StringProperty()
    state_tone = StringProperty("mute")
    photo_words = StringProperty()
    safe = StringProperty()
    safe_icon = StringProperty()
    safe_tone = StringProperty("mute")
    has_problems = BooleanProperty(False)

    def enter(self, visit_id: str) -> None:
        """Show this visit."""
        self.visit_id = visit_id
        self._view: VisitView | None = None
        self.seen = None
        self.ids.body.scroll_y = 1
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        phone, visit = self.around.phone, self.visit_id

        def work() -> tuple[VisitView, str, dict[str, Campaign]]:
            view = phone.visit(visit)
            return view, known_name(phone, view.row.author), phone.known_campaigns()

        self.read_new(work, lambda found: self._show(*found))

    def report(self) -> None:
        """A problem found on this visit."""
        if self._view:
            row = self._view.row
            door = row.target_id if self._view.values.get("target_kind") == "household" else ""
            self.shell.go("report", visit_id=self.visit_id, household_id=door or "")

    def open_conflicts(self) -> None:
        """To what two people wrote differently."""
        if self._view:
            open_conflicts(self.shell, self._view.conflicts)

    def look_at(self, index: int) -> None:
        """A photo in full."""
        if self._view:
            photo = self._view.photos[index]
            look_at(self.shell, photo, word(v.PHOTO_STATES, photo.state))

    def _show(self, view: VisitView, author: str, asked: dict[str, Campaign]) -> None:
        if view.row.id != self.visit_id:
            return
        self._view = view
        row, now, values = view.row, self.around.now(), view.values
        self.who = row.target_name
        self.outcome = word(v.OUTCOMES, row.outcome)
        self.state, self.state_icon, self.state_tone = look.visit(row)
        why = look.why(row)
        conflicts = [c for c in view.conflicts if c.state == "open"]
        self.told = why
        self.conflict = tr("有内容两人写得不同，等网格长裁定") if conflicts else ""
        solved = values.get("resolved_on_spot")
        facts = [
            (label("visit", "visited_at"), moment(row.visited_at, now)),
            (label("visit", "reason"), word(v.VISIT_REASONS, row.reason)),
            (tr("走访人"), author),
            *((label("visit", name), values.get(name) or "") for name in ("note", "appeal")),
            (label("visit", "concern_tags"), words(v.CONCERNS, values.get("concern_tags"))),
            (label("visit", "early_sign"), values.get("early_sign") or ""),
            (label("visit", "resolved_on_spot"), tr("是") if solved else ""),
            (label("visit", "review_note"), "" if why else row.review_note),
        ]
        answers = values.get("answers")
        told = campaigns.told(asked, answers if isinstance(answers, dict) else {}, language())
        shown: list[Widget] = [Fact(label=name, value=value) for name, value in facts if value]
        for campaign, rows in told:
            shown.append(text("Section", tr("专项：{name}", name=campaign)))
            shown += [Fact(label=asked_for, value=said) for asked_for, said in rows]
        self.ids.facts.fill(shown)
        self.photo_words = (
            tr("{m}张照片，{n}张已安全", n=row.photos_verified, m=row.photos) if row.photos else ""
        )
        self.safe, self.safe_icon, self.safe_tone = photo_states.receipt(row, view.photos)
        self.ids.photos.fill(
            self.around,
            [
                (one.path, PHOTO_ICONS.get(one.state, "cloud_up"), photo_word(one.state))
                for one in view.photos
            ],
            "",
        )
        self.has_problems = bool(view.problems)
        self.ids.problems.fill(problem_card(one, now, self._problem) for one in view.problems)

    def _problem(self, problem_id: str) -> Any:
        self.shell.go("problem", problem_id=problem_id)


def photo_word(state: str) -> str:
    """A photo's state under its tile."""
    return {
        "declared": tr("待上传"),
        "stored": tr("已收到"),
        "verified": tr("已核实"),
        "corrupt": tr("重传"),
        "refused": tr("无法使用"),
        "missing": tr("文件不在了"),
    }.get(state, "")


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
