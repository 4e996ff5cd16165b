"""Pictures for the demo: real photos where the samples are at hand, else drawn ones."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from gridledger.demo.dice import Dice, dice
from gridledger.demo.photos import Picture
from gridledger.demo.plan import SAMPLES
from mobile.core import photo

# In the order in which a round takes them; the last three show what phones do to pictures.
SAMPLE_NAMES = (
    "phone_iphone_2mb.jpg",
    "phone_iphone.heic",
    "phone_jolla_800k.jpg",
    "phone_nokia_2mb.jpg",
    "camera_with_gps.jpg",
    "orientation_6.jpg",
    "orientation_8.jpg",
    "broken_exif.jpg",
)
POOL = 16
ROUND_PHOTOS = 8
SIDE = 1280


def taken_on_round(seed: int) -> list[Path | bytes]:
    """What the camera gives during the round: eight different pictures, as phones write them."""
    found: list[Path | bytes] = [path for path in _samples() if _readable(path)]
    missing = ROUND_PHOTOS - len(found)
    return found[:ROUND_PHOTOS] + [drawn(dice(seed, "camera", n)) for n in range(missing)]


def pool(seed: int) -> list[Picture]:
    """The pictures of the ninety days before: parts of real photos, or drawn scenes."""
    sources = [Image.open(path) for path in _samples()[:5] if _readable(path)]
    made = []
    for number in range(POOL):
        rolls = dice(seed, "picture", number)
        part = _part_of(sources[number % len(sources)], rolls) if sources else drawn(rolls)
        ready = photo.prepare(part)
        made.append(Picture(ready.sha256, ready.width, ready.height, ready.data))
    return made


def _samples() -> list[Path]:
    paths = [SAMPLES / "photos" / name for name in SAMPLE_NAMES]
    return [path for path in paths if path.is_file()]


def _readable(path: Path) -> bool:
    """Whether Pillow knows the format here: HEIC needs an extra package."""
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:
        return path.suffix != ".heic"
    return True


def _part_of(source: Image.Image, rolls: Dice) -> bytes:
    """Another frame of the same place: a crop, a little lighter or darker."""
    source.draft("RGB", (SIDE, SIDE))
    share = rolls.uniform(0.72, 0.95)
    width, height = int(source.width * share), int(source.height * share)
    left, top = rolls.randint(0, source.width - width), rolls.randint(0, source.height - height)
    part = source.crop((left, top, left + width, top + height)).convert("RGB")
    part.thumbnail((SIDE, SIDE))
    part = ImageEnhance.Brightness(part).enhance(rolls.uniform(0.8, 1.15))
    return _jpeg(part)


def drawn(rolls: Dice) -> bytes:
    """A yard of flats under a sky, with the grain of a camera: where no photo is at hand."""
    width, height = SIDE, SIDE * 3 // 4
    grain = Image.frombytes("L", (width // 4, height // 4), rolls.randbytes(width * height // 16))
    sky = Image.new("RGB", (width, height), (rolls.randint(150, 200), 205, rolls.randint(215, 245)))
    draw = ImageDraw.Draw(sky)
    ground = int(height * rolls.uniform(0.7, 0.82))
    draw.rectangle((0, ground, width, height), fill=(128, 124, rolls.randint(105, 125)))
    left = rolls.randint(-60, 60)
    while left < width:
        wide, top = rolls.randint(220, 380), rolls.randint(60, 260)
        wall = tuple(rolls.randint(140, 215) for _ in range(3))
        draw.rectangle((left, top, left + wide, ground), fill=wall)
        for row in range(top + 26, ground - 70, 84):
            for column in range(left + 24, left + wide - 50, 74):
                glass = rolls.choice(((70, 84, 100), (92, 110, 128), (205, 196, 150)))
                draw.rectangle((column, row, column + 42, row + 52), fill=glass, outline="white")
        draw.rectangle(
            (left + wide // 2 - 26, ground - 62, left + wide // 2 + 26, ground), fill=(84, 62, 48)
        )
        left += wide + rolls.randint(10, 90)
    for _ in range(rolls.randint(3, 8)):
        x, size = rolls.randrange(width), rolls.randint(30, 90)
        green = (rolls.randint(50, 90), rolls.randint(110, 150), 60)
        draw.ellipse((x, ground - size, x + 2 * size, ground + size // 3), fill=green)
    noise = grain.resize((width, height)).convert("RGB")
    return _jpeg(Image.blend(sky, noise, 0.06).filter(ImageFilter.GaussianBlur(0.6)))


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
