"""The small form of one action of the ledger: what it needs, and what it may take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.factory import Factory
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import StringProperty

from mobile.sync.phone import ActionOffer, Phone
from mobile.ui.form import FormPage, with_phase
from mobile.ui.inputs import Field
from mobile.ui.photos import PhotoStrip
from mobile.ui.words import label, pick, tr
from shared import records

DAYS = (3, 7, 15, 30)
DAY_MS = 24 * 60 * 60 * 1000


class ActionPage(FormPage):
    """Made anew for each action, from what the ledger says about it."""

    title = StringProperty()
    about = StringProperty()
    PHASE = "after"

    def enter(self, problem_id: str, offer: ActionOffer, about: str, photo: str) -> None:
        """``photo``: "" for none, may or must."""
        self.title, self.about = pick(offer.zh, offer.en), about
        self._problem, self._offer, self._photo = problem_id, offer, photo
        self.draft_key = f"act:{problem_id}:{offer.name}"
        phone, key = self.around.phone, self.draft_key

        def arrived(found: tuple[list[tuple[str, str]], Any]) -> None:
            bodies, kept = found
            self._build(bodies)
            self.begin(kept.values if kept else {}, kept.photos if kept else ())

        self.read(lambda: _open(phone, key), arrived)

    def save(self) -> None:
        """Take the action; the server says later whether it was in time."""
        phone, key, offer, problem = (
            self.around.phone, self.draft_key, self._offer, self._problem,
        )  # fmt: skip
        data = {name: value for name, value in self.values().items() if value not in (None, "", [])}
        for name in ("due_at", "suspended_until"):
            if name in data:
                data[name] = self.around.now() + int(data[name]) * DAY_MS
        if data.get("hard"):
            data["hard"] = True
        photos = with_phase(self.photos, "after")

        def work() -> None:
            phone.act(problem, offer.name, data, photos)
            phone.drop_draft(key)

        self.save_by(work, self._saved)

    def road(self) -> tuple[str, dict[str, Any]]:
        """An action is begun again from its problem; its draft is still there."""
        return "problem", {"problem_id": self._problem}

    def _saved(self, _: Any) -> None:
        self.draft_key = ""
        self.shell.back()
        self.shell.say(tr("已保存，联网后自动上传"), "disc_check")

    def _build(self, bodies: list[tuple[str, str]]) -> None:
        column = self.ids.fields
        column.clear_widgets()
        for name in [n for n in self.ids if n.endswith("_field") or n in self.FIELDS]:
            del self.ids[name]
        self.ids.pop("photos", None)
        names = [n for n in (*self._offer.needs, *self._offer.takes) if n != "merged_into"]
        for name in names:
            self._place(name, _input(name, bodies), _label(name), name in self._offer.needs)
        self.FIELDS = tuple(names)
        if self._photo:
            strip = PhotoStrip(editable=True)
            self._place("photos", strip, tr("整改后的照片"), self._photo == "must")
        self.built()

    def _place(self, name: str, widget: Any, words: str, required: bool) -> None:
        field = Field(label=words, required=required)
        field.add_widget(widget)
        self.ids[name] = widget
        self.ids[f"{name}_field"] = field
        self.ids.fields.add_widget(field)


def _open(phone: Phone, key: str) -> tuple[list[tuple[str, str]], Any]:
    return phone.bodies(), phone.draft(key)


def _label(name: str) -> str:
    if name == "reason":
        return tr("说明")
    return label("problem", name)


def _input(name: str, bodies: list[tuple[str, str]]) -> Any:
    """The widget that asks for one thing an action needs."""
    field = records.FIELDS["problem"].get(name)
    if name in ("due_at", "suspended_until"):
        return Factory.Chips(choices=[(str(n), tr("{n}天", n=n)) for n in DAYS])
    if name in ("body", "co_bodies"):
        return Factory.Chips(choices=bodies, many=name == "co_bodies")
    if field and field.choices:
        return Factory.Chips(choices=[(c.code, pick(c.zh, c.en)) for c in field.choices])
    if field and field.type == records.BOOL:
        return Factory.Switch1(text=pick(field.zh, field.en))
    if name == "owner":
        return Factory.Input(limit=60)
    box = Factory.Input(multiline=True)
    box.bind(minimum_height=lambda it, tall: setattr(it, "height", max(dp(96), tall)))
    box.height = dp(96)
    return box


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
