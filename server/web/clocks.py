"""A problem's clocks in words: what is left or over, in the units of the work calendar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import pgettext

from server.core import clock_bars
from server.core.clock_bars import DONE, DROPPED, LATE, OVER, PAUSED, WAITING, Bar
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import names
from server.web import words
from server.web.words import DAY_MS, Deadline
from shared import ledger, work_calendar
from shared.work_calendar import HOUR, WORK_DAY, Calendar

MINUTE = 60_000


@dataclass(frozen=True)
class Shown:
    """One clock as the page shows it; ``beside`` says more in small print."""

    bar: Bar
    name: str
    text: str
    tone: str
    icon: str
    beside: str


def shown(problem: Any, entries: Iterable[Any], data: Any) -> list[Shown]:
    """The clocks of a problem's page; [] where it never had any."""
    found = clock_bars.bars(problem, entries, data, calendar(), now_ms())
    return [_shown(bar, problem) for bar in found]


def running(problem: Any) -> Deadline | None:
    """The clock that runs now, with its name; what else there is to say of one that stands."""
    if problem.state == "suspended":
        return Deadline(_("挂账中，暂停计时"), "mute", "pause-circle")
    if problem.state in ledger.CLOSED_STATES:
        return _late_once(problem)
    if problem.state == "closure_requested":
        waits = Deadline(_("等待核查，暂停计时"), "mute", "pause-circle")
        return _late_once(problem) or (waits if problem.due_at is not None else None)
    category = categories().get(problem.category)
    bar = clock_bars.running(problem, category.data if category else None, calendar(), now_ms())
    if bar is None:
        return None
    text, tone, icon = _said(bar)
    return Deadline(text, tone, icon, stage(bar.stage), bar.due)


def stage(code: str) -> str:
    """What a clock is called."""
    names_of = {
        "dispatch": pgettext("clock", "派遣"),
        "accept": pgettext("clock", "签收"),
        "handle": pgettext("clock", "处理"),
    }
    return names_of.get(code, code)


def amount(ms: int, unit: str) -> str:
    """A length of a unit's own time: 2 天 3 小时, 1 个工作日 4 小时, 40 分钟."""
    ms = abs(ms)
    if work_calendar.is_work_unit(unit):
        if ms >= WORK_DAY:
            days, hours = divmod(ms, WORK_DAY)
            one = _("1 个工作日") if days == 1 else _("%(n)s 个工作日", n=days)
            return _and(one, hours // HOUR)
        if ms >= HOUR:
            n = ms // HOUR
            return _("1 个工作小时") if n == 1 else _("%(n)s 个工作小时", n=n)
        return _("%(n)s 分钟工作时间", n=ms // MINUTE)
    if ms >= DAY_MS:
        days, hours = divmod(ms, DAY_MS)
        return _and(_("1 天") if days == 1 else _("%(n)s 天", n=days), hours // HOUR)
    if ms >= HOUR:
        n = ms // HOUR
        return _("1 小时") if n == 1 else _("%(n)s 小时", n=n)
    return _("%(n)s 分钟", n=max(1, ms // MINUTE))


def calendar() -> Calendar:
    """The work calendar, read once for a page."""
    if "calendar" not in g:
        years = _references()["calendar"].values()
        g.calendar = work_calendar.of_years(
            (y.code, y.data) for y in years if y.active is not False
        )
    found: Calendar = g.calendar
    return found


def categories() -> dict[str, Any]:
    """The categories by their code, read once for a page."""
    return _references()["category"]


def bodies() -> dict[str, Any]:
    """The bodies by their code, read once for a page."""
    return _references()["body"]


def _references() -> dict[str, dict[str, Any]]:
    if "references" not in g:
        g.references = names.references_of(db.session(), "category", "body", "calendar")
    found: dict[str, dict[str, Any]] = g.references
    return found


def _and(days: str, hours: int) -> str:
    return _("%(days)s %(n)s 小时", days=days, n=hours) if hours else days


def _late_once(problem: Any) -> Deadline | None:
    if problem.overdue_at is None:
        return None
    return Deadline(_("曾超期"), "warn", "clock-history")


def _said(bar: Bar) -> tuple[str, str, str]:
    length = amount(bar.left, bar.unit)
    if bar.state == OVER:
        return _("已超期 %(span)s", span=length), "danger", "alarm-fill"
    soon = bar.due is not None and bar.due - now_ms() < DAY_MS
    return _("还剩 %(span)s", span=length), "warn" if soon else "mute", "clock"


def _shown(bar: Bar, problem: Any) -> Shown:
    name = stage(bar.stage)
    due = words.when(bar.due, now_ms())
    length = amount(bar.left, bar.unit)
    used = amount(bar.used, bar.unit)
    if bar.state == WAITING:
        why = _("还没有开始") if problem.state in ledger.OPEN_STATES else _("没有用到")
        return Shown(bar, name, why, "mute", "circle", "")
    if bar.state == PAUSED:
        over, left = _("已超期 %(span)s", span=length), _("还剩 %(span)s", span=length)
        why = _("挂账中") if problem.state == "suspended" else _("等待核查")
        beside = _("%(why)s，暂停计时", why=why)
        return Shown(bar, name, over if bar.left < 0 else left, "mute", "pause-circle", beside)
    if bar.state == DONE:
        text = _("按时完成，用了 %(span)s", span=used) if bar.used >= MINUTE else _("按时完成")
        return Shown(bar, name, text, "good", "check-circle-fill", _given(bar))
    if bar.state == LATE:
        text = _("超期 %(span)s 完成", span=length)
        return Shown(bar, name, text, "warn", "clock-history", _given(bar))
    if bar.state == DROPPED:
        return Shown(bar, name, _("不再计时"), "mute", "slash-circle", "")
    text, tone, icon = _said(bar)
    return Shown(bar, name, text, tone, icon, _("%(due)s 到期", due=due))


def _given(bar: Bar) -> str:
    return _("期限 %(span)s", span=amount(bar.total, bar.unit))
