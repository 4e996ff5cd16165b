"""The look keeps its promises: contrast, English for every Chinese text, nothing retyped."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from mobile.ui import palettes, theme, words
from mobile.ui.no_font import ZH

UI = Path(words.__file__).parent
SOURCES = sorted(
    [*UI.rglob("*.py"), *UI.rglob("*.kv"), *UI.parent.glob("android/*.py"), UI.parent / "app.py"]
)
PICTURED = {text for text, _ in ZH}  # in both languages where they stand: nothing else is left
CALLED = re.compile(r"\btr\(\s*(['\"])(.*?)\1", re.DOTALL)
LITERAL = re.compile(r"(['\"])((?:(?!\1)[^\n])*[\u4e00-\u9fff](?:(?!\1)[^\n])*)\1")
APP_TITLE = "网格台账"


def texts_of(path: Path) -> set[str]:
    """The Chinese texts that a file hands to tr()."""
    found = CALLED.findall(path.read_text(encoding="utf-8"))
    return {text.replace("\\n", "\n") for _, text in found}


@pytest.mark.parametrize("palette", palettes.ALL)
def test_text_is_readable_on_its_ground_in_every_palette(palette: str) -> None:
    for name, (text, ground) in palettes.pairs(palette).items():
        assert theme.contrast(text, ground) >= palettes.LEAST[palette], name


def test_the_contrast_is_that_of_wcag() -> None:
    assert theme.contrast(theme.rgba("000000"), theme.rgba("FFFFFF")) == pytest.approx(21)
    assert theme.contrast(theme.rgba("777777"), theme.rgba("FFFFFF")) == pytest.approx(
        4.48, abs=0.01
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_chinese_text_has_an_english_one(path: Path) -> None:
    missing = texts_of(path) - set(words.ENGLISH)
    assert not missing


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_chinese_text_goes_round_the_translation(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    source = re.sub(r'"""(?:.|\n)*?"""', "", source) if path.suffix == ".py" else source
    source = re.sub(r"(?m)^\s*#(?!:).*$|  # .*$", "", source)
    loose = {text for _, text in LITERAL.findall(re.sub(CALLED, "", source))}
    assert loose <= {APP_TITLE, *PICTURED}


def test_no_translation_is_left_over() -> None:
    used = set().union(*(texts_of(path) for path in SOURCES))
    assert set(words.ENGLISH) == used


def test_both_languages_fill_in_the_same_names() -> None:
    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert {zh for zh, en in words.ENGLISH.items() if names(zh) != names(en)} == set()


def test_every_icon_that_is_named_has_been_drawn() -> None:
    named = set()
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        named |= set(re.findall(r"\b(?:icon|name): '([a-z_]+)'", source))
        named |= set(re.findall(r"\bicon=\"([a-z_]+)\"", source))
    assert named and {name for name in named if not Path(theme.icon(name)).is_file()} == set()
