"""A problem's history as sentences a person reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext

from server.operations.clock import now_ms
from server.storage.queries.names import Person
from server.web import clocks, words

_TONES = {
    "report": "info", "register": "info", "dispatch": "info", "accept": "primary",
    "close": "good", "resolve_on_spot": "good", "reject": "mute", "merge": "mute",
    "redo": "warn", "return": "warn", "reopen": "danger", "supervise": "danger", "remind": "warn",
    "overdue": "danger", "recur": "warn", "whistle": "warn", "join": "primary", "extend": "warn",
}  # fmt: skip
LATER_MS = 10 * 60_000  # work on a phone that came so much later says when it was done


@dataclass(frozen=True)
class Sentence:
    """One step: who, when (ms), what in words, why, and where it led.

    ``made_at``: when it was done on a phone, if the server heard of it later. ``attempt``: it came
    too late and changed nothing.
    """

    who: str
    role: str
    at: int | None
    what: str
    why: str
    to_state: str
    moved: bool
    tone: str
    made_at: int | None = None
    attempt: bool = False


def merges(entries: Iterable[Any]) -> list[str]:
    """The problems that the entries speak of."""
    details = [one.detail or {} for one in entries]
    return [m for one in details if (m := one.get("merged_into") or one.get("problem_id"))]


def sentences(
    entries: Iterable[Any],
    people: Mapping[str, Person],
    bodies: Mapping[str, str],
    numbers: Mapping[str, str],
    paper: bool = False,
) -> list[Sentence]:
    """The history, newest first. On ``paper`` every moment has its date."""
    moment = words.stamp if paper else _moment
    found = []
    for one in entries:
        person = people.get(one.actor or "")
        detail = one.detail or {}
        attempt = bool(one.attempt)
        came_late = one.made_at and one.acted_at and one.acted_at - one.made_at > LATER_MS
        found.append(
            Sentence(
                person.name if person else _("系统"),
                words.choice("ROLES", person.role) if person else "",
                one.acted_at,
                _tried(one) if attempt else _what(one.action, detail, bodies, numbers, moment),
                one.reason or "",
                one.to_state or "",
                one.from_state != one.to_state,
                "warn" if attempt else _TONES.get(one.action, "mute"),
                one.made_at if came_late else None,
                attempt,
            )
        )
    return found[::-1]


def _tried(entry: Any) -> str:
    """An action that came too late: what was meant, and why it did nothing."""
    detail = entry.detail or {}
    seen = (detail.get("expected") or {}).get("state")
    known = words.word("problem", "state", seen) if seen else ""
    state = words.word("problem", "state", entry.to_state)
    action = words.action_name(entry.action)
    if known and known != state:
        return _(
            "想办“%(action)s”，没有办成：手机上看到的还是“%(seen)s”，这里已是“%(state)s”",
            action=action, seen=known, state=state,
        )  # fmt: skip
    return _("想办“%(action)s”，没有办成：这里已有新的进展", action=action)


def _what(
    action: str,
    detail: Mapping[str, Any],
    bodies: Mapping[str, str],
    numbers: Mapping[str, str],
    moment: Callable[[Any], str],
) -> str:
    body = bodies.get(detail.get("body") or "", detail.get("body") or "")
    joined = _("、").join(bodies.get(code, code) for code in detail.get("co_bodies") or ())
    other = numbers.get(
        detail.get("merged_into") or detail.get("problem_id") or "", _("另一个问题")
    )
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
            return _("并入 %(number)s", number=other)
        case "absorb":
            return _("%(number)s 并入这个问题，照片和反映人一起过来", number=other)
        case "part":
            return _("%(number)s 从这里撤出，单独办理", number=other)
        case "dispatch":
            parts.append(_("派遣给%(body)s", body=body))
            if detail.get("owner"):
                parts.append(_("责任人 %(owner)s", owner=detail["owner"]))
            if joined:
                parts.append(_("协办：%(bodies)s", bodies=joined))
            parts.append(_("要求 %(due)s 前完成", due=moment(detail.get("due_at"))))
            if detail.get("measure"):
                parts.append(_("措施：%(measure)s", measure=detail["measure"]))
        case "accept":
            parts.append(_("签收"))
            if detail.get("owner"):
                parts.append(_("责任人 %(owner)s", owner=detail["owner"]))
        case "return" | "reopen":
            parts.append(words.action_name(action))
            cause = detail.get(f"{action}_cause")
            if cause:
                parts.append(words.word("problem", f"{action}_cause", cause))
        case "request_suspend" | "approve_suspend":
            parts.append(words.action_name(action))
            if detail.get("suspended_until"):
                parts.append(_("至 %(until)s", until=moment(detail["suspended_until"])))
        case "request_extension":
            parts.append(_("申请延期到 %(due)s", due=moment(detail.get("extension_until"))))
        case "request_closure":
            parts.append(_("申请销号"))
            parts.append(_("完成情况：%(result)s", result=detail.get("result") or ""))
            if detail.get("root_cause"):
                cause = words.word("problem", "root_cause", detail["root_cause"])
                parts.append(_("根源：%(cause)s", cause=cause))
            whys = detail.get("root_whys")
            if isinstance(whys, list) and whys:
                parts.append(_("多问为什么：%(whys)s", whys=_("；").join(map(str, whys))))
        case "callback":
            word = words.word("problem", "satisfaction", detail.get("satisfaction"))
            parts.append(_("回访：%(word)s", word=word))
            if detail.get("callback_note"):
                parts.append(detail["callback_note"])
        case "extend":
            parts.append(_("延期到 %(due)s", due=moment(detail.get("due_at"))))
        case "whistle":
            parts.append(_("吹哨，请%(bodies)s协办", bodies=joined))
        case "join":
            code = detail.get("co_body") or ""
            parts.append(_("%(body)s到场签收", body=bodies.get(code, code)))
        case "overdue":
            stages = str(detail.get("stage") or "handle").split(",")
            named = _("、").join(clocks.stage(one) for one in stages)
            parts.append(_("%(clock)s超期", clock=named))
        case "recur":
            count = len(detail.get("others") or ()) + 1
            parts.append(_("90 天内同一地点第 %(n)s 次，标为复发", n=count))
        case _:
            return _plain(action)
    return _("，").join(part.rstrip("。.") for part in parts)


def _plain(action: str) -> str:
    """Steps that say it all by their name."""
    said = {
        "reject": pgettext("history", "不予立案"),
        "unmerge": pgettext("history", "撤销并案，单独办理"),
        "progress": pgettext("history", "记录进展"),
        "resume": pgettext("history", "恢复办理，继续计时"),
        "decline": pgettext("history", "不同意申请"),
        "close": pgettext("history", "核查销号"),
        "redo": pgettext("history", "核查没有通过，返工"),
        "supervise": pgettext("history", "挂牌督办"),
        "remind": pgettext("history", "催办"),
        "archive": pgettext("history", "归档，个人信息已清除"),
    }
    return said.get(action) or words.action_name(action)


def _moment(ms: Any) -> str:
    return words.when(ms, now_ms()) if isinstance(ms, int) else ""
