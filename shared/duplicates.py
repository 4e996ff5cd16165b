"""Pure: which problems are likely the same one told twice, and which keep coming back.

The same function serves the server, over what its indices find, and the phone, over what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared import bigrams, nearby
from shared.work_calendar import DAY

WINDOW = 90 * DAY  # how far back both look
RECURRENCES = 3  # so many of one category at one place within the window
FAR_M = 150.0  # further apart is another place
SAME_PLACE = 0.8  # so alike are two places in words that are the same one
LIKELY = 0.5  # from this score on a duplicate is suggested
_PLACE, _TEXT = 0.55, 0.45
# A problem that ended so was none, or is counted where it went.
NOT_COUNTED = ("rejected", "merged")


class Likeness(NamedTuple):
    """How like a problem another is: 0 to 1; its id; metres apart, where both are known."""

    score: float
    id: str
    metres: float | None


def likeness(one: str | None, other: str | None) -> float:
    """How alike two texts are: shared pairs of characters over all (Jaccard), 0 to 1."""
    a, b = set(bigrams.terms(one)), set(bigrams.terms(other))
    return len(a & b) / len(a | b) if a and b else 0.0


def score(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """How likely two problems are the same, 0 to 1; 0 for another category, place or time.

    Both are values of shared.records.PROBLEM.
    """
    if one.get("category") != other.get("category"):
        return 0.0
    if abs((one.get("found_at") or 0) - (other.get("found_at") or 0)) > WINDOW:
        return 0.0
    near = _nearness(one, other)
    if near == 0.0:
        return 0.0
    return _PLACE * near + _TEXT * likeness(one.get("description"), other.get("description"))


def likely(
    one: Mapping[str, Any], others: Iterable[tuple[str, Mapping[str, Any]]], limit: int = 5
) -> list[Likeness]:
    """The likely duplicates of a problem among (id, values), the likeliest first."""
    found = []
    for problem_id, values in others:
        if values.get("state") in NOT_COUNTED:
            continue
        how = score(one, values)
        if how >= LIKELY:
            metres = nearby.distance(one.get("position"), values.get("position"))
            found.append(Likeness(round(how, 3), problem_id, metres))
    return sorted(found, key=lambda each: (-each.score, each.id))[:limit]


def recurrences(
    one: Mapping[str, Any], others: Iterable[tuple[str, Mapping[str, Any]]]
) -> list[str]:
    """The ids of problems of the same category at the same place in the 90 days before.

    With this one itself they are a recurrence from RECURRENCES on: `is_recurring`.
    """
    found_at = one.get("found_at") or 0
    return [
        problem_id
        for problem_id, values in others
        if values.get("category") == one.get("category")
        and values.get("state") not in NOT_COUNTED
        and 0 <= found_at - (values.get("found_at") or 0) <= WINDOW
        and nearby.is_same_place(one, values)
    ]


def is_recurring(others: Iterable[str]) -> bool:
    """Whether a problem with these before it has come back often enough to be told."""
    return len(list(others)) + 1 >= RECURRENCES


def _nearness(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    if one.get("target_id") and one.get("target_id") == other.get("target_id"):
        return 1.0
    metres = nearby.distance(one.get("position"), other.get("position"))
    by_distance = 0.0 if metres is None else max(0.0, 1.0 - metres / FAR_M)
    compound = one.get("compound_id")
    same_compound = compound is not None and compound == other.get("compound_id")
    same_words = likeness(one.get("place"), other.get("place")) >= SAME_PLACE
    return max(by_distance, 0.8 if same_compound else 0.0, 0.7 if same_words else 0.0)
