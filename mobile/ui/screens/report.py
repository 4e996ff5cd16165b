"""Report a problem: from a household, from a visit, or alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, StringProperty
from kivy.uix.widget import Widget

from mobile.sync.phone import Category, Draft, DraftPhoto, Phone, ProblemDraft, ProblemRow
from mobile.ui import category_words, theme
from mobile.ui import photos as _photos  # noqa: F401  PhotoStrip in the rules
from mobile.ui.alike_cards import alike_cards
from mobile.ui.choosing_category import choose_category
from mobile.ui.form import FormPage, with_phase
from mobile.ui.widgets import TapNote, text
from mobile.ui.words import tr

ALIKE_SECONDS = 0.6


class _Start(NamedTuple):
    """What the form starts with."""

    values: dict[str, Any]
    about: str
    categories: list[Category]
    grids: list[tuple[str, str]]
    kept: Draft | None
    recent: str


class ReportPage(FormPage):
    """``household_id`` and ``visit_id`` say where it was found; both may be missing."""

    FIELDS = (
        "description", "place", "concern_tags", "source", "reporter_name", "grid", "solved_on_spot",
    )  # fmt: skip
    about = StringProperty()
    category = StringProperty()
    category_name = StringProperty()
    asks_reporter = BooleanProperty(False)
    asks_grid = BooleanProperty(False)
    needs_before = BooleanProperty(False)
    grids = ListProperty()

    def built(self) -> None:
        """The reporter is asked for only where it is somebody else."""
        super().built()
        self.ids.source.bind(value=self._source_changed)
        self._look_alike = self.later(self._ask_alike, ALIKE_SECONDS)

    def enter(self, household_id: str = "", visit_id: str = "") -> None:
        """The place is filled in where it is known, or as it was left."""
        self.draft_key = f"problem:{visit_id or household_id or 'new'}"
        phone, key = self.around.phone, self.draft_key
        self.asks_grid = False
        self.about = ""
        self._categories: list[Category] = []
        self._recent = ""
        self._found: list[ProblemRow] = []
        self.ids.alike.clear_widgets()
        self._fill({}, ())

        def arrived(found: _Start) -> None:
            if key != self.draft_key:
                return
            values, kept = found.values, found.kept
            self.about, self._categories, self.grids = found.about, found.categories, found.grids
            self._recent = found.recent
            self.asks_grid = not household_id and len(self.grids) > 1
            if kept is None:
                self._fill(values, ())
                return
            self._fill({**values, **kept.values}, kept.photos)
            self.shell.say(
                tr("接着上次没写完的"), "undo", tr("重新填写"), lambda: self._anew(values)
            )

        self.read(lambda: _open(phone, household_id, visit_id, key), arrived)

    def pick_category(self) -> None:
        """To the list of categories and back."""
        choose_category(self.shell, self._categories, self.category, self._recent, self._picked)

    def touched(self) -> None:
        """What was typed is kept, and compared with what is known."""
        super().touched()
        if not self._filling:
            self._look_alike()

    def values(self) -> dict[str, Any]:
        """With the category, which is chosen on another page."""
        return super().values() | {"category": self.category or None}

    def save(self) -> None:
        """Into the ledger, from here on with a history of its own."""
        values = self.values()
        grid = values.pop("grid", None) or ""
        if self.asks_grid and not grid:
            self.wrong("grid", tr("请选择所属网格"))
        if not self.asks_reporter:
            values.pop("reporter_name", None)
        position = self._position()
        if position:
            values["position"] = position
        phone, key, code = self.around.phone, self.draft_key, self.category
        draft = ProblemDraft(values, self._taken(), grid)
        recent = category_words.used(self._recent, code)

        def work() -> str:
            saved = phone.report_problem(draft, key)
            phone.keep_setting(category_words.RECENT, recent)
            return saved

        self.save_by(work, self._saved)

    def add_to(self, row: ProblemRow) -> None:
        """The same thing told again: what is new goes into the problem that is there."""
        phone, key = self.around.phone, self.draft_key
        words = str(self.values().get("description") or "").strip()
        if not words:
            self.wrong("description", tr("写一句新的情况，再补充"))
            self.ids.body.show(self.ids.description_field)
            return
        photos = self._taken()

        def work() -> None:
            phone.act(row.id, "progress", {"reason": words}, photos)
            phone.drop_draft(key)

        def saved(_: Any) -> None:
            self.draft_key = ""
            self.shell.instead("problem", problem_id=row.id)
            self.shell.say(tr("已补充到这件，没有另报"), "disc_check")

        self.save_by(work, saved)

    def _taken(self) -> tuple[DraftPhoto, ...]:
        return with_phase(self.photos, "before") if self.needs_before else tuple(self.photos)

    def _saved(self, _: str) -> None:
        self.draft_key = ""
        self.shell.back()
        one = self._chosen()
        if one and one.call:
            self.shell.say(
                tr("已记下。还没打电话的话，现在就打"),
                "call",
                tr("拨打 {number}", number=one.call),
                lambda: self.around.dialler.call(one.call),
            )
        else:
            self.shell.say(tr("已上报台账，联网后自动上传"), "disc_check")

    def leave(self) -> None:
        """Nothing is compared any more."""
        self._look_alike.cancel()
        super().leave()

    def _ask_alike(self) -> None:
        phone, key = self.around.phone, self.draft_key
        values = self.values()
        position = self._position()
        if position:
            values["position"] = position
        if key:
            self.read(
                lambda: phone.alike(values),
                lambda found: self._show_alike(found) if key == self.draft_key else None,
            )

    def _show_alike(self, found: list[ProblemRow]) -> None:
        if found == self._found:
            return
        self._found = found
        self.ids.alike.fill(
            alike_cards(
                found,
                self.around.now(),
                look_at=lambda one: self.shell.go("problem", problem_id=one.id),
                add_to=self.add_to,
            )
        )

    def _picked(self, code: str) -> None:
        self.category = code
        self._name_category()
        self.wrong("category", "")
        self.wrong("photos", "")
        self._touched = True
        self.flush()
        self._look_alike()

    def _fill(self, values: dict[str, Any], photos: Any) -> None:
        self.category = values.get("category") or ""
        self._name_category()
        self.wrong("category", "")
        self.begin({"source": "worker", **values}, photos)
        self.base.pop("category", None)

    def _chosen(self) -> Category | None:
        return next((one for one in self._categories if one.code == self.category), None)

    def _name_category(self) -> None:
        one = self._chosen()
        self.category_name = category_words.name(one) if one else ""
        self.needs_before = bool(one and one.needs_before)
        self.ids.told.fill(self._told(one) if one else ())

    def _told(self, one: Category) -> Iterator[Widget]:
        if one.call:
            urgent = TapNote(
                text=tr("紧急：同时拨打 {number}，点这里就拨", number=one.call),
                icon="call",
                tone="danger",
            )
            urgent.bind(on_release=lambda _: self.around.dialler.call(one.call))
            yield urgent
        yield text("Sub", category_words.facts(one), padding=(dp(theme.XS), 0))

    def _source_changed(self, _: Any, value: str) -> None:
        self.asks_reporter = value not in ("", "worker")

    def _anew(self, values: dict[str, Any]) -> None:
        phone, key = self.around.phone, self.draft_key
        self._fill(values, ())
        self.read(lambda: phone.drop_draft(key), lambda _: None)


def _open(phone: Phone, household_id: str, visit_id: str, key: str) -> _Start:
    """What the form starts with: values, where, the categories, my grids, the draft."""
    values: dict[str, Any] = {"source": "worker"}
    about = ""
    if household_id:
        door = phone.household(household_id)
        about = door.address
        values |= {"place": door.address, "target_kind": "household", "target_id": household_id}
    if visit_id:
        visit = phone.visit(visit_id)
        values["visit_id"] = visit_id
        for name in ("concern_tags", "position"):
            if visit.values.get(name):
                values[name] = visit.values[name]
        if visit.values.get("appeal"):
            values["description"] = visit.values["appeal"]
    me = phone.me
    grids = [(grid.code, grid.name) for grid in me.grids] if me else []
    recent = phone.setting(category_words.RECENT)
    return _Start(values, about, phone.categories(), grids, phone.draft(key), recent)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
