"""`make screenshots`: all pictures of the phone and the web, for the README and for the eye.

The few that the README shows go to docs/pictures; all of them to build/pictures.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
EVERYTHING = ROOT / "build" / "pictures"
SHOWN = ROOT / "docs" / "pictures"
README = {
    "phone_round", "phone_visit_form", "phone_sync", "desk-home", "desk-conflict", "desk-problem",
}  # fmt: skip


def web(folder: Path) -> list[Path]:
    """Pictures of every page, of the demo district, at 1280 and 390 pixels."""
    from tests.browser import chromium
    from tests.screens import district
    from tests.web import pictures

    with (
        tempfile.TemporaryDirectory(prefix="web-pictures-") as made,
        district.running(Path(made) / "demo") as place,
        chromium() as browser,
    ):
        accounts = {
            one["role"]: (one["username"], one["password"])
            for one in reversed(place.described["accounts"])
        }
        return pictures.take(browser, place.url, accounts, folder)


def phone(folder: Path) -> list[Path]:
    """Pictures of every screen."""
    from tests.screens import pictures

    return pictures.save(folder)


def main(arguments: list[str]) -> int:
    """Take the pictures of what is named (phone, web; nothing: both)."""
    shutil.rmtree(EVERYTHING, ignore_errors=True)
    EVERYTHING.mkdir(parents=True)
    SHOWN.mkdir(parents=True, exist_ok=True)
    saved: list[Path] = []
    for name, take in (("phone", phone), ("web", web)):
        if not arguments or name in arguments:
            print(f"{name} ...", flush=True)
            saved += take(EVERYTHING)
    for path in saved:
        if path.stem in README:
            with Image.open(path) as picture:
                small = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
                small.save(SHOWN / f"{path.stem}.png", optimize=True)
    print(f"{len(saved)} -> {EVERYTHING}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
