"""How much room words will take, before anything is drawn: a list must know its rows' heights."""

from __future__ import annotations

from collections.abc import Iterable

WIDE = 0x2E7F  # from here on a character is as wide as the type is high
NARROW = 0.58  # the rest, on average, of that width


def width(text: str, size: float) -> float:
    """About how wide a text is on one line, in the unit of ``size``."""
    return size * sum(1.0 if ord(one) > WIDE else NARROW for one in text)


def lines(text: str, size: float, room: float, most: int = 2) -> int:
    """About how many lines a text takes in a width; none without text, ``most`` at most."""
    if not text:
        return 0
    return min(most, max(1, -int(-width(text, size) // max(1.0, room))))


def flowed(widths: Iterable[float], room: float, gap: float) -> int:
    """How many lines things side by side take when what does not fit goes to the next one."""
    count, used = 0, 0.0
    for wide in widths:
        if not count or used + gap + wide > room:
            count, used = count + 1, wide
        else:
            used += gap + wide
    return count
