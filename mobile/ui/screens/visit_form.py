"""A visit as it is written down at the door, or corrected after it came back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import StringProperty

from mobile.sync.phone import Draft, Phone, VisitDraft, VisitView
from mobile.ui import look
from mobile.ui.form import FormPage
from mobile.ui.words import tr


class VisitFormPage(FormPage):
    """``household_id`` for a new visit, ``visit_id`` to correct one."""

    FIELDS = (
        "reason", "outcome", "note", "appeal", "concern_tags", "early_sign", "resolved_on_spot",
    )  # fmt: skip
    household_id = StringProperty()
    visit_id = StringProperty()
    who = StringProperty()
    told = StringProperty()

    def enter(self, household_id: str = "", visit_id: str = "") -> None:
        """Prefilled from the last visit, or as it was left."""
        self.household_id, self.visit_id = household_id, visit_id
        self.draft_key = f"edit:{visit_id}" if visit_id else f"visit:{household_id}"
        self.who = self.told = ""
        self._grid = ""
        self.begin({})
        phone, key = self.around.phone, self.draft_key

        def arrived(found: tuple[VisitDraft, str, str, Draft | None]) -> None:
            prefilled, who, told, kept = found
            if key != self.draft_key:
                return
            self.who, self.told, self._grid = who, told, prefilled.grid
            if kept is None:
                self.begin(prefilled.values)
                return
            self.begin({**prefilled.values, **kept.values}, kept.photos)
            self.shell.say(
                tr("接着上次没写完的"), "undo", tr("重新填写"), lambda: self._anew(prefilled)
            )

        self.read(lambda: _open(phone, household_id, visit_id, key), arrived)

    def save(self) -> None:
        """Save; the page before says that it is safe."""
        phone, key, values = self.around.phone, self.draft_key, self.values()
        if self.visit_id:
            visit, changes = self.visit_id, {name: values[name] for name in self.FIELDS}

            def work() -> Any:
                phone.edit("visit", visit, changes)
                phone.drop_draft(key)

        else:
            position = self._position()
            if position:
                values["position"] = position
            draft = VisitDraft(values, tuple(self.photos), self._grid)

            def work() -> Any:
                return phone.save_visit(draft, key)

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

    def _anew(self, prefilled: VisitDraft) -> None:
        phone, key = self.around.phone, self.draft_key
        self.begin(prefilled.values)
        self.read(lambda: phone.drop_draft(key), lambda _: None)


def _open(
    phone: Phone, household_id: str, visit_id: str, key: str
) -> tuple[VisitDraft, str, str, Draft | None]:
    """What the form starts with: values, whom it is about, why it came back, the draft."""
    kept = phone.draft(key)
    if visit_id:
        view: VisitView = phone.visit(visit_id)
        return VisitDraft(view.values), view.row.target_name, look.why(view.row), kept
    draft, door = phone.new_visit(household_id), phone.household(household_id)
    name = door.values.get("contact_name") or ""
    return draft, " · ".join(filter(None, (name, door.address))), "", kept


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
