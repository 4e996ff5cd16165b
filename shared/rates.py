"""Pure: the three rates of 接诉即办, each with its formula, over the entries that count.

Each entry of the ledger is counted, or left out for one reason; nothing is hidden:

- 响应率 response: accepted in time / dispatched and either accepted or past the limit
- 解决率 resolution: verified and closed / registered and either closed or past the deadline
- 满意率 satisfaction: satisfied or fairly / called back

Left out of all: what was rejected or merged, and what was solved on the spot (counted apart).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

RATES = ("response", "resolution", "satisfaction")
WORDS: dict[str, tuple[str, str]] = {
    "response": ("响应率", "Response"),
    "resolution": ("解决率", "Resolution"),
    "satisfaction": ("满意率", "Satisfaction"),
}
FORMULAS: dict[str, tuple[str, str]] = {
    "response": (
        "按时签收 ÷（已签收 + 签收已超期）",
        "accepted in time ÷ (accepted + acceptance overdue)",
    ),
    "resolution": (
        "已核查销号 ÷（已销号 + 整改已超期）",
        "verified and closed ÷ (closed + overdue)",
    ),
    "satisfaction": (
        "（满意 + 基本满意）÷ 已回访",
        "(satisfied + fairly satisfied) ÷ called back",
    ),
}
# Why an entry does not count, in the order in which they are asked.
LEFT_OUT: dict[str, tuple[str, str]] = {
    "rejected": ("不予立案", "rejected"),
    "merged": ("已并入其他问题", "merged into another"),
    "on_the_spot": ("现场办结，单独统计", "solved on the spot, counted apart"),
    "not_registered": ("还未立案", "not registered yet"),
    "not_dispatched": ("还未派遣", "not dispatched yet"),
    "no_limit": ("没有时限", "no limit was set"),
    "running": ("时限未到", "not due yet"),
    "paused": ("挂账中或待核查", "suspended or waiting to be verified"),
    "not_closed": ("还未销号", "not closed yet"),
    "not_called": ("还未回访", "not called back yet"),
}


class Counted(NamedTuple):
    """An entry in one rate: ``good`` True or False, or None with the reason it is left out."""

    good: bool | None
    why: str


class Rate(NamedTuple):
    """A rate: how many are good, of how many that count. ``share`` None where none counts."""

    good: int
    counted: int

    @property
    def share(self) -> float | None:
        """0 to 1."""
        return self.good / self.counted if self.counted else None


def judge(rate: str, problem: Mapping[str, Any], now: int) -> Counted:
    """Whether an entry counts in a rate at ``now``, and as what."""
    state = problem.get("state") or ""
    if state in ("rejected", "merged"):
        return Counted(None, state)
    if problem.get("solved_on_spot") and not problem.get("registered_at"):
        return Counted(None, "on_the_spot")
    if not problem.get("registered_at"):
        return Counted(None, "not_registered")
    match rate:
        case "response":
            return _response(problem, now)
        case "resolution":
            return _resolution(problem, state, now)
    if problem.get("satisfaction") is None:
        closed = state in ("closed", "archived")
        return Counted(None, "not_called" if closed else "not_closed")
    return Counted(problem["satisfaction"] != "unsatisfied", "")


def _response(problem: Mapping[str, Any], now: int) -> Counted:
    if problem.get("dispatched_at") is None:
        return Counted(None, "not_dispatched")
    limit, accepted = problem.get("accept_due_at"), problem.get("accepted_at")
    if limit is None:
        return Counted(None, "no_limit")
    if accepted is not None:
        return Counted(accepted <= limit, "")
    return Counted(False, "") if now > limit else Counted(None, "running")


def _resolution(problem: Mapping[str, Any], state: str, now: int) -> Counted:
    if state in ("closed", "archived"):
        return Counted(True, "")
    if problem.get("overdue_at") is not None:
        return Counted(False, "")
    if state in ("suspended", "closure_requested"):
        return Counted(None, "paused")
    due = problem.get("due_at")
    if due is None:
        return Counted(None, "not_dispatched")
    return Counted(False, "") if now > due else Counted(None, "running")
