"""The desktop's file chooser: pictures of a folder, on a sheet over the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.filechooser import FileChooserListView
from kivy.uix.modalview import ModalView

from mobile.ui import theme
from mobile.ui.inputs import Btn, Quiet
from mobile.ui.words import tr

KINDS = ["*.jpg", "*.jpeg", "*.png", "*.heic", "*.webp"]


def choose_picture(folder: Path, then: Callable[[Path], None]) -> None:
    """Let the person choose one picture; ``then(file)`` unless they gave up."""
    sheet = ModalView(size_hint=(0.94, 0.9), background_color=theme.DARK)
    files = FileChooserListView(path=str(folder), filters=KINDS, dirselect=False)

    def take(*_: object) -> None:
        if files.selection:
            sheet.dismiss()
            then(Path(files.selection[0]))

    box = BoxLayout(orientation="vertical", padding=dp(theme.S), spacing=dp(theme.S))
    foot = BoxLayout(size_hint_y=None, height=dp(52), spacing=dp(theme.S))
    cancel, choose = Quiet(text=tr("取消"), height=dp(52)), Btn(text=tr("选择照片"))
    cancel.bind(on_release=lambda _: sheet.dismiss())
    choose.bind(on_release=take)
    files.bind(on_submit=take)
    foot.add_widget(cancel)
    foot.add_widget(choose)
    box.add_widget(files)
    box.add_widget(foot)
    sheet.add_widget(box)
    sheet.open()
