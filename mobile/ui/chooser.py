"""The desktop's file chooser: pictures of a folder, on a sheet over the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.filechooser import FileChooserListView
from kivy.uix.label import Label
from kivy.uix.modalview import ModalView

from mobile.ui import theme
from mobile.ui.inputs import Btn, Quiet
from mobile.ui.words import tr

KINDS = ["*.jpg", "*.jpeg", "*.png", "*.heic", "*.heif", "*.webp"]
KINDS += [kind.upper() for kind in KINDS]


Then = Callable[[Path | None], None]


def choose_picture(folder: Path, then: Then) -> None:
    """Let the person choose one picture; ``then(file)``, or ``then(None)`` if they gave up."""
    files = FileChooserListView(path=str(folder), filters=KINDS, dirselect=False)
    _choose(files, tr("选择照片"), lambda: files.selection and files.selection[0], then)


def choose_folder(folder: Path, then: Then) -> None:
    """Let the person choose where to put something: the folder in sight, or one they tap."""
    files = FileChooserListView(path=str(folder), dirselect=True, filters=[_is_folder])
    _choose(
        files, tr("存到这里"), lambda: files.selection[0] if files.selection else files.path, then
    )


def _is_folder(folder: str, name: str) -> bool:
    return Path(folder, name).is_dir()


def _choose(
    files: FileChooserListView, words: str, found: Callable[[], str | None], then: Then
) -> None:
    sheet = ModalView(size_hint=(0.94, 0.9), background_color=theme.DARK)
    chosen: list[Path] = []

    def take(*_: object) -> None:
        path = found()
        if path:
            chosen.append(Path(path))
            sheet.dismiss()

    box = BoxLayout(orientation="vertical", padding=dp(theme.S), spacing=dp(theme.S))
    place = Label(
        text=files.path, size_hint_y=None, height=dp(24), shorten=True, shorten_from="left",
    )  # fmt: skip
    files.bind(path=place.setter("text"))
    place.bind(size=place.setter("text_size"))
    box.add_widget(place)
    foot = BoxLayout(size_hint_y=None, height=dp(52), spacing=dp(theme.S))
    cancel, choose = Quiet(text=tr("取消"), height=dp(52)), Btn(text=words)
    cancel.bind(on_release=lambda _: sheet.dismiss())
    choose.bind(on_release=take)
    files.bind(on_submit=take)
    foot.add_widget(cancel)
    foot.add_widget(choose)
    box.add_widget(files)
    box.add_widget(foot)
    sheet.add_widget(box)
    sheet.bind(on_dismiss=lambda _: then(chosen[0] if chosen else None))
    sheet.open()
