"""Why an action is not possible now, in a few words: what the rules of shared.ledger answer."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from server.core.access import Viewer
from server.web import words
from shared import ledger
from shared.ledger import Action, Actor, Facts


def impossible(
    problem: Any,
    values: dict[str, Any],
    viewer: Viewer,
    actor: Actor,
    facts: Facts,
    now: int,
    joining: Facts,
) -> list[tuple[Action, str]]:
    """The actions of the reader's role that cannot be taken now, each with the reason.

    ``joining``: the facts for answering a whistle, which is about the bodies beside the lead.
    """
    found = []
    for action in ledger.ACTIONS.values():
        if viewer.role not in action.roles:
            continue
        code, field = ledger.why_not(
            values, action, actor, joining if action.name == "join" else facts, now
        )
        if code:
            found.append((action, reason(problem, action, viewer, code, field)))
    return found


def reason(problem: Any, action: Action, viewer: Viewer, code: str, field: str) -> str:
    """What stands against one action."""
    match code, field:
        case "not_allowed", "state":
            return _in_which_states(action)
        case "forbidden", "body" if action.name != "join" or viewer.role == "supervisor":
            if viewer.role == "supervisor":
                return _("责任单位有自己的账号，由它来办")
            return _("由牵头的责任单位来办")
        case "not_allowed", "suspended_until":
            return _("这一轮已经申请过挂账")
        case "not_allowed", "suspend_requested":
            return _("没有等待答复的申请")
        case ("not_allowed", "whistle") | ("forbidden", "body"):
            return _("没有吹哨在等%(who)s签收", who=_who(viewer))
        case "not_allowed", "due_at":
            return _("还没有整改时限")
        case "not_allowed", "extensions":
            used = problem.extensions or 0
            return _("已经延过两次") if used >= 2 else _("已延过一次，再延要管理员来办")
        case "not_allowed", "overdue_at":
            return _("已经超期，不能再延")
        case "not_allowed", "supervised":
            return _("已经挂牌督办")
        case "not_allowed", "closed_at":
            return _("保存期还没有到")
        case "needs", "after_photo":
            return _("还缺整改后的照片")
    return words.code_title(code)


def waiting_for(problem: Any, bodies: dict[str, str], mine: bool) -> str:
    """Whose turn it is, where it is not the reader's; "" where nobody is waited for."""
    body = bodies.get(problem.body or "", problem.body or _("责任单位"))
    match problem.state:
        case "reported":
            return _("等网格长立案。")
        case "registered" | "reopened":
            return _("等网格长派遣。")
        case "dispatched":
            return _("等%(body)s签收。", body=body)
        case "in_progress":
            if problem.suspend_requested or problem.extension_requested:
                return _("等网格长答复申请。")
            return _("等%(body)s办理。", body=body)
        case "suspended":
            return _("挂账中，到期自动恢复。")
        case "closure_requested":
            return _("等另一位网格长核查。") if mine else _("等网格长核查。")
    return ""


def _who(viewer: Viewer) -> str:
    return _("您的单位") if viewer.role == "handler" else _("协办单位")


def _in_which_states(action: Action) -> str:
    if set(action.sources) == set(ledger.OPEN_STATES):
        return _("办结的问题不能再办")
    states = [words.word("problem", "state", state) for state in action.sources]
    return _("要在“%(states)s”时办", states=_("”或“").join(states))
