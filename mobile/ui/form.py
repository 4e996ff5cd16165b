"""What all forms share: a draft kept at every change, photos, errors at their fields, saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kivy.properties import BooleanProperty, StringProperty

from mobile.sync.phone import DraftInvalid, DraftPhoto, PhoneError
from mobile.ui.inputs import Choosing, Input, Switch1
from mobile.ui.taking import TakesPhotos
from mobile.ui.words import pick, tr

DRAFT_SECONDS = 0.4
SCROLL = "_scroll"  # where the page stood, kept beside the values


class FormPage(TakesPhotos):
    """A page with fields. ``FIELDS`` are the ids of its inputs, named as the record's fields."""

    FIELDS: tuple[str, ...] = ()
    saving = BooleanProperty(False)
    doing = StringProperty()  # why it cannot be saved in this moment
    draft_key = StringProperty()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.base: dict[str, Any] = {}
        self._filling = True
        super().__init__(*args, **kwargs)

    def built(self) -> None:
        """Every change of every field is kept."""
        self._keep = self.later(self.flush, DRAFT_SECONDS)
        for name in self.FIELDS:
            widget = self.ids[name]
            widget.bind(**{_value_name(widget): self._changed(name)})
        self.bind_photos()

    # --- values ---

    def begin(self, values: Mapping[str, Any], photos: tuple[DraftPhoto, ...] = ()) -> None:
        """Start with these values; nothing counts as typed yet."""
        self._filling = True
        self.base = {n: value for n, value in values.items() if n not in (*self.FIELDS, SCROLL)}
        for name in self.FIELDS:
            _put(self.ids[name], values.get(name))
            self.wrong(name, "")
        self.photos = list(photos)
        self.draw_photos()
        self.saving = self._filling = self._touched = False
        self.around.locator.listen(True)
        self.ids.body.scroll_y = values.get(SCROLL, 1)

    def values(self) -> dict[str, Any]:
        """What stands in the form now, what is not asked included."""
        return self.base | {name: _get(self.ids[name]) for name in self.FIELDS}

    def kept_values(self) -> dict[str, Any]:
        """What is kept in the draft now, and where the page stood."""
        return self.values() | {SCROLL: self.ids.body.scroll_y}

    def resume(self) -> None:
        """Uncovered again: what was typed stands as it was."""

    def refresh(self) -> None:
        """A form does not change under the hands of the person who fills it."""

    def on_saving(self, *_: Any) -> None:
        """The button says what goes on."""
        self.doing = tr("正在保存…") if self.saving else tr("正在处理照片…") if self.taking else ""

    on_taking = on_saving

    # --- draft ---

    def touched(self) -> None:
        """Something was changed: keep it soon."""
        if not self._filling:
            self._touched = True
            self._keep()

    def flush(self) -> None:
        """Keep now what was changed."""
        self._keep.cancel()
        if not (self._touched and self.draft_key) or self.saving:
            return
        self._touched = False
        phone, key, values = self.around.phone, self.draft_key, self.kept_values()
        # While a photo is made ready the store knows better which there are.
        photos = None if self.taking else tuple(self.photos)
        self.around.bridge.quick(
            lambda: phone.keep_draft(key, values, photos), None, self.shell.failed
        )

    def leave(self) -> None:
        """Left or covered, perhaps by the camera: keep it now."""
        self.around.locator.listen(False)
        self.flush()

    def back(self) -> bool:
        """Not while it is being saved: that leads back by itself."""
        return bool(self.saving)

    def forget(self) -> None:
        """Nothing typed here is kept any more."""
        self._keep.cancel()
        self._touched, self.draft_key = False, ""

    # --- saving ---

    def save_by(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Save in the background; what is wrong is said at its field."""
        if self.saving or self.taking:
            return
        self._keep.cancel()
        self.shell.hush()  # nothing that it offers may change what is being saved
        self.saving = True

        def saved(result: Any) -> None:
            self.saving = self._touched = False
            self.syncer.saved()
            then(result)

        self.around.bridge.quick(work, saved, self._not_saved)

    def wrong(self, name: str, words: str) -> bool:
        """Say what is wrong at a field; False if the form does not show it."""
        field = self.ids.get(f"{name}_field")
        if field is None:
            return False
        field.error = words
        return True

    def _not_saved(self, error: Exception) -> None:
        self.saving = False
        self._touched = True
        self.flush()
        if isinstance(error, DraftInvalid):
            self.errors({name: pick(one.zh, one.en) for name, one in error.errors.items()})
            if "photos" in error.errors:
                self.drop_missing()
        elif isinstance(error, PhoneError):
            self.shell.say(pick(error.message_zh, error.message_en), "warn")
        else:
            self.shell.failed(error)

    def errors(self, found: Mapping[str, str]) -> None:
        """Show every error, and bring the first into sight."""
        shown = [name for name in found if self.wrong(name, found[name])]
        rest = [words for name, words in found.items() if name not in shown]
        if rest:
            self.shell.say(tr("、").join(rest), "warn")
        elif len(found) > 1:
            self.shell.say(tr("还有{n}处要填", n=len(found)), "warn")
        fields = [self.ids[f"{name}_field"] for name in shown]
        if fields:
            self.ids.body.show(max(fields, key=lambda field: field.y))

    def _changed(self, name: str) -> Callable[..., None]:
        def changed(*_: Any) -> None:
            if not self._filling:
                self.wrong(name, "")
                self.touched()

        return changed


def with_phase(photos: list[DraftPhoto], phase: str) -> tuple[DraftPhoto, ...]:
    """The photos, all of one phase."""
    return tuple(replace(photo, phase=phase) for photo in photos)


def _value_name(widget: Any) -> str:
    if isinstance(widget, Choosing):
        return "value"
    return "active" if isinstance(widget, Switch1) else "text"


def _get(widget: Any) -> Any:
    if isinstance(widget, Switch1):
        return widget.active or None
    value = getattr(widget, _value_name(widget))
    return value or ([] if isinstance(widget, Choosing) and widget.many else None)


def _put(widget: Any, value: Any) -> None:
    if isinstance(widget, Choosing):
        widget.value = list(value or []) if widget.many else (value or "")
    elif isinstance(widget, Switch1):
        widget.active = bool(value)
    else:
        widget.text = value or ""
        if isinstance(widget, Input):
            widget.cursor = (0, 0)
