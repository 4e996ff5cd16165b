"""Draws the icons of the app as white PNGs: ``python -m mobile.ui.draw_icons``.

Each icon is a list of strokes on a grid of 24 units, 2 units wide, with round ends. The screens
tint them, so one picture serves every colour. Run it after a change and commit the pictures.
"""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent.parent / "assets" / "icons"
PIXELS = 96
FINE = 4  # drawn this many times larger, then shrunk
UNIT = PIXELS * FINE / 24
STROKE = 1.9

Point = tuple[float, float]


class Pen:
    """Strokes and filled shapes on the grid; ``cut`` draws with the rubber."""

    def __init__(self) -> None:
        self.image = Image.new("L", (PIXELS * FINE, PIXELS * FINE), 0)
        self._draw = ImageDraw.Draw(self.image)

    def line(self, *points: Point, width: float = STROKE, ink: int = 255) -> None:
        """A stroke through the points, round at its ends and corners."""
        scaled = [(x * UNIT, y * UNIT) for x, y in points]
        self._draw.line(scaled, fill=ink, width=round(width * UNIT))
        for x, y in points:
            self.dot((x, y), width / 2, ink)

    def dot(self, centre: Point, radius: float, ink: int = 255) -> None:
        """A filled circle."""
        x, y = centre
        box = [(x - radius) * UNIT, (y - radius) * UNIT, (x + radius) * UNIT, (y + radius) * UNIT]
        self._draw.ellipse(box, fill=ink)

    def arc(
        self, centre: Point, radius: float, start: float, end: float, width: float = STROKE
    ) -> None:
        """A part of a circle, degrees clockwise from three o'clock."""
        steps = max(8, int(abs(end - start) / 3))
        angles = [math.radians(start + (end - start) * n / steps) for n in range(steps + 1)]
        x, y = centre
        self.line(*[(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles],
                  width=width)  # fmt: skip

    def box(self, x0: float, y0: float, x1: float, y1: float, radius: float = 2) -> None:
        """The outline of a rectangle with round corners."""
        self._draw.rounded_rectangle(
            [x0 * UNIT - STROKE * UNIT / 2, y0 * UNIT - STROKE * UNIT / 2,
             x1 * UNIT + STROKE * UNIT / 2, y1 * UNIT + STROKE * UNIT / 2],
            radius=(radius + STROKE / 2) * UNIT, outline=255, width=round(STROKE * UNIT),
        )  # fmt: skip

    def fill(self, *points: Point, ink: int = 255) -> None:
        """A filled shape with corners rounded by the stroke."""
        self._draw.polygon([(x * UNIT, y * UNIT) for x, y in points], fill=ink)
        self.line(*points, points[0], ink=ink)


def _door(p: Pen) -> None:
    p.line((3.5, 11.5), (12, 4), (20.5, 11.5))
    p.line((5.8, 10), (5.8, 20), (18.2, 20), (18.2, 10))
    p.line((10, 19.5), (10, 14), (14, 14), (14, 19.5))


def _ledger(p: Pen) -> None:
    p.box(5, 5, 19, 20.5)
    p.line((9.5, 4.2), (14.5, 4.2), width=3.4)
    for y in (10.4, 13.6, 16.8):
        p.line((8.8, y), (15.2 if y < 16 else 12.6, y), width=1.7)


def _sync(p: Pen) -> None:
    p.arc((12, 12), 7.6, 200, 335)
    p.arc((12, 12), 7.6, 20, 155)
    p.line((19.6, 4.4), (19.3, 9), (14.8, 8.7))
    p.line((4.4, 19.6), (4.7, 15), (9.2, 15.3))


def _person(p: Pen) -> None:
    p.arc((12, 8), 3.9, 0, 360)
    p.arc((12, 21.2), 7.6, 188, 352)


def _cloud(p: Pen) -> None:
    p.arc((7.4, 14), 4.2, 90, 262)
    p.arc((12.2, 10.6), 5.4, 192, 350)
    p.arc((17.2, 14.4), 3.8, 282, 450)
    p.line((7.4, 18.2), (17.2, 18.2))


def _cloud_up(p: Pen) -> None:
    _cloud(p)
    p.line((12, 16), (12, 10.8), width=1.7)
    p.line((9.6, 12.9), (12, 10.5), (14.4, 12.9), width=1.7)


def _cloud_check(p: Pen) -> None:
    _cloud(p)
    p.line((9, 13.4), (11.2, 15.5), (15, 11.4), width=1.7)


def _search(p: Pen) -> None:
    p.arc((10.5, 10.5), 6.3, 0, 360)
    p.line((15.2, 15.2), (20.2, 20.2))


def _camera(p: Pen) -> None:
    p.box(3.5, 7, 20.5, 19.5)
    p.line((8.3, 6.6), (9.6, 4.4), (14.4, 4.4), (15.7, 6.6))
    p.arc((12, 13), 3.5, 0, 360)


def _plus(p: Pen) -> None:
    p.line((12, 5), (12, 19))
    p.line((5, 12), (19, 12))


def _close(p: Pen) -> None:
    p.line((6, 6), (18, 18))
    p.line((18, 6), (6, 18))


def _check(p: Pen) -> None:
    p.line((4.5, 12.5), (9.8, 17.8), (19.5, 7))


def _disc_check(p: Pen) -> None:
    p.dot((12, 12), 9.4)
    p.line((7.6, 12.4), (10.8, 15.6), (16.6, 9.2), ink=0, width=2.1)


def _ring(p: Pen) -> None:
    p.arc((12, 12), 7.8, 0, 360, width=2.4)


def _disc(p: Pen) -> None:
    p.dot((12, 12), 8)


def _warn(p: Pen) -> None:
    p.fill((12, 4.2), (21, 19.6), (3, 19.6))
    p.line((12, 9.6), (12, 14), ink=0)
    p.dot((12, 17.2), 1.15, ink=0)


def _clock(p: Pen) -> None:
    p.arc((12, 12), 8.2, 0, 360)
    p.line((12, 7.4), (12, 12.2), (15.2, 14.2))


def _phone(p: Pen) -> None:
    p.box(7, 2.8, 17, 21.2, 2.4)
    p.line((11, 18), (13, 18))


def _call(p: Pen) -> None:
    p.line((5.6, 5.2), (8.6, 4.4), (10.4, 8.6), (8.4, 10.4))
    p.arc((19.6, 4.4), 12.7, 152, 118)
    p.line((13.6, 15.6), (15.4, 13.6), (19.6, 15.4), (18.8, 18.4))
    p.arc((19.2, 4.8), 13.62, 180, 92)


def _right(p: Pen) -> None:
    p.line((9, 5.5), (15.5, 12), (9, 18.5))


def _down(p: Pen) -> None:
    p.line((5.5, 9), (12, 15.5), (18.5, 9))


def _back(p: Pen) -> None:
    p.line((4.6, 12), (19.5, 12))
    p.line((10.8, 5.5), (4.4, 12), (10.8, 18.5))


def _heart(p: Pen) -> None:
    p.arc((8.1, 9.1), 4, 135, 330)
    p.arc((15.9, 9.1), 4, 210, 405)
    p.line((5.2, 11.9), (12, 19.4), (18.8, 11.9))


def _eye(p: Pen) -> None:
    p.arc((12, 17.6), 10.6, 211, 329)
    p.arc((12, 6.4), 10.6, 31, 149)
    p.dot((12, 12), 2.7)


def _pin(p: Pen) -> None:
    p.arc((12, 9.8), 6.3, 152, 388)
    p.line((6.4, 12.8), (12, 20.6), (17.6, 12.8))
    p.dot((12, 9.8), 2.1)


def _undo(p: Pen) -> None:
    p.line((8.6, 4.8), (4.4, 9), (8.6, 13.2))
    p.line((4.8, 9), (14, 9))
    p.arc((14, 14.2), 5.2, 270, 450)
    p.line((14, 19.4), (9, 19.4))


def _split(p: Pen) -> None:
    p.line((12, 20), (12, 13.4), (6, 7.2))
    p.line((12, 13.4), (18, 7.2))
    p.line((5.6, 11.4), (5.6, 6.8), (10.2, 6.8))
    p.line((18.4, 11.4), (18.4, 6.8), (13.8, 6.8))


def _pencil(p: Pen) -> None:
    p.line((4.6, 19.4), (5.6, 15), (15.8, 4.8), (19.2, 8.2), (9, 18.4), (4.6, 19.4))
    p.line((13.4, 7.4), (16.6, 10.6), width=1.6)


def _flag(p: Pen) -> None:
    p.line((6, 3.8), (6, 20.6))
    p.line((6, 5), (18.6, 5), (15.6, 9.2), (18.6, 13.4), (6, 13.4))


def _image(p: Pen) -> None:
    p.box(3.8, 5, 20.2, 19)
    p.dot((8.6, 9.6), 1.6)
    p.line((4.4, 17.4), (9.6, 13), (12.6, 15.4), (16, 11.6), (19.8, 15.4), width=1.7)


def _globe(p: Pen) -> None:
    p.arc((12, 12), 8.4, 0, 360)
    p.line((3.8, 12), (20.2, 12), width=1.6)
    p.arc((20.2, 12), 11.6, 134, 226, width=1.6)
    p.arc((3.8, 12), 11.6, -46, 46, width=1.6)


def _info(p: Pen) -> None:
    p.arc((12, 12), 8.4, 0, 360)
    p.line((12, 11.2), (12, 16.2))
    p.dot((12, 7.8), 1.25)


def _task(p: Pen) -> None:
    p.box(4.5, 4.5, 19.5, 19.5, 3)
    p.line((8.2, 12.2), (11, 15), (15.9, 9.2))


def _grid(p: Pen) -> None:
    p.box(4, 4, 20, 20, 2.6)
    p.line((4, 9.4), (20, 9.4), width=1.6)
    p.line((4, 14.8), (20, 14.8), width=1.6)
    p.line((9.4, 4), (9.4, 20), width=1.6)
    p.line((14.8, 4), (14.8, 20), width=1.6)


def _speech(p: Pen) -> None:
    p.box(3.6, 4.4, 20.4, 16.4, 3)
    p.line((8, 16.6), (8, 20.6), (12.4, 16.6))
    p.line((8, 8.8), (16, 8.8), width=1.7)
    p.line((8, 12.2), (13, 12.2), width=1.7)


def _letters(p: Pen) -> None:
    p.line((2.8, 19), (8.4, 5), (14, 19))
    p.line((4.9, 14.2), (11.9, 14.2))
    p.line((15.8, 19), (18.7, 11.4), (21.6, 19), width=1.7)
    p.line((16.9, 16.4), (20.5, 16.4), width=1.6)


def _contrast(p: Pen) -> None:
    p.arc((12, 12), 8.4, 0, 360)
    for step in range(-8, 9):
        reach = math.sqrt(max(0, 64 - step * step))
        p.line((12, 12 + step), (12 + reach, 12 + step), width=1.4)


def _store(p: Pen) -> None:
    p.box(4, 4.6, 20, 10.6, 2)
    p.box(4, 13.4, 20, 19.4, 2)
    p.dot((8, 7.6), 1.1)
    p.dot((8, 16.4), 1.1)


def _near(p: Pen) -> None:
    p.arc((12, 12), 6.4, 0, 360)
    p.dot((12, 12), 2.2)
    for x, y in ((12, 3), (12, 21), (3, 12), (21, 12)):
        p.line((x, y), (x + (12 - x) * 0.28, y + (12 - y) * 0.28))


def _walk(p: Pen) -> None:
    p.line((4, 19.6), (8.6, 19.6), (8.6, 15), (13.2, 15), (13.2, 10.4), (17.8, 10.4), (17.8, 5.6))
    p.line((14.8, 8.4), (17.8, 5.2), (20.8, 8.4), width=1.7)


def _door_shut(p: Pen) -> None:
    p.box(6.6, 3.6, 17.4, 20.4, 1.4)
    p.dot((14.2, 12.4), 1.25)


def _hand(p: Pen) -> None:
    p.arc((12, 12), 8.4, 0, 360)
    p.line((6.4, 6.4), (17.6, 17.6))


def _out(p: Pen) -> None:
    """Out of the phone."""
    p.line((8.4, 10.4), (5, 10.4), (5, 20.4), (19, 20.4), (19, 10.4), (15.6, 10.4))
    p.line((12, 15.6), (12, 4))
    p.line((8.4, 7.4), (12, 3.8), (15.6, 7.4))


def _keep(p: Pen) -> None:
    """Put away where it is found again."""
    p.line((4.6, 14.6), (4.6, 19.8), (19.4, 19.8), (19.4, 14.6))
    p.line((12, 4.2), (12, 14.8))
    p.line((8.2, 11.4), (12, 15.2), (15.8, 11.4))


def _same(p: Pen) -> None:
    p.line((5, 9.4), (19, 9.4))
    p.line((5, 14.6), (19, 14.6))


def _met(p: Pen) -> None:
    p.arc((9.6, 8), 3.7, 0, 360)
    p.arc((9.6, 21), 7.2, 190, 350)
    p.line((15.4, 12.6), (17.6, 14.8), (21.6, 9.8))


def _bell(p: Pen) -> None:
    p.arc((12, 10.4), 5.6, 180, 360)
    p.line((6.4, 10.4), (6.4, 14.6), (4.6, 17.4), (19.4, 17.4), (17.6, 14.6), (17.6, 10.4))
    p.line((10.4, 20.6), (13.6, 20.6))


def _mark(p: Pen) -> None:
    """The app's own mark: a house over the lines of a ledger."""
    p.line((3.4, 11), (12, 3.6), (20.6, 11), width=2.2)
    p.line((5.6, 9.6), (5.6, 20.4), (18.4, 20.4), (18.4, 9.6), width=2.2)
    p.line((9, 12.6), (15, 12.6), width=1.8)
    p.line((9, 16.4), (13, 16.4), width=1.8)


ICONS = {
    name.removeprefix("_"): draw
    for name, draw in list(globals().items())
    if name.startswith("_") and callable(draw) and getattr(draw, "__module__", "") == __name__
}


def picture(name: str) -> Image.Image:
    """One icon, white on nothing."""
    pen = Pen()
    ICONS[name](pen)
    shape = pen.image.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS)
    white = Image.new("L", shape.size, 255)
    return Image.merge("LA", (white, shape))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for icon in ICONS:
        picture(icon).save(FOLDER / f"{icon}.png", optimize=True)
    print(f"{len(ICONS)} icons in {FOLDER}")
