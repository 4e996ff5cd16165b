"""Pure: the problem ledger (问题台账): one table of what each action does, who may, what it needs.

The phone and the web page go through the same function, and so do their tests. DOMAIN: Ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.reconcile import Refused

OPEN_STATES = (
    "reported", "registered", "dispatched", "in_progress", "suspended", "closure_requested",
    "reopened",
)  # fmt: skip
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


_BODY = "handler supervisor"
ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        _a("register", "立案", "Register", "reported", "registered", "supervisor",
           "", "hard reason"),
        _a("reject", "不予立案", "Reject", "reported", "rejected", "supervisor", "reason"),
        _a("merge", "并案", "Merge", "reported registered", "merged", "supervisor",
           "reason merged_into"),
        _a("unmerge", "撤销并案", "Unmerge", "merged", "registered", "supervisor", "reason"),
        _a("dispatch", "派遣", "Dispatch", "registered reopened", "dispatched", "supervisor",
           "body measure due_at", "owner co_bodies"),
        _a("accept", "签收", "Accept", "dispatched", "in_progress", _BODY, "", "owner"),
        _a("return", "退回", "Return", "dispatched", "registered", "handler", "reason"),
        _a("progress", "记录进展", "Add progress", "open", None, "grid_worker handler supervisor",
           "reason"),
        _a("request_suspend", "申请挂账", "Ask to suspend", "in_progress", None, _BODY,
           "reason suspended_until"),
        _a("approve_suspend", "同意挂账", "Suspend", "in_progress", "suspended", "supervisor", "",
           "reason suspended_until"),
        _a("resume", "恢复办理", "Resume", "suspended", "in_progress", _BODY, "", "reason"),
        _a("request_closure", "申请销号", "Ask for closure", "in_progress", "closure_requested",
           "grid_worker handler", "result", "root_cause"),
        _a("close", "核查销号", "Verify and close", "closure_requested", "closed", "supervisor",
           "", "reason"),
        _a("redo", "返工", "Redo", "closure_requested", "in_progress", "supervisor", "reason"),
        _a("callback", "回访", "Call back", "closed", None, "grid_worker supervisor",
           "satisfaction", "callback_note"),
        _a("reopen", "重新打开", "Reopen", "closed", "reopened", "grid_worker supervisor",
           "reason"),
        _a("supervise", "挂牌督办", "Supervise", "open", None, "supervisor", "reason"),
        _a("remind", "催办", "Remind", "open", None, "supervisor", "reason"),
        _a("extend", "延期", "Extend", "dispatched in_progress suspended", None, "supervisor admin",
           "reason due_at"),
        _a("whistle", "吹哨", "Whistle", "registered dispatched in_progress", None, "supervisor",
           "reason co_bodies"),
        _a("archive", "归档", "Archive", "closed", "archived", "admin schedule"),
    )
}  # fmt: skip

# Names of data that are fields of a problem; others ("reason") stand in the history alone.
_WRITTEN = frozenset(
    {
        "hard", "merged_into", "body", "measure", "due_at", "owner", "co_bodies",
        "suspended_until", "result", "root_cause", "satisfaction", "callback_note",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Actor:
    """Who acts: a person's id and role; ``body`` is a handler's own, else ""."""

    user_id: str
    role: str
    body: str = ""


@dataclass(frozen=True)
class Facts:
    """What the rules must know beside the problem itself.

    ``photos_pending``: after-photos declared but not verified. ``after_photos``: verified ones.
    ``needs_after``: the category asks for one. ``ledger_no``: the next number, for register.
    """

    needs_after: bool = False
    after_photos: int = 0
    photos_pending: int = 0
    recurring: bool = False
    ledger_no: str = ""


@dataclass(frozen=True)
class Progress:
    """One entry of a problem's history, as `act` decides it; the server gives it an id."""

    action: str
    from_state: str
    to_state: str
    step: int
    reason: str
    detail: Mapping[str, Any]


def start(values: Mapping[str, Any], author: str, at: int) -> tuple[dict[str, Any], Progress]:
    """The first state of a reported problem: what the server adds to it, and its first entry.

    Solved on the spot is the sole way to close without verification (现场办结).
    """
    added: dict[str, Any] = {"state": "reported", "step": 0, "round": 1, "extensions": 0}
    if values.get("solved_on_spot"):
        added |= {"state": "closed", "closed_by": author, "closed_at": at, "result": "现场办结"}
        return added, Progress("resolve_on_spot", "", "closed", 0, "", {})
    return added, Progress("report", "", "reported", 0, "", {})


def act(
    problem: Mapping[str, Any],
    action_name: str,
    actor: Actor,
    data: Mapping[str, Any],
    at: int,
    facts: Facts | None = None,
    expect: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], Progress]:
    """The fields an action changes, and its entry in the history.

    ``expect`` {"state", "step"} is what the actor saw: if the problem has moved on, the action is
    late. Raises Refused with late_action, forbidden, not_allowed, needs, same_person,
    photo_not_verified or invalid.
    """
    facts = facts or Facts()
    if expect and (expect.get("state"), expect.get("step")) != (problem["state"], problem["step"]):
        raise Refused("late_action", "state", f"{problem['state']} {problem['step']}")
    action = ACTIONS.get(action_name)
    if action is None:
        raise Refused("invalid", "action", action_name)
    code, field = why_not(problem, action, actor, facts)
    if code:
        raise Refused(code, field)
    unknown = set(data) - set(action.needs) - set(action.takes)
    if unknown:
        raise Refused("invalid", min(unknown), "this action takes no such thing")
    for name in action.needs:
        if data.get(name) in (None, "", []):
            raise Refused("needs", name)
    changes = {name: value for name, value in data.items() if name in _WRITTEN}
    changes |= _consequences(problem, action, actor, data, at, facts)
    target = changes.get("state", action.target) or problem["state"]
    if target != problem["state"] or action.target is not None:
        changes["state"] = target
        changes["step"] = problem["step"] + 1
    detail = {name: value for name, value in data.items() if name != "reason"}
    return changes, Progress(
        action_name,
        problem["state"],
        target,
        changes.get("step", problem["step"]),
        data.get("reason") or "",
        detail,
    )


def why_not(
    problem: Mapping[str, Any], action: Action, actor: Actor, facts: Facts | None = None
) -> tuple[str, str]:
    """Why this actor may not take the action now: (code, field), both "" if it is allowed."""
    facts = facts or Facts()
    if actor.role not in action.roles:
        return "forbidden", "role"
    if problem["state"] not in action.sources:
        return "not_allowed", "state"
    if actor.role == "handler" and actor.body not in (
        problem.get("body"), *(problem.get("co_bodies") or ()),
    ):  # fmt: skip
        return "forbidden", "body"
    if action.name == "close":
        if problem.get("closure_by") == actor.user_id:
            return "same_person", "closure_by"
        if facts.photos_pending or (facts.needs_after and not facts.after_photos):
            return "photo_not_verified", "photos"
    photos = facts.after_photos + facts.photos_pending
    if action.name == "request_closure" and facts.needs_after and not photos:
        return "needs", "after_photo"
    if action.name == "request_suspend" and problem.get("suspended_until"):
        return "not_allowed", "suspended_until"
    if action.name == "approve_suspend" and not problem.get("suspend_requested"):
        return "not_allowed", "suspend_requested"
    if action.name == "extend":
        used = problem.get("extensions") or 0
        if used >= 2 or (used == 1 and actor.role != "admin"):
            return "not_allowed", "extensions"
        if problem.get("overdue_at"):
            return "not_allowed", "overdue_at"
    return "", ""


def offered(
    problem: Mapping[str, Any], actor: Actor, facts: Facts | None = None
) -> list[tuple[Action, str]]:
    """The actions of the actor's role, each with the code of why it is not possible now, or ""."""
    return [
        (action, why_not(problem, action, actor, facts)[0])
        for action in ACTIONS.values()
        if actor.role in action.roles
    ]


def _consequences(
    problem: Mapping[str, Any],
    action: Action,
    actor: Actor,
    data: Mapping[str, Any],
    at: int,
    facts: Facts,
) -> dict[str, Any]:
    """What an action changes beside the state and the data it was given."""
    match action.name:
        case "register" | "unmerge":
            changes: dict[str, Any] = {"merged_into": None} if action.name == "unmerge" else {}
            if not problem.get("ledger_no"):
                changes["ledger_no"] = facts.ledger_no
            return changes
        case "return":
            return {"body": None, "owner": None, "due_at": None, "overdue_at": None}
        case "request_suspend":
            return {"suspend_requested": True}
        case "approve_suspend":
            return {"suspend_requested": False}
        case "request_closure":
            if (problem.get("hard") or facts.recurring) and not data.get("root_cause"):
                raise Refused("needs", "root_cause")
            return {"closure_by": actor.user_id}
        case "close":
            return {"closed_by": actor.user_id, "closed_at": at}
        case "redo":
            return {"closure_by": None}
        case "callback" if data["satisfaction"] == "unsatisfied":
            return {"state": "reopened", **_new_round(problem)}
        case "reopen":
            return _new_round(problem)
        case "supervise":
            return {"supervised": True}
        case "extend":
            return {"extensions": (problem.get("extensions") or 0) + 1}
        case "whistle":
            joined = set(problem.get("co_bodies") or ()) | set(data["co_bodies"])
            return {"co_bodies": sorted(joined)}
    return {}


def _new_round(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "round": (problem.get("round") or 1) + 1,
        "closure_by": None,
        "closed_by": None,
        "closed_at": None,
        "overdue_at": None,
        "suspended_until": None,
        "suspend_requested": False,
        "extensions": 0,
    }
