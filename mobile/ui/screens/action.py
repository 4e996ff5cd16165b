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
from shared import ledger, records

CAUSES = ("root_cause", "root_whys")  # asked only of what is hard or keeps coming back
DAYS = (3, 7, 15, 30)
DAY_MS = 24 * 60 * 60 * 1000


class ActionPage(FormPage):
    """Made anew for each action, from what the ledger says about it."""

    title = StringProperty()
    about = StringProperty()
    PHASE = "after"

    def enter(
        self, problem_id: str, offer: ActionOffer, about: str, photo: str, asks_cause: bool = False
    ) -> None:
        """``photo``: "" for none, may or must. ``asks_cause``: the root cause is asked for."""
        self.title, self.about = pick(offer.zh, offer.en), about
        self._problem, self._offer, self._photo = problem_id, offer, photo
        self._asks_cause = asks_cause
        self.PHASE = "after" if offer.name == "request_closure" else "scene"
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
        if "root_whys" in data:
            data["root_whys"] = whys(data["root_whys"])
        if self._asks_cause and not data.get("root_cause"):
            self.wrong("root_cause", tr("这件事疑难或反复出现，要选一个根源"))
            self.ids.body.show(self.ids.root_cause_field)
            return
        photos = with_phase(self.photos, self.PHASE)

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
        left_out = {"merged_into"} if self._asks_cause else {"merged_into", *CAUSES}
        names = [n for n in (*self._offer.needs, *self._offer.takes) if n not in left_out]
        for name in names:
            needed = name in self._offer.needs or name == "root_cause"
            self._place(name, _input(name, bodies), _label(name), needed)
        self.FIELDS = tuple(names)
        if self._photo:
            strip = PhotoStrip(editable=True)
            words = tr("整改后的照片") if self.PHASE == "after" else tr("照片")
            self._place("photos", strip, words, self._photo == "must")
        self.built()

    def _place(self, name: str, widget: Any, words: str, required: bool) -> None:
        field = Field(label=words, required=required)
        field.add_widget(widget)
        self.ids[name] = widget
        self.ids[f"{name}_field"] = field
        self.ids.fields.add_widget(field)


def whys(text: str) -> list[str]:
    """The chain of whys: one a line."""
    lines = [line.strip()[: ledger.MAX_WHY] for line in text.splitlines()]
    return [line for line in lines if line][: ledger.MAX_WHYS]


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
    hint = tr("一行写一个为什么，最多五行") if name == "root_whys" else ""
    box = Factory.Input(multiline=True, hint_text=hint)
    box.bind(minimum_height=lambda it, tall: setattr(it, "height", max(dp(96), tall)))
    box.height = dp(96)
    return box


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
