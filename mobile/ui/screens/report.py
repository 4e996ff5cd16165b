"""Report a problem: from a household, from a visit, or alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.sync.phone import Category, Draft, Phone, ProblemDraft
from mobile.ui.form import FormPage
from mobile.ui.screens.pick import Option
from mobile.ui.words import label, pick, tr

_Start = tuple[dict[str, Any], str, list[Category], list[tuple[str, str]], Draft | None]


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
    grids = ListProperty()

    def built(self) -> None:
        """The reporter is asked for only where it is somebody else."""
        super().built()
        self.ids.source.bind(value=self._source_changed)

    def enter(self, household_id: str = "", visit_id: str = "") -> None:
        """The place is filled in where it is known, or as it was left."""
        self.draft_key = f"problem:{visit_id or household_id or 'new'}"
        phone, key = self.around.phone, self.draft_key
        self.asks_grid = False
        self.about = ""
        self._categories: list[Category] = []
        self._fill({}, ())

        def arrived(found: _Start) -> None:
            if key != self.draft_key:
                return
            values, self.about, self._categories, self.grids, kept = found
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
        names = {one.code: pick(one.name, one.name_en) for one in self._categories}
        parents = {one.parent for one in self._categories if one.parent}
        options = [
            Option(one.code, names[one.code], names.get(one.parent, ""))
            for one in self._categories
            if one.code not in parents
        ]
        order = list(dict.fromkeys(option.group for option in options))
        options.sort(key=lambda option: order.index(option.group))
        self.shell.go(
            "pick",
            title=label("problem", "category"),
            options=options,
            chosen=self.category,
            then=self._picked,
        )

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
        phone, key = self.around.phone, self.draft_key
        draft = ProblemDraft(values, tuple(self.photos), grid)
        self.save_by(lambda: phone.report_problem(draft, key), self._saved)

    def _saved(self, _: str) -> None:
        self.draft_key = ""
        self.shell.back()
        self.shell.say(tr("已上报台账，联网后自动上传"), "disc_check")

    def _picked(self, code: str) -> None:
        self.category = code
        self._name_category()
        self.wrong("category", "")
        self._touched = True
        self.flush()

    def _fill(self, values: dict[str, Any], photos: Any) -> None:
        self.category = values.get("category") or ""
        self._name_category()
        self.wrong("category", "")
        self.begin({"source": "worker", **values}, photos)
        self.base.pop("category", None)

    def _name_category(self) -> None:
        self.category_name = next(
            (pick(c.name, c.name_en) for c in self._categories if c.code == self.category), ""
        )

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
    return values, about, phone.categories(), grids, phone.draft(key)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
