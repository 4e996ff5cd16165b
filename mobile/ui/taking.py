"""The photos of a form: taken, chosen, taken out again; what went wrong, and a way on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.properties import NumericProperty

from mobile.sync.phone import Capture, DraftPhoto, LeftBehind, PhoneError
from mobile.ui.page import Page
from mobile.ui.ports import Trouble
from mobile.ui.words import pick, tr

if TYPE_CHECKING:
    from mobile.ui.ports import Failed, Then
    from mobile.ui.shell import Shell


class TakesPhotos(Page):
    """What a form with photos can do. ``taking`` counts those that are not ready yet."""

    PHASE = "scene"
    draft_key: str
    taking = NumericProperty(0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.photos: list[DraftPhoto] = []
        self._touched = False
        super().__init__(*args, **kwargs)

    def bind_photos(self) -> None:
        """The strip of photos leads here."""
        if "photos" in self.ids:
            self.ids.photos.bind(
                on_add=lambda _: self.add_photo(),
                on_remove=lambda _, index: self.remove_photo(index),
                on_look=lambda _, index: self.shell.go(
                    "photo", path=str(self.photos[index].photo.path), title=tr("照片")
                ),
            )

    # --- what a form gives ---

    def kept_values(self) -> dict[str, Any]:
        """What is kept in the draft now."""
        raise NotImplementedError

    def flush(self) -> None:
        """Keep now what was changed."""
        raise NotImplementedError

    def touched(self) -> None:
        """Something was changed: keep it soon."""
        raise NotImplementedError

    def wrong(self, name: str, words: str) -> bool:
        """Say what is wrong at a field."""
        raise NotImplementedError

    def road(self) -> tuple[str, Mapping[str, Any]]:
        """The page to come back to after the app was ended behind the camera."""
        return self.name, self.args

    # --- taking ---

    def add_photo(self) -> None:
        """Take a photo: the draft is on the disk before the camera opens."""
        self._begin(self.around.camera.take_photo)

    def choose_photo(self) -> None:
        """Choose one that is there already."""
        self._begin(self.around.camera.choose_photo)

    def _begin(self, ask: Callable[[Path, Then, Failed], None]) -> None:
        if self.taking or not self.draft_key:
            return
        self.taking += 1
        self.wrong("photos", "")
        phone, key = self.around.phone, self.draft_key
        values, kept, road, phase = self.kept_values(), tuple(self.photos), self.road(), self.PHASE

        def noted(capture: Capture) -> None:
            self.around.live.add(capture.id)
            ask(
                capture.path,
                lambda source: self._came(capture, source),
                lambda trouble: self._failed(capture, trouble),
            )

        self.around.bridge.quick(
            lambda: phone.begin_photo(key, values, kept, phase=phase, road=road),
            noted,
            self._not_begun,
        )

    def _came(self, capture: Capture, source: Path | None) -> None:
        """The camera has closed: shrink what it brought, in the background."""
        if source is None:
            self._over(capture)
            return
        phone, where = self.around.phone, self._position()

        def ready(taken: DraftPhoto | None) -> None:
            self._ended(capture)
            if taken is None or capture.draft_key != self.draft_key:
                return  # it lies in its own draft, whatever form is open now
            self.photos.append(taken)
            self.draw_photos()
            self._touched = True
            self.flush()

        def bad(error: Exception) -> None:
            self._ended(capture)
            if not isinstance(error, PhoneError):
                self.shell.failed(error)
            elif not self._here(capture) or not self.wrong(
                "photos", pick(error.message_zh, error.message_en)
            ):
                self.shell.say(pick(error.message_zh, error.message_en), "warn")

        self.around.bridge.quick(lambda: phone.take_in(capture.id, source, where), ready, bad)

    def _failed(self, capture: Capture, trouble: Trouble) -> None:
        """No photo came of it: say why, and how to go on."""
        self._over(capture)
        if self._here(capture):
            ask_how_to_go_on(self, trouble)

    def _over(self, capture: Capture) -> None:
        phone = self.around.phone
        self._ended(capture)
        self.read(lambda: phone.give_up_photo(capture.id), lambda _: None)

    def _ended(self, capture: Capture) -> None:
        self.around.live.discard(capture.id)
        self.taking = max(0, self.taking - 1)

    def _here(self, capture: Capture) -> bool:
        return self.shell.current is self and capture.draft_key == self.draft_key

    def _not_begun(self, error: Exception) -> None:
        self.taking = max(0, self.taking - 1)
        if isinstance(error, PhoneError):
            self.wrong("photos", pick(error.message_zh, error.message_en))
        else:
            self.shell.failed(error)

    def remove_photo(self, index: int) -> None:
        """Take a photo out of the form; undo brings it back."""
        gone = self.photos.pop(index)
        self.draw_photos()
        self.touched()

        def undo() -> None:
            self.photos.insert(index, gone)
            self.draw_photos()
            self.touched()

        self.shell.say(tr("照片已移除"), "image", tr("撤销"), undo)

    def drop_missing(self) -> None:
        """Photos whose file is gone leave the form, so that it can be saved without them."""
        phone, asked = self.around.phone, tuple(self.photos)

        def found(here: list[DraftPhoto]) -> None:
            gone = len(asked) - len(here)
            if gone and asked == tuple(self.photos):
                self.photos = here
                self.draw_photos()
                self.touched()
                self.wrong(
                    "photos", tr("有{n}张照片读不出来，已移除。可以重拍，也可以直接保存", n=gone)
                )

        self.read(lambda: [one for one in asked if phone.has_photo(one.photo)], found)

    def draw_photos(self) -> None:
        """Show them."""
        if "photos" in self.ids:
            shown = [(one.photo.path, "image", "") for one in self.photos]
            self.ids.photos.fill(self.around, shown, tr("拍照"))

    def _position(self) -> dict[str, Any] | None:
        found = self.around.locator.position()
        return dict(found) if found else None


def ask_how_to_go_on(page: TakesPhotos, trouble: Trouble) -> None:
    """What is wrong with the camera, and what the person may do instead."""
    title, words = {
        "refused": (
            tr("没有相机权限"),
            tr("不允许用相机就拍不了照。可以再试一次并选“允许”，或从相册选一张。"),
        ),
        "barred": (
            tr("没有相机权限"),
            tr("请在系统设置里允许本应用使用相机，或从相册选一张。"),
        ),
        "no_app": (
            tr("没有找到相机"),
            tr("这部手机没有可用的相机应用。可以从相册选一张。"),
        ),
        "failed": (
            tr("这次没有拍成"),
            tr("相机没有交回照片，填的内容都在。可以再拍一次，或从相册选一张。"),
        ),
    }[trouble]
    choices: list[tuple[str, str, Callable[[], None] | None]] = []
    if trouble in ("refused", "failed"):
        choices.append((tr("再试一次"), "camera", page.add_photo))
    if trouble == "barred":
        choices.append((tr("去系统设置"), "phone", page.around.camera.open_settings))
    choices.append((tr("从相册选一张"), "image", page.choose_photo))
    choices.append((tr("先不拍，照样能保存"), "", None))
    page.shell.ask(title, words, choices)


def left_behind(shell: Shell, found: LeftBehind) -> None:
    """Back to the form whose photo was taken while the app was ended."""
    if found.trouble is not None:
        shell.say(pick(found.trouble.message_zh, found.trouble.message_en), "warn")
        return
    if found.page:
        shell.go(found.page, **found.args)

    def said(_: None = None) -> None:
        shell.say(tr("刚拍的照片已放进草稿，接着填吧"), "image")

    # After what the form says of the draft that it found.
    shell.current.around.bridge.quick(lambda: None, said)
