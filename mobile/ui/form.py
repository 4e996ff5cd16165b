"""What all forms share: a draft kept at every change, photos, errors at their fields, saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kivy.properties import BooleanProperty, StringProperty

from mobile.sync.phone import DraftInvalid, DraftPhoto, PhoneError, PreparedPhoto
from mobile.ui.inputs import Choosing, Input, Switch1
from mobile.ui.page import Page
from mobile.ui.words import pick, tr

DRAFT_SECONDS = 0.4
SCROLL = "_scroll"  # where the page stood, kept beside the values


class FormPage(Page):
    """A page with fields. ``FIELDS`` are the ids of its inputs, named as the record's fields."""

    FIELDS: tuple[str, ...] = ()
    PHASE = "scene"
    saving = BooleanProperty(False)
    draft_key = StringProperty()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.base: dict[str, Any] = {}
        self.photos: list[DraftPhoto] = []
        self._filling = True
        self._touched = False
        super().__init__(*args, **kwargs)

    def built(self) -> None:
        """Every change of every field is kept."""
        self._keep = self.later(self.flush, DRAFT_SECONDS)
        for name in self.FIELDS:
            widget = self.ids[name]
            widget.bind(**{_value_name(widget): self._changed(name)})
        if "photos" in self.ids:
            self.ids.photos.bind(
                on_add=lambda _: self.add_photo(),
                on_remove=lambda _, index: self.remove_photo(index),
                on_look=lambda _, index: self.shell.go(
                    "photo", path=str(self.photos[index].photo.path), title=tr("照片")
                ),
            )

    # --- values ---

    def begin(self, values: Mapping[str, Any], photos: tuple[DraftPhoto, ...] = ()) -> None:
        """Start with these values; nothing counts as typed yet."""
        self._filling = True
        self.base = {n: value for n, value in values.items() if n not in (*self.FIELDS, SCROLL)}
        for name in self.FIELDS:
            _put(self.ids[name], values.get(name))
            self.wrong(name, "")
        self.photos = list(photos)
        self._draw_photos()
        self.saving = self._filling = self._touched = False
        self.ids.body.scroll_y = values.get(SCROLL, 1)

    def values(self) -> dict[str, Any]:
        """What stands in the form now, what is not asked included."""
        return self.base | {name: _get(self.ids[name]) for name in self.FIELDS}

    def resume(self) -> None:
        """Uncovered again: what was typed stands as it was."""

    def refresh(self) -> None:
        """A form does not change under the hands of the person who fills it."""

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
        phone, key, photos = self.around.phone, self.draft_key, tuple(self.photos)
        values = self.values() | {SCROLL: self.ids.body.scroll_y}
        self.around.bridge.quick(
            lambda: phone.keep_draft(key, values, photos), None, self.shell.failed
        )

    def leave(self) -> None:
        """Left or covered, perhaps by the camera: keep it now."""
        self.flush()

    def forget(self) -> None:
        """Nothing typed here is kept any more."""
        self._keep.cancel()
        self._touched, self.draft_key = False, ""

    # --- photos ---

    def add_photo(self) -> None:
        """Ask for a photo, shrink it in the background, keep it in the draft."""
        self._touched = True
        self.flush()  # the system may end the app while the camera is open
        phone, now = self.around.phone, self.around.now()

        def taken(source: Path) -> None:
            def ready(photo: PreparedPhoto) -> None:
                self.photos.append(DraftPhoto(photo, self.PHASE, now, self._position()))
                self.wrong("photos", "")
                self._draw_photos()
                self._touched = True
                self.flush()

            self.around.bridge.quick(lambda: phone.prepare_photo(source), ready, self._photo_bad)

        self.around.camera.take_photo(taken)

    def remove_photo(self, index: int) -> None:
        """Take a photo out of the form; undo brings it back."""
        gone = self.photos.pop(index)
        self._draw_photos()
        self.touched()

        def undo() -> None:
            self.photos.insert(index, gone)
            self._draw_photos()
            self.touched()

        self.shell.say(tr("照片已移除"), "image", tr("撤销"), undo)

    # --- saving ---

    def save_by(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Save in the background; what is wrong is said at its field."""
        if self.saving:
            return
        self._keep.cancel()
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

    def _photo_bad(self, error: Exception) -> None:
        if isinstance(error, PhoneError):
            self.wrong("photos", pick(error.message_zh, error.message_en))
        else:
            self.shell.failed(error)

    def _draw_photos(self) -> None:
        if "photos" in self.ids:
            shown = [(one.photo.path, "image", "") for one in self.photos]
            self.ids.photos.fill(self.around, shown, tr("拍照"))

    def _position(self) -> dict[str, Any] | None:
        found = self.around.locator.position()
        return dict(found) if found else None

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
