"""How each state looks: a word, a shape and a tone, always the three together."""

from __future__ import annotations

from typing import Any, NamedTuple

from mobile.sync.phone import PLACE_WORDS, ProblemRow, TaskRow, VisitRow
from mobile.ui.next_steps import field_name
from mobile.ui.times import due, local
from mobile.ui.words import language, pick, tr, word, words
from shared import protocol, records
from shared import vocabulary as v


class Look(NamedTuple):
    """A state as it is shown."""

    text: str
    icon: str
    tone: str


_PLACES = {
    "waiting": ("cloud_up", "info"),
    "sent": ("clock", "info"),
    "applied": ("disc_check", "good"),
    "conflict": ("split", "warn"),
    "held": ("clock", "warn"),
    "returned": ("warn", "danger"),
    "settled": ("check", "mute"),
}
_REVIEWS = {
    "pending": ("eye", "mute"),
    "approved": ("disc_check", "good"),
    "returned": ("undo", "danger"),
}
_PROBLEMS = {
    "reported": ("clock", "info"),
    "registered": ("ledger", "info"),
    "rejected": ("close", "mute"),
    "merged": ("split", "mute"),
    "dispatched": ("right", "primary"),
    "in_progress": ("sync", "primary"),
    "suspended": ("clock", "mute"),
    "closure_requested": ("eye", "warn"),
    "closed": ("disc_check", "good"),
    "reopened": ("undo", "danger"),
    "archived": ("check", "mute"),
}


# Tasks for what the server did not take, and those that only tell something.
CAME_BACK = ("returned_visit", "rejected_change", "late_action")
TOLD = ("conflict_verdict", "due_soon", "due_now", "overdue", "reminded", "suspension_ended")
_TASKS = {
    "visit_due": ("walk", "primary"),
    "recheck": ("eye", "primary"),
    "returned_visit": ("undo", "danger"),
    "rejected_change": ("warn", "danger"),
    "conflict_verdict": ("split", "info"),
    "late_action": ("clock", "warn"),
    "tell_reporter": ("speech", "primary"),
    "callback": ("call", "primary"),
    "overdue": ("warn", "danger"),
    "reminded": ("bell", "warn"),
    "due_now": ("clock", "warn"),
    "due_soon": ("clock", "warn"),
    "whistled": ("bell", "warn"),
}


def place(code: str) -> Look:
    """Where something that was saved is now."""
    icon, tone = _PLACES.get(code, ("info", "mute"))
    return Look(pick(*PLACE_WORDS[code]) if code in PLACE_WORDS else code, icon, tone)


def visit(row: VisitRow) -> Look:
    """A visit: where it is, and once accepted, what its review says."""
    if row.place == "applied" and row.review_state in _REVIEWS:
        icon, tone = _REVIEWS[row.review_state]
        return Look(word(v.REVIEW_STATES, row.review_state), icon, tone)
    return place(row.place)


def why(row: VisitRow) -> str:
    """Why a visit came back, "" if it did not."""
    if row.place == "applied" and row.review_state == "returned":
        return row.review_note
    return pick(row.why_zh, row.why_en)


def problem(state: str) -> Look:
    """A problem's state in the ledger."""
    icon, tone = _PROBLEMS.get(state, ("clock", "info"))
    return Look(word(v.PROBLEM_STATES, state) or tr("待立案"), icon, tone)


def waiting() -> Look:
    """In a list: only on this phone so far."""
    return Look(tr("待上传"), "cloud_up", "info")


def task(row: TaskRow) -> Look:
    """What a task asks for."""
    icon, tone = _TASKS.get(row.type, ("task", "primary"))
    return Look(pick(row.title_zh, row.title_en), icon, tone)


def limit(row: ProblemRow, now: int) -> Look:
    """A problem's time limit; no text once it is settled."""
    if row.state in ("closed", "rejected", "merged", "archived", "suspended"):
        return Look("", "", "mute")
    text, tone = due(row.due_at, now)
    return Look(text, "warn" if tone == "danger" else "clock", tone)


def conflict(state: str) -> Look:
    """A conflict: open, decided, or agreed without a verdict."""
    if state == "open":
        return Look(tr("等网格长裁定"), "split", "warn")
    return Look(word(v.CONFLICT_STATES, state), "disc_check", "good")


def task_words(row: TaskRow) -> str:
    """Why a task is there, in words: its reason, what was refused, or what was decided."""
    if row.type == "conflict_verdict":
        name, verdict = row.detail.get("field") or "", row.detail.get("verdict")
        return tr("{name}：{value}", name=_field(row.about_kind, name), value=value(
            row.about_kind, name, verdict))  # fmt: skip
    return protocol.title(row.reason, language())


def where(kind: str, name: str) -> str:
    """The field that something is about, as a line of its own; "" where there is none."""
    found = field_name(kind, name)
    return tr("哪一项：{field}", field=found) if found else ""


def value(kind: str, name: str, given: Any) -> str:
    """A field's value for a person."""
    field = records.FIELDS.get(kind, {}).get(name)
    if given in (None, "", []):
        return tr("（空）")
    if name == records.DELETED:
        return tr("已删除") if given else tr("保留")
    if isinstance(given, bool):
        return tr("是") if given else tr("否")
    if field and field.type == records.MS and isinstance(given, int):
        return f"{local(given):%Y-%m-%d %H:%M}"
    if field and field.choices:
        return (
            words(field.choices, given) if isinstance(given, list) else word(field.choices, given)
        )
    return str(given)


def _field(kind: str, name: str) -> str:
    field = records.FIELDS.get(kind, {}).get(name)
    return pick(field.zh, field.en) if field else name
