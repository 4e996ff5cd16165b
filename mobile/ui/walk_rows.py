"""The round as rows of a list: made when they come into sight, however many there are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, overload

from mobile.core.walking import FAR, Door, Group, Walk, due_of, is_pending
from mobile.ui import theme
from mobile.ui.rows import Row
from mobile.ui.times import day
from mobile.ui.words import tr, word
from shared import vocabulary as v

FOOT = 12
# A door's state: (icon, tone). The word comes beside it.
DUE_LOOK = {
    "ok": ("disc_check", "good"),
    "due": ("clock", "warn"),
    "overdue": ("warn", "danger"),
    "never": ("ring", "info"),
}


class WalkRows(Sequence[Row]):
    """Heads and doors, one after another."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self._row, self._head = theme.tall(30, 48), theme.tall(14, 24)
        sizes = [1 + len(group.doors) for group in walk.groups]
        self._starts = [0, *accumulate(sizes)]
        heights = [self._head + self._row * (size - 1) for size in sizes]
        self._tops = [0.0, *accumulate(heights)]

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        at = bisect_right(self._starts, index) - 1
        group, nth = self.walk.groups[at], index - self._starts[at]
        if nth == 0:
            return {
                "viewclass": "GroupRow", "key": f"head {at}", "tall": self._head,
                "offset": self._tops[at], "show": _head(group),
            }  # fmt: skip
        door = group.doors[nth - 1]
        return {
            "viewclass": "DoorRow", "key": door.id, "tall": self._row,
            "offset": self._tops[at] + self._head + (nth - 1) * self._row,
            "foot": FOOT, "show": _door(door, self.walk),
        }  # fmt: skip

    def index_of(self, key: str) -> int | None:
        """Where a door stands; None where it is not among them."""
        for start, group in zip(self._starts, self.walk.groups, strict=False):
            for nth, door in enumerate(group.doors, start=1):
                if door.id == key:
                    return start + nth
        return None


def _head(group: Group) -> dict[str, Any]:
    stair = " ".join(filter(None, (group.building, group.unit)))
    title = " ".join(filter(None, (group.compound, stair))) or tr("其他地址")
    away = group.metres
    parts = [tr("约{n}米", n=round(away / 10) * 10) if away < FAR else ""]
    if group.due:
        parts.append(tr("{n}户该访", n=group.due))
    else:
        parts.append(tr("{n}户", n=len(group.doors)))
    return {"title": title, "count": " · ".join(filter(None, parts))}


def _door(door: Door, walk: Walk) -> dict[str, Any]:
    state, last = due_of(door, walk.facts, walk.now), walk.facts.last.get(door.id)
    icon, tone = DUE_LOOK[state]
    seen = tr("{when}走访", when=day(last, walk.now)) if last else ""
    empty = word(v.HOUSEHOLD_STATE, door.state) if door.state == "empty" else ""
    where = "" if door.door else door.address
    return {
        "door": door.door or "—",
        "name": door.name or tr("未登记联系人"),
        "where": " · ".join(filter(None, (where, empty, seen))),
        "due": due_word(state, last),
        "due_icon": icon,
        "tone": tone,
        "care": door.care or door.high,
        "problems": walk.facts.problems.get(door.id, 0),
        "pending": is_pending(door, walk.facts),
    }


def due_word(due: str, last_visit_at: int | None) -> str:
    """A door's state in a word."""
    if due == "never" and last_visit_at:
        return tr("还没见到人")
    return {
        "ok": tr("近期已访"),
        "due": tr("快到期"),
        "overdue": tr("已超期"),
        "never": tr("从未走访"),
    }[due]
