"""The round in memory: doors in the order they are walked, found and grouped without the disk.

A door is read once when the app starts and again when it changes; what a search or a filter asks
is then answered from here in milliseconds, for ten thousand doors too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import cos, hypot, radians
from typing import Literal

from mobile.core import due
from mobile.core.views import Due, HouseholdFilter, Place

Wanted = HouseholdFilter | Literal["problems"]
METRES = 111_320.0  # of a degree of latitude
FAR = float("inf")


@dataclass(frozen=True, slots=True)
class Door:
    """A household as the round needs it. ``stair`` sorts it in its compound.

    ``address`` is where it is if it has no door number, else "". What many doors share, such as
    the building, is one text for all of them.
    """

    id: str
    compound_id: str | None
    compound: str
    compound_key: str
    stair: str
    building: str
    unit: str
    door: str
    name: str
    address: str
    care: bool
    high: bool
    state: str
    days: int
    search: str
    position: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What changes with every visit, by the id of the door."""

    last: Mapping[str, int]
    counted: Mapping[str, int]
    places: Mapping[str, Place]
    waiting: frozenset[str]
    problems: Mapping[str, int]


@dataclass(slots=True)
class Group:
    """The doors of one stair: compound, building and unit; ``due`` of them ask for a visit."""

    compound: str
    building: str
    unit: str
    metres: float
    doors: list[Door] = field(default_factory=list)
    due: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """What a question found. ``whole``: every door has been read; ``counts`` by due state."""

    groups: tuple[Group, ...]
    facts: Facts
    now: int
    whole: bool
    total: int
    counts: Mapping[Due, int]

    @property
    def found(self) -> int:
        """How many doors."""
        return sum(len(group.doors) for group in self.groups)


def due_of(door: Door, facts: Facts, now: int) -> Due:
    """Whether a door is due for a visit."""
    return due.due_state(facts.counted.get(door.id), now, door.days)


def is_pending(door: Door, facts: Facts) -> bool:
    """Whether something at this door has not reached the server."""
    return door.id in facts.waiting or facts.places.get(door.id) in ("waiting", "sent")


def walk(
    doors: Iterable[Door],
    facts: Facts,
    now: int,
    words: Iterable[str] = (),
    wanted: Wanted = "all",
    near: tuple[float, float] | None = None,
    whole: bool = True,
) -> Walk:
    """The doors that match, by stair. ``doors`` come in walking order.

    ``near`` (lat, lng): the nearest compound first; where the place is not known comes last.
    """
    groups: list[Group] = []
    counts: dict[Due, int] = {"ok": 0, "due": 0, "overdue": 0, "never": 0}
    wants, total = list(words), 0
    stair: tuple[str | None, str, str] | None = None
    for door in doors:
        total += 1
        state = due_of(door, facts, now)
        counts[state] += 1
        if wants and not all(word in door.search for word in wants):
            continue
        if wanted != "all" and not _passes(door, state, facts, wanted):
            continue
        place = (door.compound_id, door.building, door.unit)
        if place != stair:
            stair = place
            groups.append(Group(door.compound, door.building, door.unit, FAR))
        group = groups[-1]
        group.doors.append(door)
        group.due += state != "ok"
        if near and door.position:
            group.metres = min(group.metres, metres(near, door.position))
    if near:
        groups.sort(key=lambda group: group.metres)
    return Walk(tuple(groups), facts, now, whole, total, counts)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far two places are from each other; right for what one walks."""
    north = (other[0] - one[0]) * METRES
    east = (other[1] - one[1]) * METRES * cos(radians(one[0]))
    return hypot(north, east)


def _passes(door: Door, state: Due, facts: Facts, wanted: Wanted) -> bool:
    match wanted:
        case "due":
            return state != "ok"
        case "overdue" | "never":
            return state == wanted
        case "care":
            return door.care or door.high
        case "waiting":
            return is_pending(door, facts)
        case "problems":
            return door.id in facts.problems
    return True
