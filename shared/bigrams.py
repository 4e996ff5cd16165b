"""Pure: a text as the terms of a full-text index, so that Chinese is found within words.

Chinese has no spaces. A run of it becomes its pairs of characters and, last, its last character:
照明设施 -> 照明 明设 设施 施. So a word of two characters is one term, a longer one is a phrase of
terms next to each other, and a single character is the beginning of one. A run of letters or
digits is one word. Full-width and half-width, upper and lower case are the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

MAX_TERMS = 16  # of one query
LONGEST_WORD = 40
# Letters that no text keeps: an index may begin terms of its own with them.
MARKS = "ɐʙɕɖʞɾ"
_NO_MARKS = str.maketrans(dict.fromkeys(MARKS, " "))
_CHINESE = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(rf"[{_CHINESE}]+|[^\W_{_CHINESE}]+")
_PIECE = re.compile(r"[^\W_]+")
_IS_CHINESE = re.compile(rf"[{_CHINESE}]")


@dataclass(frozen=True)
class Phrase:
    """Terms that must stand next to each other; ``begins``: the last need only begin so."""

    terms: tuple[str, ...]
    begins: bool = False


def fold(text: str) -> str:
    """The text in one spelling: half-width, lower case, without MARKS."""
    return unicodedata.normalize("NFKC", text).lower().translate(_NO_MARKS)


def terms(text: str | None) -> list[str]:
    """The terms of a text to be found, in their order."""
    found: list[str] = []
    for run in _RUN.findall(fold(text or "")):
        if _IS_CHINESE.match(run):
            found += [run[i : i + 2] for i in range(len(run) - 1)]
            found.append(run[-1])
        else:
            found.append(run[:LONGEST_WORD])
    return found


def query(text: str) -> tuple[Phrase, ...]:
    """What somebody looks for: every phrase must be found. () where nothing can be looked for.

    What is written without a gap (3号楼) is one phrase.
    """
    found: dict[Phrase, None] = {}
    for piece in _PIECE.findall(fold(text))[:MAX_TERMS]:
        runs = _RUN.findall(piece)
        wanted = [term for run in runs[:-1] for term in terms(run)]
        last = runs[-1]
        if not _IS_CHINESE.match(last):
            wanted.append(last[:LONGEST_WORD])
            begins = len(last) > 1
        else:
            wanted += terms(last)[:-1] or [last]
            begins = len(last) == 1
        found[Phrase(tuple(wanted[:MAX_TERMS]), begins and len(wanted) <= MAX_TERMS)] = None
    return tuple(found)


def has(text_terms: Iterable[str], wanted: Iterable[Phrase]) -> bool:
    """Whether a document of these terms holds every phrase, as the databases' indices answer."""
    document = list(text_terms)
    return all(_holds(document, phrase) for phrase in wanted)


def _holds(document: list[str], phrase: Phrase) -> bool:
    size = len(phrase.terms)
    for start in range(len(document) - size + 1):
        part = document[start : start + size]
        if part[:-1] != list(phrase.terms[:-1]):
            continue
        last = phrase.terms[-1]
        if part[-1] == last or (phrase.begins and part[-1].startswith(last)):
            return True
    return False
