"""The app's words: Chinese in the code, English in words.json beside this file.

Words of coded fields come from shared/vocabulary, never from here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared import records, vocabulary

LANGUAGES = ("zh", "en")
ENGLISH: dict[str, str] = json.loads(
    Path(__file__).with_name("words.json").read_text(encoding="utf-8")
)
_now = {"language": "zh"}


def language() -> str:
    """The language that the screens are drawn in."""
    return _now["language"]


def set_language(code: str) -> None:
    """Choose the language of screens drawn from now on."""
    _now["language"] = code if code in LANGUAGES else "zh"


def tr(text: str, /, **values: Any) -> str:
    """The text in the chosen language, with its {names} filled in."""
    found = ENGLISH.get(text, text) if language() == "en" else text
    return found.format(**values) if values else found


def word(choices: tuple[vocabulary.Choice, ...], code: str | None) -> str:
    """A coded value in the chosen language."""
    return vocabulary.word(choices, code, language())


def words(choices: tuple[vocabulary.Choice, ...], codes: list[str] | None) -> str:
    """Several coded values in the chosen language."""
    return vocabulary.words(choices, codes, language())


def pick(zh: str, en: str) -> str:
    """One of two texts that came as a pair."""
    return (en or zh) if language() == "en" else zh


def choices(of: tuple[vocabulary.Choice, ...]) -> list[tuple[str, str]]:
    """The choices of a field as (code, text)."""
    return [(one.code, pick(one.zh, one.en)) for one in of]


def label(kind: str, name: str) -> str:
    """A field's name in the chosen language."""
    field = records.FIELDS[kind][name]
    return pick(field.zh, field.en)


def options(kind: str, name: str) -> list[tuple[str, str]]:
    """A coded field's choices in the chosen language."""
    return choices(records.FIELDS[kind][name].choices)
