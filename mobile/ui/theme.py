"""The look, in one place: spacing, type, colours, icons. theme.kv makes the widgets from it.

Every pair of text and ground in ``PAIRS`` has a contrast of at least 4.5 to 1; a test holds it.
Sizes are plain numbers: dp for space, sp for type.
"""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parent.parent / "assets"
FONT = ASSETS / "fonts" / "NotoSansSC-Regular.ttf"

Rgba = tuple[float, float, float, float]


def rgba(text: str, alpha: float = 1) -> Rgba:
    """A colour from its six hexadecimal digits."""
    red, green, blue = (int(text[n : n + 2], 16) / 255 for n in (0, 2, 4))
    return (red, green, blue, alpha)


# Space, in dp. A finger needs TOUCH.
XS, S, M, L, XL = 4, 8, 12, 16, 24
TOUCH = 48
RADIUS = 14

# Type, in sp. The font has one weight: strong text gets an outline of its own colour.
DISPLAY, TITLE, HEAD, BODY, SMALL, TINY = 26, 20, 17, 16, 14, 12.5

PRIMARY = rgba("0B6661")
PRIMARY_DOWN = rgba("074A46")
PRIMARY_SOFT = rgba("DDEFEC")
ON_PRIMARY = rgba("FFFFFF")
ON_PRIMARY_SUB = rgba("CFE8E4")
INK = rgba("14252A")
SUB = rgba("4C5F66")
HINT = rgba("64767C")
EDGE = rgba("8A9CA0")
LINE = rgba("DCE5E4")
PAPER = rgba("FFFFFF")
PAGE = rgba("F1F5F4")
DOWN = rgba("E6EEED")
OFF = rgba("C9D3D3")
DARK = rgba("1D2E33")
DARK_ACTION = rgba("7FE0D2")
CLEAR = (0, 0, 0, 0)

DANGER, DANGER_SOFT = rgba("A9241C"), rgba("FBE9E7")
WARN, WARN_SOFT = rgba("854600"), rgba("FFF0D6")
GOOD, GOOD_SOFT = rgba("17643A"), rgba("E0F2E6")
INFO, INFO_SOFT = rgba("1A5695"), rgba("E3EEF9")
MUTE, MUTE_SOFT = rgba("4C5F66"), rgba("E8EEEE")

# A state's colours: (text and icon, ground).
TONES: dict[str, tuple[Rgba, Rgba]] = {
    "danger": (DANGER, DANGER_SOFT),
    "warn": (WARN, WARN_SOFT),
    "good": (GOOD, GOOD_SOFT),
    "info": (INFO, INFO_SOFT),
    "mute": (MUTE, MUTE_SOFT),
    "primary": (PRIMARY, PRIMARY_SOFT),
    "header": (ON_PRIMARY, PRIMARY_DOWN),
}

PAIRS: dict[str, tuple[Rgba, Rgba]] = {
    "ink on paper": (INK, PAPER),
    "ink on page": (INK, PAGE),
    "ink on pressed": (INK, DOWN),
    "sub on paper": (SUB, PAPER),
    "sub on page": (SUB, PAGE),
    "hint on paper": (HINT, PAPER),
    "button": (ON_PRIMARY, PRIMARY),
    "header": (ON_PRIMARY, PRIMARY),
    "header, second line": (ON_PRIMARY_SUB, PRIMARY),
    "link on page": (PRIMARY, PAGE),
    "link on paper": (PRIMARY, PAPER),
    "snack": (PAPER, DARK),
    "snack action": (DARK_ACTION, DARK),
    "error on page": (DANGER, PAGE),
} | {f"badge {name}": pair for name, pair in TONES.items()}


def contrast(one: Rgba, other: Rgba) -> float:
    """The contrast of two opaque colours by WCAG: 1 to 21."""

    def light(colour: Rgba) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def icon(name: str) -> str:
    """The path of an icon's picture; nothing for no name."""
    return str(ASSETS / "icons" / f"{name}.png") if name else ""


def tone(name: str) -> tuple[Rgba, Rgba]:
    """The colours of a state, quiet ones for an unknown name."""
    return TONES.get(name, TONES["mute"])


def bold(pixels: float) -> int:
    """The outline, in pixels, that makes text strong on a screen with so many pixels per dp."""
    return max(1, int(pixels / 2))
