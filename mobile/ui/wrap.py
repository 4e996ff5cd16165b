"""Chinese line breaking, which Kivy does not know: no line begins with a full stop."""

from __future__ import annotations

import re
from collections.abc import Callable

NEVER_FIRST = frozenset("。，、；：？！）》」』】”’…—·,.;:?!)]}%")
NEVER_LAST = frozenset("（《「『【“‘([{")
_PIECES = re.compile(r"[0-9A-Za-z@#&+_./:'-]+| |.", re.DOTALL)


def wrap(text: str, width: float, measure: Callable[[str], float]) -> str:
    """The text with line breaks so that no line is wider; ``measure`` gives a piece's width.

    Words and numbers stay whole unless they are wider than a line.
    """
    return "\n".join(_wrap_line(line, width, measure) for line in text.split("\n"))


def shortened(broken: str, most: int, width: float, measure: Callable[[str], float]) -> str:
    """No more lines than ``most`` (0: all of them); what is left out is shown by "…"."""
    lines = broken.split("\n")
    if not most or len(lines) <= most:
        return broken
    last = pieces(lines[most - 1])
    while last and sum(map(measure, last)) + measure("…") > width:
        last.pop()
    return "\n".join([*lines[: most - 1], "".join(last).rstrip(" ") + "…"])


def pieces(line: str) -> list[str]:
    """A line in its words, numbers and single characters: what is never torn apart."""
    return _PIECES.findall(line)


def _wrap_line(line: str, width: float, measure: Callable[[str], float]) -> str:
    lines: list[list[str]] = [[]]
    used = 0.0
    for piece in _pieces(line, width, measure):
        wide = measure(piece)
        if lines[-1] and used + wide > width:
            moved = _taken_along(lines[-1], piece)
            lines.append(moved)
            used = sum(map(measure, moved))
            if piece == " " and not moved:
                continue
        lines[-1].append(piece)
        used += wide
    return "\n".join("".join(pieces).rstrip(" ") for pieces in lines)


def _pieces(line: str, width: float, measure: Callable[[str], float]) -> list[str]:
    found = []
    for piece in _PIECES.findall(line):
        found += [piece] if measure(piece) <= width else list(piece)
    return found


def _taken_along(line: list[str], piece: str) -> list[str]:
    """What must go down with a piece that does not fit: taken off the end of the line."""
    keep = len(line)
    first = piece
    while keep > 1 and (first in NEVER_FIRST or line[keep - 1] in NEVER_LAST):
        keep -= 1
        first = line[keep]
    if keep <= 1 and (first in NEVER_FIRST or line[0] in NEVER_LAST):
        return []  # nothing but such characters: break where it is full
    moved = line[keep:]
    del line[keep:]
    return moved
