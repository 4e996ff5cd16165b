"""Each page still looks as in its golden picture; `make golden` draws them anew when meant."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.screens import golden_pages
from tests.screens.golden_pages import FOLDER, difference, pictures

pytestmark = pytest.mark.screen
MOST = 1.5  # per cent of the pixels: a line of text moved is more


def test_every_page_looks_as_in_its_golden_picture() -> None:
    apart = {}
    for name, picture in pictures():
        with Image.open(FOLDER / f"{name}.png") as kept:
            apart[name] = difference(picture, kept.convert("L"))
    changed = {name: f"{share:.1f} %" for name, share in apart.items() if share > MOST}
    assert not changed, f"{changed}: if that is meant, look at them and run `make golden`"


def test_a_moved_line_is_noticed() -> None:
    with Image.open(FOLDER / "me.png") as kept:
        me = kept.convert("L")
    moved = me.copy()
    moved.paste(me.crop((0, 60, 180, 300)), (0, 66))
    assert difference(me, me) == 0 < MOST < difference(me, moved)
    assert me.size == golden_pages.SIZE
