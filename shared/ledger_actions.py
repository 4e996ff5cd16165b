"""The problem ledger's one table: what each action does, who may take it, what it needs.

DOMAIN: Ledger. The rules that go beyond a row of the table are in `shared.ledger`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OPEN_STATES = (
    "reported", "registered", "dispatched", "in_progress", "suspended", "closure_requested",
    "reopened",
)  # fmt: skip
LATE_STATES = tuple(s for s in OPEN_STATES if s != "suspended")  # where a deadline stands
CLOSED_STATES = ("closed", "rejected", "merged", "archived")
STATES = OPEN_STATES + CLOSED_STATES
SCHEDULE = "schedule"  # the role of a job that nobody started by hand


@dataclass(frozen=True)
class Action:
    """One action: from which states, to which (None: it stays), by which roles, needing what.

    ``needs`` are names of `data` that must hold something; ``takes`` those that may; each of both
    that is a field of the problem is written to it, the rest goes into the history alone.
    """

    name: str
    zh: str
    en: str
    sources: tuple[str, ...]
    target: str | None
    roles: tuple[str, ...]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Actor:
    """Who acts: a person's id and role; ``body`` is a handler's own, else ""."""

    user_id: str
    role: str
    body: str = ""


@dataclass(frozen=True)
class Facts:
    """What the rules must know beside the problem itself.

    ``photos_pending``: photos that are asked for and declared but not verified. ``after_photos``:
    verified ones from after. ``needs_after``: the category asks for one. ``ledger_no``: the next
    number, for register. ``has_login``: the body has people with an account of their own.
    ``deadlines``: stage -> its end if it begins now (shared.categories), in ``due_unit``.
    ``resumed_due_at``: the handling deadline when its clock runs on. ``retention``: how long a
    closed problem keeps its personal data, ms (None: for ever); ``retained``: that has passed.
    """

    needs_after: bool = False
    after_photos: int = 0
    photos_pending: int = 0
    recurring: bool = False
    ledger_no: str = ""
    has_login: bool = False
    deadlines: Mapping[str, int] = field(default_factory=dict)
    due_unit: str = ""
    resumed_due_at: int | None = None
    retention: int | None = None
    retained: bool = True


@dataclass(frozen=True)
class Progress:
    """One entry of a problem's history, as `act` decides it; the server gives it an id."""

    action: str
    from_state: str
    to_state: str
    step: int
    reason: str
    detail: Mapping[str, Any]
    round: int = 1


def _a(
    name: str,
    zh: str,
    en: str,
    sources: str,
    target: str | None,
    roles: str,
    needs: str = "",
    takes: str = "",
) -> Action:
    states = OPEN_STATES if sources == "open" else tuple(sources.split())
    return Action(
        name,
        zh,
        en,
        states,
        target,
        tuple(roles.split()),
        tuple(needs.split()),
        tuple(takes.split()),
    )


_BODY = "handler supervisor"  # the supervisor for a body without an account
_ACTIONS = (
    _a("register", "立案", "Register", "reported", "registered", "supervisor",
       "", "hard reason"),
    _a("reject", "不予立案", "Reject", "reported", "rejected", "supervisor", "reason"),
    _a("merge", "并案", "Merge", "reported registered", "merged", "supervisor",
       "reason merged_into"),
    _a("unmerge", "撤销并案", "Unmerge", "merged", "registered", "supervisor", "reason"),
    _a("dispatch", "派遣", "Dispatch", "registered reopened", "dispatched", "supervisor",
       "body measure", "due_at owner co_bodies"),
    _a("accept", "签收", "Accept", "dispatched", "in_progress", _BODY, "", "owner"),
    _a("return", "退回", "Return", "dispatched", "registered", "handler",
       "return_cause reason"),
    _a("progress", "记录进展", "Add progress", "open", None, "grid_worker handler supervisor",
       "reason"),
    _a("request_suspend", "申请挂账", "Ask to suspend", "in_progress", None, _BODY,
       "reason suspended_until"),
    _a("approve_suspend", "同意挂账", "Suspend", "in_progress", "suspended", "supervisor", "",
       "reason suspended_until"),
    _a("resume", "恢复办理", "Resume", "suspended", "in_progress", "supervisor schedule", "",
       "reason"),
    _a("request_extension", "申请延期", "Ask for more time", "dispatched in_progress", None, _BODY,
       "reason extension_until"),
    _a("decline", "不同意申请", "Decline the request", "dispatched in_progress", None,
       "supervisor", "reason"),
    _a("request_closure", "申请销号", "Ask for closure", "in_progress", "closure_requested",
       "grid_worker handler", "result", "root_cause root_whys"),
    _a("close", "核查销号", "Verify and close", "closure_requested", "closed", "supervisor",
       "", "reason"),
    _a("redo", "返工", "Redo", "closure_requested", "in_progress", "supervisor", "reason"),
    _a("callback", "回访", "Call back", "closed", None, "grid_worker supervisor",
       "satisfaction", "callback_note"),
    _a("reopen", "重新打开", "Reopen", "closed", "reopened", "grid_worker supervisor",
       "reopen_cause reason"),
    _a("supervise", "挂牌督办", "Supervise", "open", None, "supervisor", "reason"),
    _a("remind", "催办", "Remind", "open", None, "supervisor", "reason"),
    _a("extend", "延期", "Extend", "open", None, "supervisor admin", "reason due_at"),
    _a("whistle", "吹哨", "Whistle", "open", None, "supervisor", "reason co_bodies"),
    _a("join", "到场签收", "Answer the whistle", "open", None, _BODY, "", "co_body reason"),
    _a("overdue", "超期", "Overdue", "open", None, SCHEDULE, "stage"),
    _a("recur", "复发提示", "Recurrence", "open", None, SCHEDULE, "", "others"),
    _a("archive", "归档", "Archive", "closed", "archived", f"admin {SCHEDULE}"),
)  # fmt: skip
ACTIONS: dict[str, Action] = {action.name: action for action in _ACTIONS}

# The history's entries that nobody takes as an action of its own.
ENTRIES: dict[str, tuple[str, str]] = {
    "report": ("上报", "Report"),
    "resolve_on_spot": ("现场办结", "Solved on the spot"),
    "import": ("从表格导入", "Imported"),
    "absorb": ("另一问题并入", "Another was merged into this"),
    "part": ("并入的问题撤出", "A merged one was taken out"),
}


def entry_words(name: str) -> tuple[str, str]:
    """What an entry of the history is called, in Chinese and English."""
    known = ACTIONS.get(name)
    return (known.zh, known.en) if known else ENTRIES.get(name, (name, name))
