"""A visit as it is written down at the door, or corrected after it came back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty

from mobile.sync.phone import Category, Draft, DraftPhoto, Phone, VisitDraft, VisitView
from mobile.ui import category_words, look
from mobile.ui import photos as _photos  # noqa: F401  PhotoStrip in the rules
from mobile.ui.campaign_fields import CampaignFields
from mobile.ui.choosing_category import choose_category
from mobile.ui.form import FormPage
from mobile.ui.words import tr
from shared.campaigns import Campaign


class VisitFormPage(FormPage):
    """``household_id`` for a new visit, ``visit_id`` to correct one."""

    FIELDS = (
        "reason", "outcome", "note", "appeal", "concern_tags", "early_sign", "resolved_on_spot",
        "solved_description",
    )  # fmt: skip
    household_id = StringProperty()
    visit_id = StringProperty()
    who = StringProperty()
    told = StringProperty()
    asks_solved = BooleanProperty(False)
    asks_photos = BooleanProperty(True)  # of one's own visit
    solved_category = StringProperty()
    solved_name = StringProperty()

    def built(self) -> None:
        """What was solved is asked for once it is said that something was."""
        self._asked = CampaignFields(self.ids.campaigns, self.ids, self._changed)
        self._categories: list[Category] = []
        self._recent = ""
        super().built()
        self.ids.resolved_on_spot.bind(active=self._solved_changed)
        self.ids.reason.bind(value=self._reason_changed)

    def enter(self, household_id: str = "", visit_id: str = "") -> None:
        """Prefilled from the last visit, or as it was left."""
        self.household_id, self.visit_id = household_id, visit_id
        self.draft_key = f"edit:{visit_id}" if visit_id else f"visit:{household_id}"
        self.who = self.told = ""
        self._grid = ""
        self._fill({}, (), [], {})
        phone, key = self.around.phone, self.draft_key

        def arrived(found: _Start) -> None:
            if key != self.draft_key:
                return
            self.who, self.told, self._grid = found.who, found.told, found.prefilled.grid
            self.asks_photos = found.own
            self._categories, self._recent = found.categories, found.recent
            if found.kept is None:
                self._start(found)
                return
            values = {**found.prefilled.values, **found.kept.values}
            self._fill(values, found.kept.photos, found.running, found.earlier)
            self.shell.say(
                tr("接着上次没写完的"), "undo", tr("重新填写"), lambda: self._anew(found)
            )

        self.read(lambda: _open(phone, household_id, visit_id, key), arrived)

    def values(self) -> dict[str, Any]:
        """With the answers to campaigns, and the category, which is chosen on another page."""
        found = super().values() | {"solved_category": self.solved_category or None}
        answers = self._asked.values()
        return found | {"answers": {**self._other_answers, **answers} or None}

    def pick_category(self) -> None:
        """What kind of problem was solved."""
        chosen = self.solved_category
        choose_category(self.shell, self._categories, chosen, self._recent, self._picked)

    def save(self) -> None:
        """Save; the page before says that it is safe."""
        phone, key, values = self.around.phone, self.draft_key, self.values()
        solved = {name: values.pop(f"solved_{name}") for name in ("category", "description")}
        if self.visit_id:
            changed = (*self.FIELDS, "answers")
            visit, changes = self.visit_id, {n: values[n] for n in changed if n in values}
            added = tuple(self.photos)

            def work() -> Any:
                phone.edit("visit", visit, changes, added)
                phone.drop_draft(key)

        else:
            position = self._position()
            if position:
                values["position"] = position
            on_spot = solved if self.asks_solved else None
            draft = VisitDraft(values, tuple(self.photos), self._grid, on_spot)
            recent = category_words.used(self._recent, self.solved_category)

            def work() -> Any:
                saved = phone.save_visit(draft, key)
                if on_spot:
                    phone.keep_setting(category_words.RECENT, recent)
                return saved

        self.save_by(work, self._saved)

    def _saved(self, visit_id: str | None) -> None:
        self.draft_key = ""
        self.shell.back()
        if visit_id:
            self.shell.say(
                tr("已保存，联网后自动上传"),
                "disc_check",
                tr("报问题"),
                lambda: self.shell.go("report", visit_id=visit_id, household_id=self.household_id),
            )
        else:
            self.shell.say(tr("已保存，联网后自动上传"), "disc_check")

    def _anew(self, found: _Start) -> None:
        phone, key = self.around.phone, self.draft_key
        self._start(found)
        self.read(lambda: phone.drop_draft(key), lambda _: None)

    def _start(self, found: _Start) -> None:
        self._fill(found.prefilled.values, (), found.running, found.earlier)

    def _fill(
        self,
        values: Mapping[str, Any],
        photos: tuple[DraftPhoto, ...],
        running: list[Campaign],
        earlier: Mapping[str, Any],
    ) -> None:
        self.solved_category = values.get("solved_category") or ""
        self._name_category()
        given = values.get("answers")
        given = given if isinstance(given, Mapping) else {}
        codes = {one.code for one in running}
        self._other_answers = {code: one for code, one in given.items() if code not in codes}
        self.begin(values, photos)
        for name in ("solved_category", "answers"):
            self.base.pop(name, None)
        begun = codes if values.get("reason") == "campaign" else given
        self._filling = True
        self._asked.show(running, {**earlier, **given}, begun)
        self._filling = False
        self._solved_changed()

    def _picked(self, code: str) -> None:
        self.solved_category = code
        self._name_category()
        self.wrong("solved_category", "")
        self._touched = True
        self.flush()

    def _name_category(self) -> None:
        code = self.solved_category
        found = next((one for one in self._categories if one.code == code), None)
        self.solved_name = category_words.name(found) if found else ""

    def _solved_changed(self, *_: Any) -> None:
        self.asks_solved = self.ids.resolved_on_spot.active and not self.visit_id

    def _reason_changed(self, _: Any, value: str) -> None:
        if value == "campaign" and not self._filling:
            self._asked.begin_all()


class _Start(NamedTuple):
    """What the form starts with; ``told``: why it came back, ``earlier``: answers of the door."""

    prefilled: VisitDraft
    who: str
    told: str
    kept: Draft | None
    running: list[Campaign]
    earlier: Mapping[str, Any]
    categories: list[Category]
    recent: str
    own: bool = True


def _open(phone: Phone, household_id: str, visit_id: str, key: str) -> _Start:
    kept, recent = phone.draft(key), phone.setting(category_words.RECENT)
    if visit_id:
        view: VisitView = phone.visit(visit_id)
        asked = phone.known_campaigns()
        given = [asked[code] for code in view.values.get("answers") or {} if code in asked]
        name, told = view.row.target_name, look.why(view.row)
        own = phone.me is not None and view.row.author == phone.me.user_id
        return _Start(VisitDraft(view.values), name, told, kept, given, {}, [], recent, own)
    draft, door = phone.new_visit(household_id), phone.household(household_id)
    running, earlier = phone.campaigns(household_id)
    name = " · ".join(filter(None, (door.values.get("contact_name") or "", door.address)))
    return _Start(draft, name, "", kept, running, earlier, phone.categories(), recent)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
