"""The round as rows of a list: made when they come into sight, however many there are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, repeat
from typing import Any, overload

from mobile.core.walking import FAR, Door, Group, Walk, due_of, is_pending
from mobile.ui import room, theme
from mobile.ui.rows import Row
from mobile.ui.times import day
from mobile.ui.words import tr, word
from shared import vocabulary as v

FOOT = 12
ROOMY = 1.4  # times the plain size of text: from here on words go to a second line or go
HEAD_EDGES = 20 + 8 + 20  # dp; what a head and a door keep free of words, side to side
DOOR_EDGES = 12 + 10 + 28 + 12 + 6 + 15 + 6 + 12 + 12
# A door's state: (icon, tone). The word comes beside it.
DUE_LOOK = {
    "ok": ("disc_check", "good"),
    "due": ("clock", "warn"),
    "overdue": ("warn", "danger"),
    "never": ("ring", "info"),
}


class WalkRows(Sequence[Row]):
    """Heads and doors, one after another."""

    def __init__(self, walk: Walk, wide: float) -> None:
        """``wide``: dp from side to side."""
        self.walk = walk
        self._starts = [0, *accumulate(1 + len(group.doors) for group in walk.groups)]
        self._long: set[str] = set()
        self._tall = list(self._heights(wide))
        self._tops = [0.0, *accumulate(self._tall)]

    def _heights(self, wide: float) -> Iterator[float]:
        """Each row's; in large text some words take a second line."""
        scale, row = theme.tall(0, 1), theme.tall(30, 48)
        one, two = theme.tall(14, 24), theme.tall(14, 42)
        small = theme.SMALL * scale
        for group in self.walk.groups:
            letters = len(group.compound) + len(group.building) + len(group.unit) + 2
            long = False
            if small * letters > wide / 2:  # else it fits beside any count
                head = _head(group)
                left = wide - HEAD_EDGES - room.width(head["count"], 13 * scale)
                long = room.lines(head["title"], small, left) > 1
            yield two if long else one
            if scale < ROOMY:
                yield from repeat(row, len(group.doors))
                continue
            for door in group.doors:
                if self._cut(door, wide - theme.tall(DOOR_EDGES, 24), scale):
                    self._long.add(door.id)
                    yield row + theme.tall(0, 20)
                else:
                    yield row

    def _cut(self, door: Door, left: float, scale: float) -> bool:
        show = _door(door, self.walk)
        words = room.width(show["where"], theme.SMALL * scale)
        return words + room.width(show["due"], 13 * scale) > left

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
                "viewclass": "GroupRow", "key": f"head {at}", "tall": self._tall[index],
                "offset": self._tops[index], "show": _head(group),
            }  # fmt: skip
        door = group.doors[nth - 1]
        return {
            "viewclass": "DoorRow", "key": door.id, "tall": self._tall[index],
            "offset": self._tops[index], "foot": FOOT,
            "show": _door(door, self.walk) | {"long": door.id in self._long},
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
    seen = day(last, walk.now) if last else ""
    if seen and theme.tall(0, 1) < ROOMY:  # else the word beside it says enough
        seen = tr("{when}走访", when=seen)
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
