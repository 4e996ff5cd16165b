"""The ledger's tab as rows of a list: problems by how soon they are due, tasks by what they ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mobile.core.views import ProblemRow, TaskRow
from mobile.ui import look, room, theme
from mobile.ui.look import Look
from mobile.ui.rows import Row
from mobile.ui.times import days_apart, due
from mobile.ui.words import pick, tr

DISC = 40  # dp; the round picture of a row's state
EDGES = 12 + 14 + DISC + 12 + 14 + 12  # dp; what a row keeps free of words, side to side
SOON = 2  # days
NOTHING = Look("", "", "mute")


def of_problems(rows: Iterable[ProblemRow], now: int, wide: float, grouped: bool) -> list[Row]:
    """Problems; ``grouped``: by how soon they are due, else in the order given.

    ``wide`` is the width of the list in dp.
    """
    found = list(rows)
    if not grouped:
        return [_problem(row, now, wide) for row in found]
    groups = {
        tr("已超期"): [row for row in found if _left(row, now) < 0],
        tr("{n}天内到期", n=SOON): [row for row in found if 0 <= _left(row, now) <= SOON],
        tr("其他未办结"): [row for row in found if _left(row, now) > SOON],
    }
    for title, members in groups.items():
        if title != tr("其他未办结"):
            members.sort(key=lambda row: row.due_at or 0)
    return _in_groups(groups, lambda row: _problem(row, now, wide))


def of_tasks(rows: Iterable[TaskRow], now: int, wide: float) -> list[Row]:
    """Tasks: what came back and must be mended first, then what is to be done."""
    found = list(rows)
    groups = {
        tr("要先改好的"): [row for row in found if row.type in look.CAME_BACK],
        tr("要去办的"): [row for row in found if row.type not in look.CAME_BACK + look.TOLD],
        tr("要知道的"): [row for row in found if row.type in look.TOLD],
    }
    return _in_groups(groups, lambda row: _task(row, now, wide))


def _in_groups(groups: dict[str, list[Any]], make: Callable[[Any], Row]) -> list[Row]:
    rows: list[Row] = []
    for title, members in groups.items():
        if members:
            show = {"title": title, "count": str(len(members))}
            tall = theme.tall(10, 24)
            rows.append(
                {"viewclass": "GroupRow", "key": f"head {title}", "tall": tall, "show": show}
            )
            rows += [make(one) for one in members]
    return rows


def _left(row: ProblemRow, now: int) -> int:
    """Days to a problem's limit, negative once it has passed; many where there is none."""
    if not look.limit(row, now).text or not row.due_at:
        return 1_000_000
    return -1 if row.due_at < now else -days_apart(row.due_at, now)


def _problem(row: ProblemRow, now: int, wide: float) -> Row:
    state, limit = look.problem(row.state), look.limit(row, now)
    badges = [
        state._replace(icon=""),
        look.waiting() if row.pending else limit,
        Look(tr("督办"), "flag", "warn") if row.supervised else NOTHING,
    ]
    line = " · ".join(filter(None, (pick(row.category_zh, row.category_en), row.address)))
    return _row(row.id, row.description, line, state, badges, wide, task=False)


def _task(row: TaskRow, now: int, wide: float) -> Row:
    text, tone = due(row.due_at, now)
    kind = look.task(row)
    badges = [
        kind._replace(icon=""),
        Look(text, "warn" if tone == "danger" else "clock", tone),
        look.waiting() if row.pending else NOTHING,
    ]
    title = row.about_name or row.reason or pick(row.title_zh, row.title_en)
    words = look.task_words(row)
    return _row(row.id, title, words if words != title else "", kind, badges, wide, task=True)


def _row(
    key: str, title: str, line: str, state: Look, badges: list[Look], wide: float, task: bool
) -> Row:
    scale, free = theme.tall(0, 1), wide - EDGES
    widths = [
        room.width(one.text, 13 * scale) + 18 + (14 * scale + 4 if one.icon else 0)
        for one in badges
        if one.text
    ]
    text = room.lines(title, theme.BODY * scale, free) * theme.BODY * 1.62
    text += room.lines(line, theme.SMALL * scale, free, 1) * 22
    flows = room.flowed(widths, free, 6)
    tall = max(theme.tall(24, 0) + DISC, theme.tall(8 + 20 + 6 + 14 * flows, text + 18 * flows))
    show: dict[str, Any] = {
        "title": title, "line": line, "icon": state.icon, "tone": state.tone,
    }  # fmt: skip
    for number, one in zip(("", "2", "3"), badges, strict=True):
        show |= {
            f"badge{number}": one.text,
            f"badge{number}_icon": one.icon,
            f"badge{number}_tone": one.tone,
        }
    return {"viewclass": "ProblemLine", "key": key, "tall": tall, "task": task, "show": show}
