"""What is said when no font with Chinese is there: in English, and in Chinese as a picture.

The picture is drawn once, with the font: ``python -m mobile.ui.no_font``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mobile.ui import theme

if TYPE_CHECKING:
    from kivy.uix.widget import Widget

PICTURE = theme.ASSETS / "no_font.png"
WIDTH = 640  # pixels
ZH = (
    ("应用的字体文件不见了", 44),
    ("手机里的内容都在，一条也没丢。", 32),
    ("请用安装包在原来的应用上重新安装，", 32),
    ("不要先卸载：卸载会清掉没上传的内容。", 32),
    ("装好后再打开，或点下面的按钮。", 32),
)
EN = (
    "The app's font is missing, so no text in Chinese can be shown.\n"
    "Everything you saved is safe. Install the app again over this one; do not uninstall it "
    "first, or unsent work is lost.\n\nOn a computer: run  make setup  in the project's folder."
)


def no_font(again: Callable[[], None]) -> Widget:
    """The page; ``again`` is called when the person asks to look once more."""
    from kivy.metrics import dp, sp
    from kivy.uix.boxlayout import BoxLayout
    from kivy.uix.button import Button
    from kivy.uix.image import Image
    from kivy.uix.label import Label

    box = BoxLayout(orientation="vertical", padding=dp(20), spacing=dp(16))
    box.add_widget(Image(source=str(PICTURE), size_hint_y=0.45, fit_mode="contain"))
    label = Label(text=EN, halign="left", valign="top", color=theme.INK, font_size=sp(16))
    label.bind(size=lambda it, size: setattr(it, "text_size", size))
    box.add_widget(label)
    button = Button(
        text="Try again", size_hint_y=None, height=dp(56), font_size=sp(18),
        background_normal="", background_color=theme.PRIMARY,
    )  # fmt: skip
    button.bind(on_release=lambda _: again())
    box.add_widget(button)
    return box


def draw() -> None:
    """Draw the picture anew."""
    from PIL import Image, ImageDraw, ImageFont

    height = sum(size + 24 for _, size in ZH) + 24
    picture = Image.new("RGB", (WIDTH, height), "#f0f4f3")
    pen, y = ImageDraw.Draw(picture), 24
    for words, size in ZH:
        pen.text((12, y), words, fill="#15211f", font=ImageFont.truetype(str(theme.FONT), size))
        y += size + 24
    picture.quantize(16).save(PICTURE, optimize=True)


if __name__ == "__main__":
    draw()
