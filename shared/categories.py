"""Pure: what a category of problems says: its limits, the evidence it asks for, its usual body.

A category is a reference record; its `data` holds
    {"parent": code of the first level or None, "places": [compound, household, street],
     "body": code, "needs_before": bool, "needs_after": bool, "call": "119",
     "limits": {"dispatch": [1, "work_day"], "accept": [4, "work_hour"],
                "handle": [7, "natural_day"]}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared import vocabulary as v
from shared import work_calendar
from shared.work_calendar import Calendar

STAGES = ("dispatch", "accept", "handle")
UNITS = tuple(choice.code for choice in v.LIMIT_UNITS)
URGENT_HOURS = 4  # what is to be settled within these is an emergency
EMERGENCY = "110"
PLACES = tuple(choice.code for choice in v.PLACES_OF_USE)


class Limit(NamedTuple):
    """How long a stage may take: an amount of a unit of vocabulary.LIMIT_UNITS."""

    amount: float
    unit: str


# What holds where a category says nothing.
DEFAULTS = {
    "dispatch": Limit(1, "work_day"),
    "accept": Limit(4, "work_hour"),
    "handle": Limit(7, "natural_day"),
}


def limit(data: Mapping[str, Any] | None, stage: str) -> Limit:
    """A stage's limit. A category of the first release has `hours` and `unit` for handling."""
    found = (data or {}).get("limits")
    given = found.get(stage) if isinstance(found, Mapping) else None
    if isinstance(given, (list, tuple)) and len(given) == 2:
        amount, unit = given
        if isinstance(amount, (int, float)) and amount > 0 and unit in UNITS:
            return Limit(amount, unit)
    if stage == "handle":
        return _in_hours(data or {}) or DEFAULTS[stage]
    handle = limit(data, "handle")
    if handle.unit == "urgent_hour":  # what is urgent is not left lying for a working day
        return Limit(1 if handle.amount > 4 else 0.5, "urgent_hour")
    return DEFAULTS[stage]


def deadlines(data: Mapping[str, Any] | None, at: int, calendar: Calendar) -> dict[str, int]:
    """Stage -> the moment by which it must be done if it begins at ``at``."""
    return {stage: work_calendar.add(calendar, at, *limit(data, stage)) for stage in STAGES}


def evidence(data: Mapping[str, Any] | None) -> tuple[bool, bool]:
    """Whether a photo from before and one from after are asked for."""
    given = data or {}
    return bool(given.get("needs_before")), bool(given.get("needs_after"))


def is_urgent(data: Mapping[str, Any] | None) -> bool:
    """Whether its problems are emergencies: to be settled within URGENT_HOURS."""
    amount, unit = limit(data, "handle")
    return unit == "urgent_hour" and amount <= URGENT_HOURS


def number_to_call(data: Mapping[str, Any] | None, body: Mapping[str, Any] | None) -> str:
    """The number to call at once beside reporting, "" where that is not urgent.

    The category's own `call`, else the `phone` of its usual body's data, else EMERGENCY.
    """
    if not is_urgent(data):
        return ""
    found = (data or {}).get("call") or (body or {}).get("phone")
    return str(found) if found else EMERGENCY


def lacks_before(data: Mapping[str, Any] | None, phases: Iterable[str]) -> bool:
    """Whether a report still lacks the photo from before that its category asks for."""
    return evidence(data)[0] and "before" not in set(phases)


def _in_hours(data: Mapping[str, Any]) -> Limit | None:
    hours, unit = data.get("hours"), data.get("unit")
    if not isinstance(hours, (int, float)) or hours <= 0:
        return None
    if unit == "natural_day" or (not unit and hours % 24 == 0):
        return Limit(hours / 24, "natural_day")
    if unit == "work_day":
        return Limit(hours / 8, "work_day")
    return Limit(hours, unit if unit in UNITS else "urgent_hour")
