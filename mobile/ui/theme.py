"""The look, in one place: spacing, type, icons, and the colours of the palette in use.

The .kv files in rules/ make the widgets from it, one file a concern. Sizes are plain numbers: dp
for space, sp for type; what holds text is measured in both, so that it grows with the text.
`use` changes palette and size of text for the pages that are drawn from then on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mobile.ui import palettes
from mobile.ui.palettes import CLEAR, Rgba, contrast, rgba

__all__ = ["CLEAR", "Rgba", "contrast", "rgba"]

ASSETS = Path(__file__).parent.parent / "assets"
FONT = ASSETS / "fonts" / "NotoSansSC-Regular.ttf"
# Where systems keep a font with Chinese, for the case that ours is missing.
SYSTEM_FONTS = (
    Path("/system/fonts/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("C:/Windows/Fonts/msyh.ttc"),
)
RULES = Path(__file__).parent / "rules"

# Space, in dp. A finger needs TOUCH.
XS, S, M, L, XL = 4, 8, 12, 16, 24
TOUCH = 48
RADIUS = 14

# Type, in sp. The font has one weight: strong text gets an outline of its own colour.
DISPLAY, TITLE, HEAD, BODY, SMALL, TINY = 26, 20, 17, 16, 14, 12.5

# The sizes of text that a person may choose; together with the phone's own, LARGEST at most.
SIZES = {"1.0": 1.0, "1.25": 1.25, "1.5": 1.5}
LARGEST = 1.7

_now: dict[str, Any] = {"palette": "day", "size": "1.0", "system": 0.0}


def font() -> Path | None:
    """The app's font, else one of the system's; None where there is neither."""
    return next((path for path in (FONT, *SYSTEM_FONTS) if path.is_file()), None)


def use(palette: str, size: str) -> None:
    """Choose the colours and the size of text of what is drawn from now on. Kivy runs already."""
    from kivy.core.window import Window
    from kivy.metrics import Metrics

    _now["palette"] = palette if palette in palettes.ALL else "day"
    _now["size"] = size if size in SIZES else "1.0"
    _now["system"] = _now["system"] or Metrics.fontscale
    wanted = _now["system"] * SIZES[_now["size"]]
    Metrics.fontscale = min(max(LARGEST, _now["system"]), wanted)
    Window.clearcolor = palettes.ALL[_now["palette"]]["PAGE"]


def __getattr__(name: str) -> Any:
    """A colour of the palette in use, by its name in `palettes`."""
    try:
        return palettes.ALL[_now["palette"]][name]
    except KeyError:
        raise AttributeError(name) from None


def palette() -> str:
    """The name of the palette in use."""
    return str(_now["palette"])


def size() -> str:
    """The size of text in use, as in SIZES."""
    return str(_now["size"])


def tall(space: float, text: float) -> float:
    """In dp, the height of what needs so much space and so much text at its present size."""
    from kivy.metrics import Metrics

    return space + text * float(Metrics.fontscale)


def icon(name: str) -> str:
    """The path of an icon's picture; nothing for no name."""
    return str(ASSETS / "icons" / f"{name}.png") if name else ""


def tone(name: str) -> tuple[Rgba, Rgba]:
    """The colours of a state, quiet ones for an unknown name."""
    tones: dict[str, tuple[Rgba, Rgba]] = palettes.ALL[palette()]["TONES"]
    return tones.get(name, tones["mute"])


def bold(pixels: float) -> int:
    """The outline, in pixels, that makes text strong on a screen with so many pixels per dp."""
    return max(1, int(pixels / 2))


def load_rules() -> None:
    """Read the rules of rules/ once, in the order of their names."""
    from kivy.lang import Builder

    for path in sorted(RULES.glob("*.kv")):
        Builder.load_file(str(path))
