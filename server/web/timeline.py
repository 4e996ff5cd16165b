"""A problem's history as sentences a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from server.operations.clock import now_ms
from server.storage.queries.names import Person
from server.web import words

_TONES = {
    "report": "info", "register": "info", "dispatch": "info", "accept": "primary",
    "close": "good", "resolve_on_spot": "good", "reject": "mute", "merge": "mute",
    "redo": "warn", "return": "warn", "reopen": "danger", "supervise": "danger", "remind": "warn",
}  # fmt: skip


@dataclass(frozen=True)
class Sentence:
    """One step: who, when (ms), what in words, why, and where it led."""

    who: str
    role: str
    at: int | None
    what: str
    why: str
    to_state: str
    moved: bool
    tone: str


def merges(entries: Iterable[Any]) -> list[str]:
    """The problems that the entries speak of."""
    return [m for one in entries if (m := (one.detail or {}).get("merged_into"))]


def sentences(
    entries: Iterable[Any],
    people: Mapping[str, Person],
    bodies: Mapping[str, str],
    numbers: Mapping[str, str],
) -> list[Sentence]:
    """The history, newest first."""
    found = []
    for one in entries:
        person = people.get(one.actor or "")
        found.append(
            Sentence(
                person.name if person else _("系统"),
                words.choice("ROLES", person.role) if person else "",
                one.acted_at,
                _what(one.action, one.detail or {}, bodies, numbers),
                one.reason or "",
                one.to_state or "",
                one.from_state != one.to_state,
                _TONES.get(one.action, "mute"),
            )
        )
    return found[::-1]


def _what(
    action: str, detail: Mapping[str, Any], bodies: Mapping[str, str], numbers: Mapping[str, str]
) -> str:
    body = bodies.get(detail.get("body") or "", detail.get("body") or "")
    joined = _("、").join(bodies.get(code, code) for code in detail.get("co_bodies") or ())
    parts = []
    match action:
        case "report":
            return _("上报了这个问题")
        case "resolve_on_spot":
            return _("上报并当场办结")
        case "register":
            text = _("同意立案")
            return _("%(text)s，列为疑难", text=text) if detail.get("hard") else text
        case "merge":
            other = numbers.get(detail.get("merged_into") or "", _("另一个问题"))
            return _("并入 %(number)s", number=other)
        case "dispatch":
            parts.append(_("派遣给%(body)s", body=body))
            if detail.get("owner"):
                parts.append(_("责任人 %(owner)s", owner=detail["owner"]))
            if joined:
                parts.append(_("协办：%(bodies)s", bodies=joined))
            parts.append(_("要求 %(due)s 前完成", due=_moment(detail.get("due_at"))))
            if detail.get("measure"):
                parts.append(_("措施：%(measure)s", measure=detail["measure"]))
        case "accept":
            parts.append(_("签收"))
            if detail.get("owner"):
                parts.append(_("责任人 %(owner)s", owner=detail["owner"]))
        case "request_suspend" | "approve_suspend":
            parts.append(words.action_name(action))
            if detail.get("suspended_until"):
                parts.append(_("至 %(until)s", until=_moment(detail["suspended_until"])))
        case "request_closure":
            parts.append(_("申请销号"))
            parts.append(_("完成情况：%(result)s", result=detail.get("result") or ""))
            if detail.get("root_cause"):
                cause = words.word("problem", "root_cause", detail["root_cause"])
                parts.append(_("根源：%(cause)s", cause=cause))
        case "callback":
            word = words.word("problem", "satisfaction", detail.get("satisfaction"))
            parts.append(_("回访：%(word)s", word=word))
            if detail.get("callback_note"):
                parts.append(detail["callback_note"])
        case "extend":
            parts.append(_("延期到 %(due)s", due=_moment(detail.get("due_at"))))
        case "whistle":
            parts.append(_("吹哨，请%(bodies)s协办", bodies=joined))
        case _:
            return words.action_name(action)
    return _("，").join(part.rstrip("。.") for part in parts)


def _moment(ms: Any) -> str:
    return words.when(ms, now_ms()) if isinstance(ms, int) else ""
