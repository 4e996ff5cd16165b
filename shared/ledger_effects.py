"""Pure: what each action of the ledger changes beside the state and the data it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.ledger_actions import Action, Actor, Facts
from shared.reconcile import Refused


def consequences(
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
            return _registered(problem, action, at, facts)
        case "dispatch":
            return _dispatched(problem, data, at, facts)
        case "accept":
            return {"accepted_at": at}
        case "return":
            return _CLEARED | {
                "body": None, "owner": None, "dispatch_due_at": facts.deadlines.get("dispatch"),
                "dispatch_overdue_at": None,
            }  # fmt: skip
        case "request_suspend":
            return {"suspend_requested": True}
        case "approve_suspend":
            return {"suspend_requested": False, "paused_at": at}
        case "resume" | "redo":
            going_on: dict[str, Any] = {"paused_at": None}
            if facts.resumed_due_at is not None:
                going_on["due_at"] = facts.resumed_due_at
            if action.name == "redo":
                going_on |= {"closure_by": None, "closure_asked_at": None}
            return going_on
        case "request_extension":
            return {"extension_requested": True}
        case "decline":
            declined: dict[str, Any] = {"extension_requested": False, "extension_until": None}
            if problem.get("suspend_requested"):
                declined |= {"suspend_requested": False, "suspended_until": None}
            return declined
        case "request_closure":
            return {"closure_by": actor.user_id, "closure_asked_at": at, "paused_at": at}
        case "close":
            return {
                "closed_by": actor.user_id, "closed_at": at, "paused_at": None,
                "suspend_requested": False, "extension_requested": False,
            }  # fmt: skip
        case "callback":
            again = data["satisfaction"] == "unsatisfied"
            cause = {"state": "reopened", "reopen_cause": "unsatisfied"}
            return {"callback_at": at} | (cause | _new_round(problem, at, facts) if again else {})
        case "reopen":
            called: dict[str, Any] = {}
            if data["reopen_cause"] == "unsatisfied":
                called = {"satisfaction": "unsatisfied", "callback_at": at}
            return called | _new_round(problem, at, facts)
        case "supervise":
            return {"supervised": True}
        case "remind":
            return {"remind_count": (problem.get("remind_count") or 0) + 1}
        case "extend":
            used = (problem.get("extensions") or 0) + 1
            return {"extensions": used, "extension_requested": False, "extension_until": None}
        case "whistle":
            return _whistled(problem, actor, data["co_bodies"], at)
        case "join":
            return _joined(problem, actor, data, at)
        case "recur":
            return {"recurring": True}
        case "archive":
            return {"archived_at": at}
    return {}


def _registered(
    problem: Mapping[str, Any], action: Action, at: int, facts: Facts
) -> dict[str, Any]:
    changes: dict[str, Any] = {"registered_at": at}
    if action.name == "unmerge":
        changes |= {"merged_into": None, "dispatch_due_at": facts.deadlines.get("dispatch"),
                    "dispatch_overdue_at": None}  # fmt: skip
        if problem.get("registered_at"):
            del changes["registered_at"]
    if not problem.get("ledger_no"):
        changes["ledger_no"] = facts.ledger_no
    return changes


def _dispatched(
    problem: Mapping[str, Any], data: Mapping[str, Any], at: int, facts: Facts
) -> dict[str, Any]:
    """The deadline at the dispatch stands: a later change of the category changes nothing here."""
    due = data.get("due_at")
    given = data.get("co_bodies")  # none at all is an answer too
    beside = problem.get("co_bodies") or () if given is None else given
    joining = sorted(set(beside) - {data["body"]})
    return _CLEARED | {
        "dispatched_at": at, "return_cause": None, "co_bodies": joining,
        "accept_due_at": facts.deadlines.get("accept"),
        "due_at": facts.deadlines["handle"] if due is None else due,
        "due_unit": facts.due_unit or None,
    }  # fmt: skip


def _whistled(
    problem: Mapping[str, Any], actor: Actor, bodies: Iterable[str], at: int
) -> dict[str, Any]:
    """Each body that is whistled for answers for itself; the lead's acceptance sets the state."""
    known = dict(problem.get("whistle") or {})
    new = set(bodies) - {problem.get("body")}
    if not new:
        raise Refused("invalid", "co_bodies", "it leads already")
    for body in sorted(new):
        known.setdefault(body, {"at": at, "by": actor.user_id})
    return {"co_bodies": sorted(set(problem.get("co_bodies") or ()) | new), "whistle": known}


def _joined(
    problem: Mapping[str, Any], actor: Actor, data: Mapping[str, Any], at: int
) -> dict[str, Any]:
    body = joiner(actor, data)
    if not body:
        raise Refused("needs", "co_body")
    known = dict(problem.get("whistle") or {})
    if body not in (problem.get("co_bodies") or ()) or (known.get(body) or {}).get("accepted_at"):
        raise Refused("not_allowed", "whistle", body)
    answer = {"accepted_at": at, "accepted_by": actor.user_id}
    known[body] = {**(known.get(body) or {}), **answer}
    return {"whistle": known}


def joiner(actor: Actor, data: Mapping[str, Any]) -> str:
    """The body for which a whistle is answered."""
    return actor.body if actor.role == "handler" else str(data.get("co_body") or "")


def _new_round(problem: Mapping[str, Any], at: int, facts: Facts) -> dict[str, Any]:
    numbered = {} if problem.get("ledger_no") else {"ledger_no": facts.ledger_no}
    entered = {} if problem.get("registered_at") else {"registered_at": at}
    return (
        _CLEARED
        | numbered
        | entered
        | {
            "round": (problem.get("round") or 1) + 1,
            "closure_by": None,
            "closure_asked_at": None,
            "closed_by": None,
            "closed_at": None,
            "dispatch_due_at": facts.deadlines.get("dispatch"),
            "dispatch_overdue_at": None,
        }
    )


# What begins anew with a dispatch, a return, a round.
_CLEARED: dict[str, Any] = {
    "dispatched_at": None, "accepted_at": None, "accept_due_at": None, "accept_overdue_at": None,
    "due_at": None, "due_unit": None, "overdue_at": None, "paused_at": None,
    "suspended_until": None, "suspend_requested": False, "extensions": 0,
    "extension_requested": False, "extension_until": None,
}  # fmt: skip
