"""The colours, by day, at night and with strong contrast: each palette names the same ones.

A colour has a meaning and never stands alone: beside it is a word or a shape. Text on its ground
reaches 4.5 to 1 in every palette and 7 to 1 in ``contrast``; a test holds it (`pairs`).
"""

from __future__ import annotations

from typing import Any

Rgba = tuple[float, float, float, float]
Pair = tuple[Rgba, Rgba]
CLEAR: Rgba = (0, 0, 0, 0)
TONES = ("danger", "warn", "good", "info", "mute", "primary", "header")


def rgba(text: str, alpha: float = 1) -> Rgba:
    """A colour from its six hexadecimal digits."""
    red, green, blue = (int(text[n : n + 2], 16) / 255 for n in (0, 2, 4))
    return (red, green, blue, alpha)


# PRIMARY is what can be tapped, INK text, SUB and HINT quieter text, EDGE the outline of fields
# and buttons, LINE the hairlines, PAPER a card, PAGE what lies under the cards, DOWN a pressed
# card, OFF a button that cannot be tapped now, DARK a short message over the page.
_DAY = {
    "PRIMARY": "0B6661", "PRIMARY_DOWN": "074A46", "PRIMARY_SOFT": "DDEFEC", "ON_PRIMARY": "FFFFFF",
    "HEADER": "0B6661", "HEADER_DOWN": "074A46", "ON_HEADER": "FFFFFF", "ON_HEADER_SUB": "CFE8E4",
    "INK": "14252A", "SUB": "4C5F66", "HINT": "64767C", "EDGE": "8A9CA0", "LINE": "DFE7E6",
    "PAPER": "FFFFFF", "PAGE": "F1F5F4", "DOWN": "E6EEED", "OFF": "C9D3D3",
    "DARK": "1D2E33", "ON_DARK": "FFFFFF", "DARK_ACTION": "7FE0D2",
    "DANGER": "A9241C", "DANGER_SOFT": "FBE9E7", "WARN": "854600", "WARN_SOFT": "FFF0D6",
    "GOOD": "17643A", "GOOD_SOFT": "E0F2E6", "INFO": "1A5695", "INFO_SOFT": "E3EEF9",
    "MUTE": "4C5F66", "MUTE_SOFT": "E8EEEE",
}  # fmt: skip
_CONTRAST = {
    "PRIMARY": "003F3B", "PRIMARY_DOWN": "002826", "PRIMARY_SOFT": "CDEBE6", "ON_PRIMARY": "FFFFFF",
    "HEADER": "003F3B", "HEADER_DOWN": "001F1D", "ON_HEADER": "FFFFFF", "ON_HEADER_SUB": "FFFFFF",
    "INK": "000000", "SUB": "1D282B", "HINT": "37444A", "EDGE": "1D282B", "LINE": "6B7A7E",
    "PAPER": "FFFFFF", "PAGE": "F5F8F7", "DOWN": "D5E3E1", "OFF": "C9D3D3",
    "DARK": "000000", "ON_DARK": "FFFFFF", "DARK_ACTION": "8CF0E1",
    "DANGER": "760C07", "DANGER_SOFT": "FFE7E4", "WARN": "562B00", "WARN_SOFT": "FFEDCB",
    "GOOD": "07421F", "GOOD_SOFT": "DAF3E2", "INFO": "08375F", "INFO_SOFT": "DDEBFA",
    "MUTE": "1D282B", "MUTE_SOFT": "E3EBEB",
}  # fmt: skip
_NIGHT = {
    "PRIMARY": "6FDACD", "PRIMARY_DOWN": "A5EDE3", "PRIMARY_SOFT": "163C39", "ON_PRIMARY": "062A27",
    "HEADER": "0E3B38", "HEADER_DOWN": "082523", "ON_HEADER": "FFFFFF", "ON_HEADER_SUB": "BFE3DE",
    "INK": "F1F7F6", "SUB": "B5C7C9", "HINT": "9DB1B4", "EDGE": "6C8286", "LINE": "2B3C41",
    "PAPER": "18252A", "PAGE": "0E1719", "DOWN": "23343A", "OFF": "39494E",
    "DARK": "34494F", "ON_DARK": "FFFFFF", "DARK_ACTION": "8CF0E1",
    "DANGER": "FFB4AB", "DANGER_SOFT": "4A1A17", "WARN": "FFCB8A", "WARN_SOFT": "43290A",
    "GOOD": "8FDDAE", "GOOD_SOFT": "12361F", "INFO": "A6CDFB", "INFO_SOFT": "14304F",
    "MUTE": "B5C7C9", "MUTE_SOFT": "26363B",
}  # fmt: skip


def _palette(digits: dict[str, str]) -> dict[str, Any]:
    colours: dict[str, Any] = {name: rgba(text) for name, text in digits.items()}
    colours["VEIL"] = rgba("14252A", 0.78)  # under words on a photo
    # A state's colours: (text and icon, ground).
    colours["TONES"] = {
        name: (colours[name.upper()], colours[f"{name.upper()}_SOFT"]) for name in TONES[:-1]
    } | {"header": (colours["ON_HEADER"], colours["HEADER_DOWN"])}
    return colours


ALL: dict[str, dict[str, Any]] = {
    "day": _palette(_DAY),
    "contrast": _palette(_CONTRAST),
    "night": _palette(_NIGHT),
}
LEAST = {"day": 4.5, "contrast": 7.0, "night": 4.5}

_PAIRS = {
    "ink on paper": ("INK", "PAPER"),
    "ink on page": ("INK", "PAGE"),
    "ink on pressed": ("INK", "DOWN"),
    "ink on a button that is off": ("INK", "OFF"),
    "sub on paper": ("SUB", "PAPER"),
    "sub on page": ("SUB", "PAGE"),
    "hint on paper": ("HINT", "PAPER"),
    "button": ("ON_PRIMARY", "PRIMARY"),
    "header": ("ON_HEADER", "HEADER"),
    "header, second line": ("ON_HEADER_SUB", "HEADER"),
    "link on page": ("PRIMARY", "PAGE"),
    "link on paper": ("PRIMARY", "PAPER"),
    "chosen": ("PRIMARY", "PRIMARY_SOFT"),
    "snack": ("ON_DARK", "DARK"),
    "snack action": ("DARK_ACTION", "DARK"),
    "error on page": ("DANGER", "PAGE"),
    "error on paper": ("DANGER", "PAPER"),
}


def pairs(palette: str) -> dict[str, Pair]:
    """Every pair of text and ground that the screens draw."""
    colours = ALL[palette]
    found = {name: (colours[text], colours[ground]) for name, (text, ground) in _PAIRS.items()}
    return found | {f"badge {name}": pair for name, pair in colours["TONES"].items()}


def contrast(one: Rgba, other: Rgba) -> float:
    """The contrast of two opaque colours by WCAG: 1 to 21."""

    def light(colour: Rgba) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)
