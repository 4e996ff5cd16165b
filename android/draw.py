"""Draws the app's icons and the picture of its start, as PNGs.

``python -m android.draw`` after a change; commit the pictures. The mark is the one that the app
itself shows (mobile/ui/draw_icons.py), the colours are those of its day palette.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from mobile.ui import theme
from mobile.ui.draw_icons import ICONS, STROKE, Pen, Point

HERE = Path(__file__).parent
GREEN, DEEP, WHITE = (11, 102, 97), (7, 74, 70), (255, 255, 255)
ICON, ADAPTIVE = 512, 432
PRESPLASH = (720, 1280)
WINDOW = 128  # the icon of the desktop's window


class _Broad(Pen):
    """Strokes on the same grid, fine enough for a large picture."""

    unit = 2048 / 24

    def __init__(self) -> None:
        self.image = Image.new("L", (2048, 2048), 0)
        self._draw = ImageDraw.Draw(self.image)

    def line(self, *points: Point, width: float = STROKE, ink: int = 255) -> None:
        """A stroke through the points, its ends and corners exactly as wide as itself."""
        scaled = [(x * self.unit, y * self.unit) for x, y in points]
        broad = round(width * self.unit / 2) * 2
        self._draw.line(scaled, fill=ink, width=broad)
        for centre in scaled:
            self._draw.circle(centre, broad / 2 - 1, fill=ink)


def _mark(size: int) -> Image.Image:
    """The mark, white, its strokes the only opaque part."""
    pen = _Broad()
    ICONS["mark"](pen)
    shape = pen.image.resize((size, size), Image.Resampling.LANCZOS)
    drawn = Image.new("RGBA", (size, size), (*WHITE, 0))
    drawn.putalpha(shape)
    return drawn


def _centred(ground: Image.Image, what: Image.Image, lift: int = 0) -> Image.Image:
    x, y = ((ground.width - what.width) // 2, (ground.height - what.height) // 2 - lift)
    ground.alpha_composite(what, (x, y))
    return ground


def _ground(size: int) -> Image.Image:
    """The green, a little deeper towards the foot."""
    column = Image.linear_gradient("L").resize((size, size))
    return Image.composite(
        Image.new("RGBA", (size, size), (*DEEP, 255)),
        Image.new("RGBA", (size, size), (*GREEN, 255)),
        column,
    )


def _icon() -> Image.Image:
    """For systems without adaptive icons: the green with round corners."""
    corners = Image.new("L", (ICON * 4, ICON * 4), 0)
    inset = ICON * 4 // 24
    ImageDraw.Draw(corners).rounded_rectangle(
        [inset, inset, ICON * 4 - inset, ICON * 4 - inset], radius=ICON * 4 // 5, fill=255
    )
    drawn = _ground(ICON)
    drawn.putalpha(corners.resize((ICON, ICON), Image.Resampling.LANCZOS))
    return _centred(drawn, _mark(ICON * 6 // 10))


def _foreground() -> Image.Image:
    """The mark within the circle that every mask leaves (66 of 108)."""
    return _centred(Image.new("RGBA", (ADAPTIVE, ADAPTIVE), (*WHITE, 0)), _mark(ADAPTIVE // 2))


def _presplash() -> Image.Image:
    """What stands there until the first screen: the mark and the name."""
    drawn = _centred(Image.new("RGBA", PRESPLASH, (*GREEN, 255)), _mark(240), lift=90)
    font = ImageFont.truetype(str(theme.FONT), 52)
    name = ImageDraw.Draw(drawn)
    name.text((PRESPLASH[0] / 2, PRESPLASH[1] / 2 + 84), "网格台账", WHITE, font, anchor="mm")
    return drawn.convert("RGB").quantize(64)


def main() -> None:
    """Write all pictures."""
    pictures = {
        "icon.png": _icon(),
        "../mobile/assets/icon.png": _icon().resize((WINDOW, WINDOW), Image.Resampling.LANCZOS),
        "icon_foreground.png": _foreground(),
        "icon_background.png": _ground(ADAPTIVE).convert("RGB"),
        "presplash.png": _presplash(),
    }
    for name, picture in pictures.items():
        path = (HERE / name).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, optimize=True)
        print(f"{path.relative_to(HERE.parent)}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
