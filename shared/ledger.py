"""Pure: the problem ledger (问题台账): what an action changes, and why it may not be taken.

The table of states, actions and roles is `shared.ledger_actions`; the rules beyond it are here.
The phone and the web page go through the same function, and so do their tests. DOMAIN: Ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared import timers, vocabulary
from shared.ledger_actions import ACTIONS as ACTIONS
from shared.ledger_actions import CLOSED_STATES as CLOSED_STATES
from shared.ledger_actions import LATE_STATES as LATE_STATES
from shared.ledger_actions import OPEN_STATES as OPEN_STATES
from shared.ledger_actions import SCHEDULE as SCHEDULE
from shared.ledger_actions import STATES as STATES
from shared.ledger_actions import Action as Action
from shared.ledger_actions import Actor as Actor
from shared.ledger_actions import Facts as Facts
from shared.ledger_actions import Progress as Progress
from shared.ledger_actions import entry_words as entry_words
from shared.ledger_effects import consequences, joiner
from shared.reconcile import Refused

MAX_WHYS = 5  # 多问为什么: five times at most
MAX_WHY = 200
# What a body's own people do; a supervisor only for a body that has no account.
ON_BEHALF = frozenset({"accept", "request_suspend", "request_extension", "join"})
# What a body that joins in may do; the rest is the lead body's.
JOINT = frozenset({"progress", "join"})
# Names of data that are fields of a problem; others ("reason") stand in the history alone.
_WRITTEN = frozenset(
    {
        "hard", "merged_into", "body", "measure", "due_at", "owner", "co_bodies",
        "suspended_until", "extension_until", "result", "root_cause", "root_whys", "satisfaction",
        "callback_note", "return_cause", "reopen_cause",
    }
)  # fmt: skip
_CODES = {
    "return_cause": vocabulary.RETURN_CAUSES,
    "reopen_cause": vocabulary.REOPEN_CAUSES,
    "satisfaction": vocabulary.SATISFACTION,
    "root_cause": vocabulary.ROOT_CAUSES,
}


def start(
    values: Mapping[str, Any], author: str, at: int, facts: Facts | None = None
) -> tuple[dict[str, Any], Progress]:
    """The first state of a reported problem: what the server adds to it, and its first entry.

    Solved on the spot is the sole way to close without verification (现场办结). It gets no number:
    it is counted apart.
    """
    facts = facts or Facts()
    added: dict[str, Any] = {
        "state": "reported", "step": 0, "round": 1, "extensions": 0, "reported_at": at,
    }  # fmt: skip
    entry = Progress("report", "", "reported", 0, "", {})
    if values.get("solved_on_spot"):
        added |= {"state": "closed", "closed_by": author, "closed_at": at, "result": "现场办结"}
        entry = Progress("resolve_on_spot", "", "closed", 0, "", {})
    else:
        added["dispatch_due_at"] = facts.deadlines.get("dispatch")
    return added | _moments(added, at, facts), entry


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
    code, field_name = why_not(problem, action, actor, facts, at)
    if code:
        raise Refused(code, field_name)
    _check(problem, action, data, facts)
    changes = {name: value for name, value in data.items() if name in _WRITTEN}
    changes |= consequences(problem, action, actor, data, at, facts)
    target = changes.get("state", action.target) or problem["state"]
    if target != problem["state"] or action.target is not None:
        changes["state"] = target
        changes["step"] = problem["step"] + 1
    changes = timers.lapsed(problem, at) | changes
    changes |= _moments({**problem, **changes}, at, facts, before=problem)
    detail = {name: value for name, value in data.items() if name != "reason"}
    if action_name == "dispatch":
        detail["due_at"] = changes["due_at"]
        detail.pop("co_bodies", None)
        if changes["co_bodies"]:  # without the lead
            detail["co_bodies"] = changes["co_bodies"]
    if action_name == "join":
        detail["co_body"] = joiner(actor, data)
    return changes, Progress(
        action_name,
        problem["state"],
        target,
        changes.get("step", problem["step"]),
        data.get("reason") or "",
        detail,
        changes.get("round", problem.get("round") or 1),
    )


def why_not(
    problem: Mapping[str, Any],
    action: Action,
    actor: Actor,
    facts: Facts | None = None,
    at: int | None = None,
) -> tuple[str, str]:
    """Why this actor may not take the action now: (code, field), both "" if it is allowed."""
    facts = facts or Facts()
    if actor.role not in action.roles:
        return "forbidden", "role"
    if problem["state"] not in action.sources:
        return "not_allowed", "state"
    if actor.role == "handler" and not _is_concerned(problem, action, actor):
        return "forbidden", "body"
    if actor.role == "supervisor" and action.name in ON_BEHALF and facts.has_login:
        return "forbidden", "body"
    match action.name:
        case "close":
            if problem.get("closure_by") == actor.user_id:
                return "same_person", "closure_by"
            if facts.photos_pending or (facts.needs_after and not facts.after_photos):
                return "photo_not_verified", "photos"
        case "request_closure":
            if facts.needs_after and not facts.after_photos + facts.photos_pending:
                return "needs", "after_photo"
        case "request_suspend":
            if problem.get("suspended_until"):  # once in a round
                return "not_allowed", "suspended_until"
        case "approve_suspend":
            if not problem.get("suspend_requested"):
                return "not_allowed", "suspend_requested"
        case "decline":
            if not (problem.get("suspend_requested") or problem.get("extension_requested")):
                return "not_allowed", "suspend_requested"
        case "join":
            waiting = unanswered(problem)
            if not waiting or (actor.role == "handler" and actor.body not in waiting):
                return "not_allowed", "whistle"
        case "archive":
            if not facts.retained:
                return "not_allowed", "closed_at"
        case "extend" | "request_extension":
            return _why_not_longer(problem, actor, at)
        case "supervise":
            if problem.get("supervised"):
                return "not_allowed", "supervised"
    return "", ""


def offered(
    problem: Mapping[str, Any], actor: Actor, facts: Facts | None = None, at: int | None = None
) -> list[tuple[Action, str]]:
    """The actions of the actor's role, each with the code of why it is not possible now, or ""."""
    return [
        (action, why_not(problem, action, actor, facts, at)[0])
        for action in ACTIONS.values()
        if actor.role in action.roles
    ]


def unanswered(problem: Mapping[str, Any]) -> list[str]:
    """The bodies that join in and have not said so yet."""
    answers = problem.get("whistle") or {}
    return [
        body
        for body in problem.get("co_bodies") or ()
        if not (answers.get(body) or {}).get("accepted_at")
    ]


def called_back(problem: Mapping[str, Any]) -> bool:
    """Whether the call-back that is known was about the present round, not an earlier one."""
    called, closed = problem.get("callback_at"), problem.get("closed_at")
    if (problem.get("round") or 1) == 1:
        return called is not None
    return called is not None and closed is not None and called >= closed


def derived(entries: Iterable[Mapping[str, Any]]) -> tuple[str, int, int]:
    """(state, step, round) as the history alone tells them; attempts change nothing."""
    state, step, round_ = "", -1, 1
    real = [one for one in entries if not one.get("attempt")]
    for one in sorted(real, key=lambda entry: int(entry["step"])):
        if one["step"] > step:
            state, step = one["to_state"], one["step"]
            round_ += one["to_state"] == "reopened"
    return state, step, round_


def _is_concerned(problem: Mapping[str, Any], action: Action, actor: Actor) -> bool:
    """Whether a handler's body is the one that may act: the lead; in JOINT also those beside it."""
    joining = actor.body in (problem.get("co_bodies") or ())
    if action.name == "join":
        return bool(actor.body) and joining
    if action.name in JOINT and joining:
        return True
    return bool(actor.body) and actor.body == problem.get("body")


def _why_not_longer(problem: Mapping[str, Any], actor: Actor, at: int | None) -> tuple[str, str]:
    """The first extension before the deadline, by the supervisor; a second by the admin alone."""
    due, used = problem.get("due_at"), problem.get("extensions") or 0
    if due is None:
        return "not_allowed", "due_at"
    if used >= 2 or (used == 1 and actor.role == "supervisor"):
        return "not_allowed", "extensions"
    if problem.get("overdue_at") or (at is not None and at > due and not problem.get("paused_at")):
        return "not_allowed", "overdue_at"
    return "", ""


def _check(
    problem: Mapping[str, Any], action: Action, data: Mapping[str, Any], facts: Facts
) -> None:
    """What was given: nothing unknown, nothing missing, codes that exist."""
    unknown = set(data) - set(action.needs) - set(action.takes)
    if unknown:
        raise Refused("invalid", min(unknown), "this action takes no such thing")
    for name in action.needs:
        if data.get(name) in (None, "", []):
            raise Refused("needs", name)
    for name, choices in _CODES.items():
        if data.get(name) is not None and data[name] not in {one.code for one in choices}:
            raise Refused("invalid", name, str(data[name]))
    for name in ("due_at", "extension_until"):
        longer = action.name in ("extend", "request_extension") and name in data
        if longer and data[name] <= (problem.get("due_at") or 0):
            raise Refused("invalid", name, "not later than the deadline")
    if action.name == "dispatch" and data.get("due_at") is None and "handle" not in facts.deadlines:
        raise Refused("needs", "due_at")
    deep = problem.get("hard") or problem.get("recurring") or facts.recurring
    if action.name == "request_closure" and deep and not data.get("root_cause"):
        raise Refused("needs", "root_cause")
    whys = data.get("root_whys")
    if whys is not None and not (
        isinstance(whys, list) and len(whys) <= MAX_WHYS
        and all(isinstance(one, str) and len(one) <= MAX_WHY for one in whys)
    ):  # fmt: skip
        raise Refused("invalid", "root_whys")


_CLOCK_FIELDS = ("state", "step", "suspended_until", *timers.DUE_FIELDS.values())


def _moments(
    after: Mapping[str, Any], at: int, facts: Facts, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The nearest deadline; and the next moment to look again, if an action moved a clock."""
    found = {"deadline_at": timers.deadline(after)}
    if before is None or any(after.get(n) != before.get(n) for n in _CLOCK_FIELDS):
        found["next_at"] = timers.next_event(after, at, facts.retention)
    return found
