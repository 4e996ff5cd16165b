"""Pure: campaigns (专项): what is asked at the doors while one runs, and how an answer reads.

A campaign is a reference record of type `campaign`; its `data` holds
    {"starts_at": ms or None, "ends_at": ms or None, "areas": [area codes; none: everywhere],
     "questions": [{"code", "zh", "en", "type": one of TYPES, "required": bool,
                    "choices": [[code, zh, en]]}]}
A visit's `answers` are {code of the campaign: {code of the question: value}}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared import ids

# Values: a code, a list of codes, a bool, an int, a text.
CHOICE, MANY, YES_NO, NUMBER, TEXT = "choice", "many", "yes_no", "number", "text"
TYPES = (CHOICE, MANY, YES_NO, NUMBER, TEXT)
MOST_QUESTIONS = 12
MOST_REQUIRED = 3  # with reason, outcome and what was solved: six required fields of a visit
MOST_TEXT = 500
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_WORDS = {"zh": ("是", "否", "、", "，", "："), "en": ("yes", "no", ", ", ", ", ": ")}


@dataclass(frozen=True)
class Question:
    """One question. ``choices`` are (code, Chinese, English) of CHOICE and MANY."""

    code: str
    zh: str
    en: str
    type: str
    required: bool = False
    choices: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Campaign:
    """One campaign. ``areas`` are codes of areas; none means everywhere."""

    code: str
    zh: str
    en: str
    questions: tuple[Question, ...]
    starts_at: int | None = None
    ends_at: int | None = None
    areas: tuple[str, ...] = ()


def read(values: Mapping[str, Any]) -> Campaign:
    """A campaign from a reference record's values; what cannot be read is left out."""
    data = values.get("data")
    data = data if isinstance(data, Mapping) else {}
    name = str(values.get("name") or values.get("code") or "")
    asked = data.get("questions")
    return Campaign(
        code=str(values.get("code") or ""),
        zh=name,
        en=str(values.get("name_en") or name),
        questions=tuple(
            question
            for one in (asked if isinstance(asked, list) else [])
            if (question := _question(one)) is not None
        ),
        starts_at=_moment(data.get("starts_at")),
        ends_at=_moment(data.get("ends_at")),
        areas=tuple(str(one) for one in data.get("areas") or ()),
    )


def is_running(campaign: Campaign, at: int, area: str) -> bool:
    """Whether it is asked at a moment (ms) in an area (15 digits for a grid)."""
    begun = campaign.starts_at is None or campaign.starts_at <= at
    over = campaign.ends_at is not None and campaign.ends_at <= at
    here = not campaign.areas or any(ids.is_within(area, one) for one in campaign.areas)
    return begun and not over and here


def missing(campaign: Campaign, given: Mapping[str, Any]) -> list[Question]:
    """The required questions that have no answer yet."""
    return [
        one for one in campaign.questions if one.required and given.get(one.code) in (None, "", [])
    ]


def tidy(campaign: Campaign, given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that this campaign asks for and that say something, as they are stored."""
    found: dict[str, Any] = {}
    for one in campaign.questions:
        value = given.get(one.code)
        if isinstance(value, str):
            value = value.strip()
            if one.type == NUMBER:
                value = int(value) if value.isdecimal() else None
        if value not in (None, "", []):
            found[one.code] = value
    return found


def told(
    known: Mapping[str, Campaign], answers: Mapping[str, Any] | None, language: str = "zh"
) -> list[tuple[str, list[tuple[str, str]]]]:
    """(campaign, [(question, answer)]) for reading; what is not known reads as its code."""
    found = []
    for code, given in (answers or {}).items():
        campaign = known.get(code)
        if not isinstance(given, Mapping):
            found.append((code, [("", _plain(given, language))]))
            continue
        questions = {one.code: one for one in campaign.questions} if campaign else {}
        order = list(questions)
        rows = [
            (
                _pick(questions[name], language) if name in questions else name,
                _answer(questions.get(name), value, language),
            )
            for name, value in sorted(
                given.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else 99
            )
        ]
        title = code if campaign is None else campaign.en if language == "en" else campaign.zh
        found.append((title, rows))
    return found


def as_text(
    known: Mapping[str, Campaign], answers: Mapping[str, Any] | None, language: str = "zh"
) -> str:
    """The same on one line, for a sheet: "燃气安全：胶管=金属软管，报警器=是"."""
    _, _, _, comma, colon = _WORDS[language]
    return "; ".join(
        f"{title}{colon}" + comma.join(f"{asked}={said}" if asked else said for asked, said in rows)
        for title, rows in told(known, answers, language)
    )


def wrong(values: Mapping[str, Any]) -> str:
    """What is wrong with a campaign that somebody wrote, in Chinese and English; "" if nothing."""
    if not _CODE.fullmatch(str(values.get("code") or "")):
        return "代码应为小写字母开头 / The code must begin with a small letter"
    if not str(values.get("name") or "").strip():
        return "没有名称 / It has no name"
    data = values.get("data")
    asked = data.get("questions") if isinstance(data, Mapping) else None
    if not isinstance(asked, list) or not 0 < len(asked) <= MOST_QUESTIONS:
        return f"问题应有 1 至 {MOST_QUESTIONS} 个 / It needs 1 to {MOST_QUESTIONS} questions"
    questions = [_question(one) for one in asked]
    for number, question in enumerate(questions, 1):
        if question is None:
            return f"第 {number} 个问题写得不对 / Question {number} cannot be read"
    codes = {one.code for one in questions if one}
    if len(codes) < len(questions):
        return "两个问题用了同一个代码 / Two questions have the same code"
    if sum(one.required for one in questions if one) > MOST_REQUIRED:
        return (
            f"必答的问题最多 {MOST_REQUIRED} 个 / At most {MOST_REQUIRED} questions may be required"
        )
    return ""


def _question(given: Any) -> Question | None:
    if not isinstance(given, Mapping) or given.get("type") not in TYPES:
        return None
    code, zh = str(given.get("code") or ""), str(given.get("zh") or "")
    choices = tuple(
        (str(one[0]), str(one[1]), str(one[2] if len(one) > 2 else one[1]))
        for one in given.get("choices") or ()
        if isinstance(one, (list, tuple)) and len(one) >= 2
    )
    if not _CODE.fullmatch(code) or not zh:
        return None
    if given["type"] in (CHOICE, MANY) and len(choices) < 2:
        return None
    required = bool(given.get("required"))
    return Question(code, zh, str(given.get("en") or zh), given["type"], required, choices)


def _moment(given: Any) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _pick(question: Question, language: str) -> str:
    return question.en if language == "en" else question.zh


def _answer(question: Question | None, value: Any, language: str) -> str:
    named = {code: (en if language == "en" else zh) for code, zh, en in question.choices} if (
        question
    ) else {}  # fmt: skip
    if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
        return _WORDS[language][2].join(str(named.get(one, one)) for one in value)
    return str(named.get(value, "")) or _plain(value, language)


def _plain(value: Any, language: str) -> str:
    if isinstance(value, bool):
        return _WORDS[language][0 if value else 1]
    return str(value)
